"""What this process says of itself: its peak memory, and how to call it again."""

from __future__ import annotations

import os
import shutil
import sys

from xpu_doctor.model.commands import Command
from xpu_doctor.process.one_file import one_file
from xpu_doctor.remedies.commands import lines, shells


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
    """Return what to type to call this doctor again, in the usual shell: its name where it is on PATH, else the way it was called."""
    shell = shells("windows" if os.name == "nt" else "linux")[0]
    return lines([Command(_own_words())], shell)[0]


def own_name() -> str:
    """Return what to type where the whole path is not to be shown: the doctor's name, or that of its one file in its own folder."""
    file = one_file()
    words = (os.path.basename(sys.executable), os.path.basename(file)) if file else ("xpu-doctor",)
    return lines([Command(words)], shells("windows" if os.name == "nt" else "linux")[0])[0]


def _own_words() -> tuple[str, ...]:
    called, file = sys.argv[0], one_file()
    if file:
        return sys.executable, file
    if os.path.basename(called).startswith("xpu-doctor"):
        on_path = shutil.which("xpu-doctor")
        same = on_path is not None and os.path.exists(called) and os.path.samefile(on_path, called)
        return ("xpu-doctor",) if same else (_absolute(called),)
    return sys.executable, "-m", "xpu_doctor"


def _absolute(path: str) -> str:
    try:
        return os.path.abspath(path)
    except OSError:  # the working folder was deleted
        return path
