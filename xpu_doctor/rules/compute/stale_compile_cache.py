"""A cache holds kernels compiled for another torch or runtime."""

from __future__ import annotations

from xpu_doctor.model.findings import Layer
from xpu_doctor.rules.support.message import MessageRule


class StaleCompileCache(MessageRule):
    """A cache holds kernels compiled for another torch or runtime."""

    code = "stale-compile-cache"
    layer = Layer.COMPUTE
    explains = {
        "compile-toolchain": "the cached kernel was compiled by a toolchain that is not there any more",
        "runtime-package-mismatch": "the cached kernel is linked with the runtime of an earlier release, and clearing the cache fixes it",
        "shared-library-missing": "the cached kernel is linked with a library of an earlier release, and clearing the cache fixes it",
    }
