"""What PYTHONPATH puts before the installed packages, and how to leave it out."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Python
from xpu_doctor.model.findings import Remedy
from xpu_doctor.model.unknown import known_or

_ZIP = re.compile(r"[\\/]python\d+\.zip$", re.IGNORECASE)
"""The entry with which the interpreter's own part of sys.path begins: what stands before it came from PYTHONPATH."""


def on_pythonpath(location: str, python: Python) -> bool:
    """Return whether a folder of sys.path stands there because of PYTHONPATH; not where that cannot be told."""
    entries = known_or(python.sys_path, ())
    own = next((number for number, entry in enumerate(entries) if _ZIP.search(entry)), 0)
    return bool(location) and location in entries[:own]


def clear_pythonpath(folder: str, os: str, why: str) -> Remedy:
    """Return the remedy that leaves PYTHONPATH out of the shell at hand."""
    unset = ("Remove-Item Env:PYTHONPATH",) if os == "windows" else ("unset PYTHONPATH",)
    return Remedy(f"Take {folder} out of PYTHONPATH", why, commands=unset, os=os)
