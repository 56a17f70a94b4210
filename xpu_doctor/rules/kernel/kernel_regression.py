"""A kernel release broke or slowed the GPU."""

from __future__ import annotations

from xpu_doctor.findings import Layer
from xpu_doctor.rules.known_fault import KnownFaultRule


class KernelRegression(KnownFaultRule):
    """A row of the table of bad versions holds, or it worked with another kernel."""

    code = "kernel-regression"
    layer = Layer.KERNEL
    explains = frozenset({"xpu-unavailable", "low-performance", "gpu-hang-logged"})
