"""One process for each node, where a launcher starts many: the others find that it is not their turn."""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import sys
import tempfile
from collections.abc import Mapping

from xpu_doctor.tables.launchers import job, local_rank

_HELD: list[int] = []
"""Descriptors of locks; the system gives a lock up when its process ends, however it does."""


def is_our_turn(variables: Mapping[str, str]) -> bool:
    """Return whether this process is the one of its node.

    That is the first by the launcher's count; where none counts, the first one of the job to lock a file, until it ends. Where nothing
    can be locked it is everyone's turn: a check too many costs less than none.
    """
    number = local_rank(variables)
    if number is not None:
        return number == 0
    return _locked(os.path.join(_folder(variables), f"xpu-doctor-{_key(variables)}.lock"))


def _key(variables: Mapping[str, str]) -> str:
    """Return what the processes of one job on this node have in common: the user, and the job, or else the process that started them."""
    of_job = job(variables)
    user = os.getuid() if sys.platform != "win32" else 0
    return hashlib.sha256(f"{user} {of_job or os.getppid()}".encode("utf-8", "replace")).hexdigest()[:16]


def _folder(variables: Mapping[str, str]) -> str:
    """Return the folder for files of running programs: the user's own, else the one for temporary files."""
    own = variables.get("XDG_RUNTIME_DIR", "")
    return own if own and os.path.isdir(own) and os.access(own, os.W_OK) else tempfile.gettempdir()


def _locked(path: str) -> bool:
    """Lock a file until this process ends; return False where another process has it, True also where that cannot be tried."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return False
    except OSError:
        with contextlib.suppress(OSError):
            os.close(descriptor)
        return True
    _HELD.append(descriptor)
    atexit.register(_forget, path)
    return True


def _forget(path: str) -> None:
    """Take the file away; one that comes meanwhile takes its turn, too, and that is a check too many at worst."""
    with contextlib.suppress(OSError):
        os.unlink(path)
