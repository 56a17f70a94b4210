"""Which processes belong to a watched program, and what they use, on systems without Linux' `/proc`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import psutil

from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.members import Identity, Member, Members
from xpu_doctor.watching.process_tree import rank_of

T = TypeVar("T")
NOT_TOLD = Unknown("this system does not tell it")


class PsutilTree:
    """The processes below `root_pid`; children of a process that ended before it was seen are not found."""

    def __init__(self, root_pid: int, *, attached: bool = False) -> None:
        self.members = Members()
        self.failure = ""
        self._attached = attached
        self._processes: dict[Identity, psutil.Process] = {}
        self._root_pid = root_pid
        self._first: float | None = None

    def update(self, now: float) -> None:
        """Read all processes of the program anew; `now` is in seconds after the start of the watch."""
        found: dict[Identity, psutil.Process] = {}
        for start in self._starts():
            try:
                for process in (start, *start.children(recursive=True)):
                    found.setdefault(_identity(process), process)
            except (psutil.Error, OSError):
                continue
        for identity, process in found.items():
            if identity not in self._processes:
                self._processes[identity] = process
                self._add(identity, process, now)
        for member in tuple(self.members.alive.values()):
            try:
                self._take(member, self._processes[member.identity], now)
            except (psutil.NoSuchProcess, OSError):
                self.members.end(member)
                self._processes.pop(member.identity, None)
            except psutil.Error:
                member.last_seen = now

    def _starts(self) -> list[psutil.Process]:
        """Return the processes below which all others are: the root, and those whose parent has ended."""
        if not self.members.numbers:
            try:
                return [psutil.Process(self._root_pid)]
            except (psutil.Error, OSError):
                return []
        alive = self.members.alive
        return [self._processes[member.identity] for member in alive.values() if member.parent not in alive]

    def _add(self, identity: Identity, process: psutil.Process, now: float) -> None:
        parent, name = _asked(process.ppid, 0), _asked(process.name, "")
        created = _asked(process.create_time, 0.0)
        if self._first is None:
            self._first = time.time() - now
        member = Member(identity, parent, name, now, min(now, max(0.0, created - self._first)))
        member.rank = _rank(process)
        member.main = NOT_TOLD
        member.io_wait = NOT_TOLD
        member.identified = True
        self.members.add(member)
        if self._attached and created < self._first:
            member.base_cpu = _asked(lambda: _cpu(process), 0.0)

    def _take(self, member: Member, process: psutil.Process, now: float) -> None:
        if not process.is_running():
            raise psutil.NoSuchProcess(member.pid)
        member.cpu = max(member.cpu, _cpu(process))
        memory: Any = process.memory_info()
        peak = int(getattr(memory, "peak_wset", memory.rss))
        member.peak_memory = max(peak, member.peak_memory if isinstance(member.peak_memory, int) else 0)
        member.last_seen = now
        member.zombie = process.status() == psutil.STATUS_ZOMBIE


def _asked(question: Callable[[], T], otherwise: T) -> T:
    try:
        return question()
    except (psutil.Error, OSError):
        return otherwise


def _identity(process: psutil.Process) -> Identity:
    return Identity(process.pid, int(process.create_time() * 100))


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _rank(process: psutil.Process) -> Maybe[int]:
    try:
        environment = process.environ()
    except (psutil.Error, OSError) as error:
        return Unknown(f"the environment of process {process.pid} cannot be read: {type(error).__name__}")
    return rank_of(b"\0".join(f"{name}={value}".encode("utf-8", "replace") for name, value in environment.items()))
