"""A process that ran before the watch began: it is only looked at."""

from __future__ import annotations

import os
import select
import sys
import time

NAP_SECONDS = 0.2


class AttachError(Exception):
    """A process cannot be watched; the message is one line."""


class Attached:
    """A running process of this machine."""

    def __init__(self, pid: int) -> None:
        """Find it.

        Raises:
            AttachError: there is none of that number, or it may not be looked at.
        """
        self.pid = pid
        self._handle = -1
        if pid == os.getpid():
            raise AttachError(f"--pid {pid}: this is xpu-doctor itself")
        _check(pid)
        if hasattr(os, "pidfd_open"):
            try:
                self._handle = os.pidfd_open(pid)
            except ProcessLookupError as error:
                raise AttachError(_gone(pid)) from error
            except OSError:  # an old kernel, or a sandbox
                pass

    def wait(self, until: float | None) -> bool:
        """Wait for its end, at most until a time of `time.monotonic()`; return whether it has ended."""
        rest = None if until is None else max(0.0, until - time.monotonic())
        if self._handle >= 0:
            return bool(select.select([self._handle], [], [], rest)[0])
        while _runs(self.pid):
            if until is not None and time.monotonic() >= until:
                return False
            time.sleep(NAP_SECONDS if until is None else max(0.0, min(NAP_SECONDS, until - time.monotonic())))
        return True

    def close(self) -> None:
        """Let go of it."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def _check(pid: int) -> None:
    if not _runs(pid):
        raise AttachError(_gone(pid))
    if not sys.platform.startswith("linux"):
        return
    try:
        os.listdir(f"/proc/{pid}/fd")
    except PermissionError as error:
        raise AttachError(
            f"--pid {pid}: the process belongs to another user, so its GPU counters cannot be read: watch it as that user, or as root"
        ) from error
    except OSError as error:
        raise AttachError(_gone(pid)) from error


def _gone(pid: int) -> str:
    return f"--pid {pid}: there is no such process (any more)"


def _runs(pid: int) -> bool:
    try:
        import psutil

        return bool(psutil.pid_exists(pid))
    except ImportError:
        return os.path.exists(f"/proc/{pid}")
