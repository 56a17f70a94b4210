"""torch.compile lacks a compiler, headers or link libraries."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class CompileToolchain(MessageRule):
    """A build that torch.compile started failed for lack of a tool."""

    code = "compile-toolchain"
    layer = Layer.COMPUTE
    explains = {
        "compute-failed": "the failing operation is one that torch.compile was to compile",
    }
