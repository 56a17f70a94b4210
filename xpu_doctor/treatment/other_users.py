"""Which other processes use the torch of an environment: what they have mapped or opened, and which interpreter they run."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import psutil

from xpu_doctor.treatment.place import Place

LINUX = sys.platform.startswith("linux")
PACKAGES = ("torch", "torchvision", "torchaudio", "triton")
MAPPED = re.compile(rb"^\S+ \S+ \S+ \S+ (\d+) +(/.*?)(?: \(deleted\))?$", re.MULTILINE)
"""A line of /proc/PID/maps that names a file: its inode and its path."""


@dataclass(frozen=True)
class OtherUser:
    """A process that uses the environment."""

    pid: int
    name: str
    how: str
    """What proves it: the file that it holds, or the interpreter that it runs."""

    def __str__(self) -> str:
        return f"process {self.pid} ({self.name}) {self.how}"


@dataclass(frozen=True)
class OtherUsers:
    """All that were found, and what could not be looked at."""

    found: tuple[OtherUser, ...] = ()
    """They hold a file of torch or of its partners."""
    idle: tuple[OtherUser, ...] = ()
    """They run the environment's interpreter and hold nothing of torch so far, such as the language server of an editor."""
    unseen: str = ""


def other_users(place: Place) -> OtherUsers:
    """Return the processes that use an environment's torch or run its interpreter; the doctor's own parents and children do not count."""
    found: list[OtherUser] = []
    idle: list[OtherUser] = []
    closed = 0
    family = _family()
    folders = tuple(os.path.realpath(site / name) for site in place.sites for name in PACKAGES)
    for process in psutil.process_iter():
        if process.pid in family:
            continue
        try:
            held = next(_held(process, folders), "")
        except psutil.NoSuchProcess:  # it has ended meanwhile, or is a zombie
            continue
        except (psutil.AccessDenied, OSError):
            closed += 1
            continue
        if held:
            found.append(OtherUser(process.pid, _name(process), f"holds {held}"))
        elif runs := _runs(process, place):
            idle.append(OtherUser(process.pid, _name(process), f"runs {runs}"))
    unseen = f"what {closed} {'process' if closed == 1 else 'processes'} of other users have loaded" if closed else ""
    return OtherUsers(tuple(found), tuple(idle), unseen)


def _family() -> set[int]:
    """Return this process with its parents and all that it started."""
    own = psutil.Process()
    members = {own.pid}
    for relatives in (own.parents, lambda: own.children(recursive=True)):
        try:
            members.update(process.pid for process in relatives())
        except psutil.Error:
            continue
    return members


def _name(process: psutil.Process) -> str:
    try:
        return process.name()
    except (psutil.Error, OSError):
        return "of unknown name"


def _runs(process: psutil.Process, place: Place) -> str:
    """Return the environment's interpreter where the process was started by it, or empty.

    A virtual environment's interpreter is mostly a link to one that others share, so that what counts is the name by which it was called.
    """
    try:
        command = process.cmdline()
    except (psutil.Error, OSError):
        return ""
    called = command[0] if command else ""
    if not os.path.isabs(called) or not _is_python(called):
        return ""
    folder = os.path.realpath(os.path.dirname(called))
    inside = os.path.normcase(folder) in {os.path.normcase(path) for path in (str(place.scripts), str(place.prefix))}
    return called if inside and _same_root(process.pid) else ""


def _is_python(path: str) -> bool:
    return re.match(r"(python|pypy)[\d.]*t?w?(\.exe)?$", os.path.basename(path).lower()) is not None


def _held(process: psutil.Process, folders: tuple[str, ...]) -> Iterator[str]:
    """Yield the files of some folders that a process has mapped or, on Linux, opened.

    On Windows libraries are what keeps a file in use; to list open files psutil would go through every handle of the system for each process.
    """
    if LINUX:
        yield from _held_on_linux(process.pid, folders)
        return
    for mapping in process.memory_maps():
        if _within(mapping.path, folders):
            yield mapping.path


def _held_on_linux(pid: int, folders: tuple[str, ...]) -> Iterator[str]:
    """Read what psutil would read much more slowly: it adds up the pages of every mapping."""
    try:
        with open(f"/proc/{pid}/maps", "rb") as stream:
            text = stream.read()
    except (FileNotFoundError, ProcessLookupError):
        raise psutil.NoSuchProcess(pid) from None
    same = _same_root(pid)
    if any(os.fsencode(folder) in text for folder in folders):
        for inode, path in MAPPED.findall(text):
            file = os.fsdecode(path)
            if _within(file, folders) and (same or _is_file(file, int(inode))):
                yield file
    base = f"/proc/{pid}/fd"
    for number in os.listdir(base) if same else ():
        try:
            file = os.readlink(f"{base}/{number}")
        except OSError:
            continue
        if _within(file, folders):
            yield file


def _same_root(pid: int) -> bool:
    """Return whether a path means the same to a process: one in a container has files of its own under the same names."""
    if not LINUX:
        return True
    try:
        return os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt") and os.path.samefile(
            f"/proc/{pid}/root", "/"
        )
    except OSError:
        return False


def _is_file(path: str, inode: int) -> bool:
    try:
        return os.stat(path).st_ino == inode
    except OSError:
        return False


def _within(path: str, folders: tuple[str, ...]) -> bool:
    real = os.path.normcase(path)
    return any(real.startswith(os.path.normcase(folder) + os.sep) for folder in folders)
