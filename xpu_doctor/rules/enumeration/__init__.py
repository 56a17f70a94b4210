"""Rules of the enumeration layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.enumeration.device_hidden_by_env import DeviceHiddenByEnv
from xpu_doctor.rules.enumeration.igpu_dgpu_confusion import IgpuDgpuConfusion
from xpu_doctor.rules.enumeration.xpu_query_crashed import XpuQueryCrashed
from xpu_doctor.rules.enumeration.xpu_query_hung import XpuQueryHung
from xpu_doctor.rules.enumeration.xpu_unavailable import XpuUnavailable

RULES: tuple[type[Rule], ...] = (DeviceHiddenByEnv, IgpuDgpuConfusion, XpuQueryCrashed, XpuQueryHung, XpuUnavailable)
