"""Rules of the device layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.device.gpu_not_present import GpuNotPresent
from xpu_doctor.rules.device.gpu_unsupported import GpuUnsupported
from xpu_doctor.rules.device.rebar_disabled import RebarDisabled
from xpu_doctor.rules.device.vm_no_passthrough import VmNoPassthrough

RULES: tuple[type[Rule], ...] = (GpuNotPresent, GpuUnsupported, VmNoPassthrough, RebarDisabled)
