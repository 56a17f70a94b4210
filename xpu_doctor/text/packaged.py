"""Text files that come with the package."""

from __future__ import annotations

import os
from typing import Any

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def packaged_text(*path: str) -> str:
    """Return the text of a file of this package, also where the package is a zip file.

    The loader is asked itself: importlib.resources loads zipfile and every compression for the same, megabytes of them.

    Raises:
        OSError: there is no such file.
    """
    loader: Any = __spec__.loader
    data: bytes = loader.get_data(os.path.join(_ROOT, *path))
    return data.decode("utf-8").replace("\r\n", "\n")
