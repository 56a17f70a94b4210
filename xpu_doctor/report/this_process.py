"""What this process says of itself: its peak memory, and how to call it again."""

from __future__ import annotations

import os
import shlex
import shutil
import sys


def peak_memory_bytes() -> int | None:
    """Return the largest resident size that this process had, in bytes, or None where the system does not tell."""
    if sys.platform == "win32":
        import psutil

        return int(psutil.Process().memory_info().peak_wset)
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as stream:
            for line in stream:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None


def own_command() -> str:
    """Return what to type to call this doctor again: its name where it is on PATH, else the way it was called."""
    quote = shlex.quote if os.name != "nt" else (lambda text: f'"{text}"' if " " in text else text)
    called = sys.argv[0]
    if os.path.basename(called).startswith("xpu-doctor"):
        on_path = shutil.which("xpu-doctor")
        same = on_path is not None and os.path.exists(called) and os.path.samefile(on_path, called)
        return "xpu-doctor" if same else quote(_absolute(called))
    return f"{quote(sys.executable)} -m xpu_doctor"


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the working folder was deleted
        return path
