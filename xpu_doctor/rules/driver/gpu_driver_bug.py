"""A version of Intel's GPU driver is known to be bad, or behaves so."""

from __future__ import annotations

from xpu_doctor.findings import Layer
from xpu_doctor.rules.known_fault import KnownFaultRule


class GpuDriverBug(KnownFaultRule):
    """A row of the table of bad versions holds, or messages speak for it."""

    code = "gpu-driver-bug"
    layer = Layer.DRIVER
    explains = frozenset({"xpu-unavailable", "compute-failed", "compute-wrong-result", "gpu-hang-logged"})
