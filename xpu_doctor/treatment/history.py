"""What was done to which environment: one file for each treatment, in a state folder of the user."""

from __future__ import annotations

import json
import os
import secrets
import stat
import sys
import tempfile
import time
from pathlib import Path
from typing import Literal

import msgspec
import platformdirs
import psutil

from xpu_doctor.text.visible import visible
from xpu_doctor.treatment.errors import TreatmentError, reason_of
from xpu_doctor.treatment.freeze import Frozen
from xpu_doctor.treatment.manifest import sync_folder

SCHEMA = 1
MOST = 64 << 20
"""Bytes of a file that are read."""
SAME_MOMENT = 2.0
"""Seconds by which two readings of when a process began may differ: the clock is put right meanwhile."""
_STATE_IN_HOME = ("Library", "Application Support") if sys.platform == "darwin" else (".local", "state")
State = Literal["prepared", "running", "done", "failed", "undone"]


class DoneStep(msgspec.Struct, frozen=True):
    """One step of a treatment, as it was planned."""

    title: str
    commands: tuple[tuple[str, ...], ...] = ()


class Treatment(msgspec.Struct, frozen=True):
    """One run of `fix --apply`. `msgspec.structs.replace` makes the next state of it, `keep` writes it."""

    id: str
    """Sorts by time: the moment of its beginning in UTC, and some digits by chance."""
    created: float
    """Seconds since 1970."""
    python: str
    prefix: str
    """The environment's real folder."""
    steps: tuple[DoneStep, ...] = ()
    state: State = "prepared"
    step: int = 0
    """Which step runs or failed, counted from 1."""
    backup: str = ""
    """The folder of the way back; empty as long as there is none."""
    seal: str = ""
    """That of the way back's list."""
    before: tuple[Frozen, ...] = ()
    after: tuple[Frozen, ...] = ()
    files: dict[str, str] = {}
    """SHA-256 of the files of a project as the treatment left them; empty for one that was not there."""
    verdict_before: str = ""
    verdict_after: str = ""
    process: int = 0
    """The doctor that works on it, and when that process began, since numbers are given again."""
    process_began: float = 0.0
    schema: int = SCHEMA

    @property
    def unfinished(self) -> bool:
        """Whether it neither reached its end nor was undone; one whose way back was deleted is over."""
        return self.state not in ("done", "undone") and (bool(self.backup) or self.state == "prepared")

    @property
    def can_be_undone(self) -> bool:
        """Whether there is a way back, or nothing was changed yet."""
        return self.unfinished or (bool(self.backup) and self.state == "done")

    @property
    def at_work(self) -> bool:
        """Whether the doctor that works on it still runs."""
        began = _began(self.process) if self.unfinished and self.process > 0 else 0.0
        return began > 0.0 and abs(began - self.process_began) < SAME_MOMENT


def begun(python: str, prefix: str, steps: tuple[DoneStep, ...], before: tuple[Frozen, ...] = ()) -> Treatment:
    """Return a new treatment of this process."""
    now = time.time()
    number = f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime(now))}-{secrets.token_hex(3)}"
    own = os.getpid()
    return Treatment(
        number, now, python, os.path.realpath(prefix), steps, before=before, process=own, process_began=_began(own)
    )


def keep(treatment: Treatment, folder: Path | None = None) -> None:
    """Write a treatment's state, in place of the one before.

    Raises:
        TreatmentError: it cannot be written; the message is one line.
    """
    folder = folder or state_folder()
    shown = visible(str(folder), one_line=True)
    # ASCII alone, since a folder's name may be no UTF-8.
    content = json.dumps(msgspec.to_builtins(treatment), indent=1).encode("ascii")
    part = ""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(prefix=".part-", dir=folder)
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, folder / f"{treatment.id}.json")
        sync_folder(folder)
    except OSError as error:
        if part:
            Path(part).unlink(missing_ok=True)
        raise TreatmentError(
            f"what is done cannot be noted in {shown} ({reason_of(error)}): set XDG_STATE_HOME to a folder that can be written"
        ) from error


def history(folder: Path | None = None) -> tuple[Treatment, ...]:
    """Return all treatments, the oldest first; files that cannot be read are left to `damaged`."""
    found = [item for item in _read(folder) if isinstance(item, Treatment)]
    return tuple(sorted(found, key=lambda item: (item.created, item.id)))


def damaged(folder: Path | None = None) -> tuple[str, ...]:
    """Return one line for each file of the history that cannot be read."""
    return tuple(item for item in _read(folder) if isinstance(item, str))


def found(number: str, folder: Path | None = None) -> Treatment | None:
    """Return the treatment with an id."""
    return next((item for item in history(folder) if item.id == number), None)


def latest(prefix: str, folder: Path | None = None) -> Treatment | None:
    """Return the last treatment of an environment."""
    real = os.path.normcase(os.path.realpath(prefix))
    return next((item for item in reversed(history(folder)) if os.path.normcase(item.prefix) == real), None)


def unfinished(prefix: str, folder: Path | None = None) -> Treatment | None:
    """Return the last treatment of an environment where it was killed, failed, or is `at_work` in another process."""
    last = latest(prefix, folder)
    return last if last is not None and last.unfinished else None


def state_folder() -> Path:
    """Return the folder in which the history lies; it need not exist.

    Raises:
        TreatmentError: this user has no home folder.
    """
    base = platformdirs.user_state_path("xpu-doctor", appauthor=False)
    if os.name == "posix" and not _is_usable(base):
        home = _own_home()
        if not home:
            raise TreatmentError("this user has no home folder: set XDG_STATE_HOME to a folder that can be written")
        base = Path(home, *_STATE_IN_HOME, "xpu-doctor")
    return base / "treatments"


def _is_usable(base: Path) -> bool:
    """Return whether a state folder is a whole path, and no other user's: root leaves nothing of its own in somebody's home folder."""
    if not base.is_absolute() or not Path(os.environ.get("XDG_STATE_HOME") or "/").is_absolute():
        return False
    if os.geteuid() != 0:
        return True
    nearest = next((folder for folder in (base, *base.parents) if os.path.isdir(folder)), base)
    try:
        status = nearest.stat()
    except OSError:
        return True
    return status.st_uid == 0 or bool(status.st_mode & stat.S_IWOTH)


def _own_home() -> str:
    import pwd

    try:
        home = pwd.getpwuid(os.geteuid()).pw_dir
    except KeyError:  # a container's user without a name
        return ""
    return home if os.path.isabs(home) else ""


def _read(folder: Path | None) -> list[Treatment | str]:
    folder = folder or state_folder()
    try:
        names = sorted(name for name in os.listdir(folder) if name.endswith(".json"))
    except OSError as error:
        missing = isinstance(error, (FileNotFoundError, NotADirectoryError))
        return [] if missing else [f"{visible(str(folder), one_line=True)} cannot be read: {reason_of(error)}"]
    return [_treatment(folder / name) for name in names]


def _treatment(path: Path) -> Treatment | str:
    shown = visible(str(path), one_line=True)
    try:
        with open(path, "rb") as file:
            said = json.loads(file.read(MOST))
        if isinstance(said, dict) and isinstance(said.get("schema"), int) and said["schema"] > SCHEMA:
            return f"{shown} was written by a newer xpu-doctor"
        treatment = msgspec.convert(said, Treatment)
    except OSError as error:
        return f"{shown} cannot be read: {reason_of(error)}"
    except (ValueError, RecursionError):
        return f"{shown} is damaged"
    return treatment if f"{treatment.id}.json" == path.name else f"{shown} has the name of another treatment"


def _began(process: int) -> float:
    """Return when a process began, 0 where there is none or the system does not tell."""
    try:
        return float(psutil.Process(process).create_time())
    except (psutil.Error, OSError, ValueError):
        return 0.0
