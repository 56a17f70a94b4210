"""Whether this process runs from the one file, `xpu-doctor.pyz`, which `tools/build_pyz.py` builds."""

from __future__ import annotations

import os
import sys


def one_file() -> str:
    """Return the path of the file that this process was started from, or empty where the package is installed."""
    archive = getattr(getattr(sys.modules.get("__main__"), "__loader__", None), "archive", "")
    return os.path.abspath(archive) if archive else ""
