"""`import torch`, as the user's own script would."""

from __future__ import annotations

import sys
import time

from .facts import attempt, cut, unknown
from .search_path import is_isolated, working_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .request import Request

MAX_WARNINGS = 20
MAX_WARNING = 600
MAX_FOLDERS = 8


def import_torch(request: Request) -> Facts:
    """Import torch with the path that the user's own script would have; the keys are the fields of facts.Import."""
    import gc
    import warnings

    sys.path[:] = request.users_path
    if not is_isolated():
        sys.path.insert(0, request.folder or working_folder())
    # Modules that are being loaded are no garbage: looking for some takes a twentieth of the import.
    gc.disable()
    try:
        with warnings.catch_warnings(record=True) as caught:
            started = time.perf_counter()
            import torch

            seconds = time.perf_counter() - started
    finally:
        gc.enable()
    version, path = getattr(torch, "__version__", None), getattr(torch, "__file__", None)
    return {
        "succeeded": bool(version and path),
        "seconds": seconds,
        "version": str(version or "") or unknown("the module that was imported has no __version__"),
        "file": str(path or "") or unknown("the module that was imported has no file"),
        "folders": attempt(_namespace, torch) if not path else [],
        "warnings": warning_texts(caught),
    }


def warning_texts(caught: list[Any]) -> list[str]:
    """Return the first warnings as text, each cut."""
    return [cut(f"{item.category.__name__}: {item.message}", MAX_WARNING) for item in caught[:MAX_WARNINGS]]


def _namespace(module: Any) -> list[str]:
    """Return the folders of a package without an __init__ file."""
    return [str(folder) for folder in list(module.__path__)[:MAX_FOLDERS]]
