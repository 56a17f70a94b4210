"""The profiler cannot be started on XPU."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class ProfilerPti(MessageRule):
    """The profiler cannot be started on XPU."""

    code = "profiler-pti"
    layer = Layer.COMPUTE
