"""XPU was used before a process was forked, and again in the child."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class ForkReinit(MessageRule):
    """XPU was used before a process was forked, and again in the child."""

    code = "fork-reinit"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation runs in a forked child, in which the GPU cannot be used",
    }
