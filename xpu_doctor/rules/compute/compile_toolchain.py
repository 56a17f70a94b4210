"""A compiler, headers or link libraries that torch.compile needs are missing."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class CompileToolchain(MessageRule):
    """A compiler, headers or link libraries that torch.compile needs are missing."""

    code = "compile-toolchain"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation is one that torch.compile was to compile",
    }
