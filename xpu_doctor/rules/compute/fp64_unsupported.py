"""The program computes in double precision on a GPU that has none."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class Fp64Unsupported(MessageRule):
    """The program computes in double precision on a GPU that has none."""

    code = "fp64-unsupported"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation needs 64-bit floating point, which the GPU does not have",
    }
