"""The doctor's own peak memory, read by itself."""

from __future__ import annotations

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
