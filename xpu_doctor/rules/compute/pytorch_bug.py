"""A version of PyTorch is known to be bad, or fails at its own checks."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class PytorchBug(MessageRule):
    """A version of PyTorch is known to be bad, or fails at its own checks."""

    code = "pytorch-bug"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation is the one that this torch does wrongly",
        "compute-wrong-result": "the operation with the wrong result is the one that this torch does wrongly",
    }
