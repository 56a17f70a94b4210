"""The GPU driver's own libraries, loaded without the loader."""

from __future__ import annotations

import sys

from .facts import cut
from .loaded_files import mapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .facts import Facts
    from .request import Request

LIBRARIES = ("libze_intel_gpu.so.1", "libze_intel_gpu_legacy1.so.1")
LIBRARIES_ON_WINDOWS = ("ze_intel_gpu64.dll",)


def load(request: Request) -> Facts:
    """Load each of them, to tell "not installed" from "does not load"."""
    import ctypes

    windows = sys.platform == "win32"
    rows: list[Facts] = []
    for name in LIBRARIES_ON_WINDOWS if windows else LIBRARIES:
        request.transcript.mark("ze_library", f"load {name}")
        try:
            ctypes.CDLL(name)
            rows.append({"name": name, "path": "" if windows else mapped(name), "error": ""})
        except OSError as error:
            rows.append({"name": name, "path": "", "error": cut(error, 500)})
    return {"libraries": rows}
