"""The installer does not find a package that the XPU build needs."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class IndexIncomplete(MessageRule):
    """The installer does not find a package that the XPU build needs."""

    code = "index-incomplete"
    layer = Layer.WHEEL
    explains = {
        "torch-not-installed": "an installer that cannot find a pinned package installs nothing",
    }
