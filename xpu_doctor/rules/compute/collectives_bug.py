"""Communication between GPUs fails or hangs."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class CollectivesBug(MessageRule):
    """Communication between GPUs fails or hangs."""

    code = "collectives-bug"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation is the collective",
        "gpu-hang-logged": "a collective that waits for a rank forever is seen by the kernel as a hang",
    }
