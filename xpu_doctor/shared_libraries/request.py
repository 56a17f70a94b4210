"""What an examination of torch's libraries must know of the interpreter."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """One interpreter and the torch in it."""

    os: str
    torch: str
    """Folder of the torch package."""
    executable: str
    prefix: str
    base_prefix: str
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    """The working folder."""
    version: str = ""
    """Version of torch."""
    user_base: str = ""

    @property
    def lib(self) -> str:
        """Torch's own library folder."""
        return os.path.join(self.torch, "lib")

    @property
    def release(self) -> tuple[int, int]:
        """First two numbers of torch's version; a version that cannot be read counts as new."""
        parts = self.version.split("+")[0].split(".")[:2]
        return (int(parts[0]), int(parts[1])) if len(parts) == 2 and all(part.isdigit() for part in parts) else (99, 0)


TORCHS_OWN = (
    "libtorch",
    "libc10",
    "libshm",
    "libcaffe2",
    "libgomp-",
    "torch",
    "c10",
    "shm",
    "uv.dll",
    "libiomp5md.dll",
    "fbgemm",
    "asmjit",
)
"""Beginnings of the names of libraries that torch's own wheel brings."""


def torchs_own(name: str) -> bool:
    """Return whether torch's own wheel brings a library of this name."""
    return name.lower().startswith(TORCHS_OWN)
