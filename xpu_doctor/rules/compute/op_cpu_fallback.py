"""Operators without an XPU kernel ran on the processor."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer, Severity
from xpu_doctor.rules.support.message import MessageRule


class OpCpuFallback(MessageRule):
    """Operators without an XPU kernel ran on the processor."""

    code = "op-cpu-fallback"
    layer = Layer.COMPUTE
    severity = Severity.WARNING
    explains = {
        "low-performance": "operations that run on the CPU, and the copies to it and back, take the time",
    }
