"""The processes of a watched program, and what each of them used of the processor; pure of where the figures come from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from xpu_doctor.model.facts.watched import WatchedProcess
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe

KEPT_ENDED = 2000
"""Ended processes that are remembered one by one; of more, only their sums are."""


class Identity(NamedTuple):
    """What tells a process from all others, those that get the same number later included."""

    pid: int
    started: int
    """Clock ticks, or whatever else the system counts starts in."""


@dataclass
class Member:
    """One process of the watched program; times in seconds."""

    identity: Identity
    parent: int
    name: str
    first_seen: float
    """Seconds after the start of the watch."""
    began: float
    """Its own start, at least 0: seconds after the start of the watch."""
    last_seen: float = 0.0
    base_cpu: float = 0.0
    """CPU time that it had used when the watch began."""
    cpu: float = 0.0
    base_children: float = 0.0
    children_cpu: float = 0.0
    """CPU time of its children that ended, as the system counts it."""
    seen_children: float = 0.0
    """The part of `children_cpu` that belongs to processes which were seen themselves."""
    unseen: float = 0.0
    """CPU time of children that were never seen, or that seen ones used after they were seen last."""
    base_main: float = 0.0
    main: Maybe[float] = NOT_EXAMINED
    base_io_wait: float = 0.0
    io_wait: Maybe[float] = NOT_EXAMINED
    peak_memory: Maybe[int] = NOT_EXAMINED
    rank: Maybe[int] = NOT_EXAMINED
    zombie: bool = False
    """Whether it runs no more and only waits to be reaped."""
    image: bytes = field(default=b"", repr=False)
    identified: bool = False
    """Whether name and rank were read since it became another program."""

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self.identity.pid

    @property
    def used_cpu(self) -> float:
        """CPU time of all its threads while it was watched."""
        return max(0.0, self.cpu - self.base_cpu)

    def settle(self) -> None:
        """Give the CPU time of ended children that seen ones do not explain to unseen ones, once all that ended are known."""
        self.unseen = max(self.unseen, self.children_cpu - self.base_children - self.seen_children)

    def watched(self) -> WatchedProcess:
        """Return the facts of this process, its GPU time apart."""
        main, io_wait = self.main, self.io_wait
        return WatchedProcess(
            pid=self.pid,
            parent=self.parent,
            name=self.name,
            first_seen=round(self.first_seen, 3),
            seconds=round(max(0.0, self.last_seen - self.began), 3),
            cpu_seconds=round(self.used_cpu, 3),
            main_thread_seconds=round(max(0.0, main - self.base_main), 3) if isinstance(main, float) else main,
            io_wait_seconds=round(max(0.0, io_wait - self.base_io_wait), 3) if isinstance(io_wait, float) else io_wait,
            peak_memory_bytes=self.peak_memory,
            rank=self.rank,
        )


class Members:
    """All processes that belong, or belonged, to the watched program."""

    def __init__(self) -> None:
        self.alive: dict[int, Member] = {}
        """By pid."""
        self.ended: dict[Identity, Member] = {}
        self.numbers: set[int] = set()
        """Every pid that ever belonged to the program: names of its process groups and sessions."""
        self.forgotten = 0
        """How many ended ones are remembered as sums only."""
        self._forgotten_cpu = 0.0
        self._root: Member | None = None
        self._root_rest = 0.0

    def __iter__(self) -> Iterator[Member]:
        yield from self.alive.values()
        yield from self.ended.values()

    def add(self, member: Member) -> None:
        """Take a process in; the first one is the program's root."""
        if self._root is None:
            self._root = member
        self.alive[member.pid] = member
        self.numbers.add(member.pid)

    def end(self, member: Member) -> None:
        """Move a process that is gone to those that ended, with its last figures."""
        if self.alive.get(member.pid) is member:
            del self.alive[member.pid]
        self.ended[member.identity] = member
        parent = self.alive.get(member.parent)
        if parent is not None:
            # Its parent's count holds all that it used in its life, also before the watch.
            parent.seen_children += member.cpu + member.children_cpu
        if len(self.ended) > 2 * KEPT_ENDED:
            self._forget()

    def root_reaped(self, cpu_seconds: float) -> None:
        """Take the CPU time that waiting for the root returned: its own, and that of all children it waited for."""
        seen = 0.0 if self._root is None else self._root.cpu + self._root.children_cpu
        self._root_rest = max(0.0, cpu_seconds - seen)

    def cpu_seconds(self) -> float:
        """Return the CPU time of all processes while they were watched, never-seen children included."""
        return self._forgotten_cpu + self._root_rest + sum(member.used_cpu + member.unseen for member in self)

    def _forget(self) -> None:
        by_cpu = sorted(self.ended.values(), key=lambda member: member.used_cpu)
        for member in by_cpu[:-KEPT_ENDED]:
            if member is not self._root:
                del self.ended[member.identity]
                self._forgotten_cpu += member.used_cpu + member.unseen
                self.forgotten += 1
