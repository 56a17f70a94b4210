"""A cache holds kernels compiled for another torch or runtime."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class StaleCompileCache(MessageRule):
    """A cached kernel wants a library that this torch no longer brings."""

    code = "stale-compile-cache"
    layer = Layer.COMPUTE
    explains = frozenset({"shared-library-missing", "runtime-package-mismatch", "compile-toolchain"})
