"""The GPU's memory, or the largest single allocation it allows, did not suffice."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class OutOfMemory(MessageRule):
    """The GPU's memory, or the largest single allocation it allows, did not suffice."""

    code = "out-of-memory"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation could not get the memory that it needs",
    }
