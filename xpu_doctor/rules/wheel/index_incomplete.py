"""The installer does not find a package that the XPU build needs."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class IndexIncomplete(MessageRule):
    """pip or uv was not given the index that holds the package, or the index lacks it."""

    code = "index-incomplete"
    layer = Layer.WHEEL
    explains = {
        "torch-not-installed": "an installer that cannot find a pinned package installs nothing",
    }
