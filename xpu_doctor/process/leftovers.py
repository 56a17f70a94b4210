"""Finds and ends processes that a child left behind, by a marker in their environment."""

from __future__ import annotations

import os
import signal
import sys
import time

MARKER = "XPU_DOCTOR_RUN"
"""The variable that every process started by a run inherits."""


def end_marked(mark: str, seconds: float = 1.0) -> tuple[str, ...]:
    """End every process whose environment holds `XPU_DOCTOR_RUN=<mark>`; return what was found, in words."""
    found = marked(mark)
    for pid, _ in found:
        _kill(pid)
    deadline = time.monotonic() + seconds
    while found and any(_alive(pid) for pid, _ in found) and time.monotonic() < deadline:
        time.sleep(0.01)
    return tuple(
        f"process {pid} ({name}), " + ("could not be ended" if _alive(pid) else "ended") for pid, name in found
    )


def marked(mark: str) -> tuple[tuple[int, str], ...]:
    """Return (pid, name) of the processes of a run."""
    if sys.platform.startswith("linux"):
        return tuple(_marked_in_proc(f"{MARKER}={mark}".encode()))
    if sys.platform == "win32":
        return ()  # the Job Object has ended them
    import psutil

    found = []
    for process in psutil.process_iter(["pid", "name"]):
        try:
            if process.environ().get(MARKER, "") == mark:
                found.append((process.pid, str(process.info["name"])))
        except psutil.Error:
            continue
    return tuple(found)


def _marked_in_proc(needle: bytes) -> list[tuple[int, str]]:
    found = []
    own = os.getpid()
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdigit() or int(name) == own:
            continue
        try:
            with open(f"/proc/{name}/environ", "rb") as stream:
                if needle not in stream.read().split(b"\0"):
                    continue
            with open(f"/proc/{name}/comm", "rb") as stream:
                found.append((int(name), stream.read().decode("utf-8", "replace").strip()))
        except OSError:
            continue
    return found


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    except OSError:
        pass


def _alive(pid: int) -> bool:
    """Return whether a process still runs; a zombie that its parent has not reaped does not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            return stream.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except OSError:
        return False
