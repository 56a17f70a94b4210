"""An operator, data type or layout has no XPU kernel in this torch."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class OpUnsupported(MessageRule):
    """An operator, data type or layout has no XPU kernel in this torch."""

    code = "op-unsupported"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation has no kernel for XPU",
    }
