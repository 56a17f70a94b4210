"""Adds up what counters say: busy time by GPU, engine and process, and memory; pure of where the counters come from.

A GPU is busy when at least one of its engines is. Drivers tell only the time of each class of engines, summed over the engines of the class
and over clients, so that the busy time of an interval lies between the longest of them and their sum; the sum is taken, at most the interval:
it never makes a busy GPU look idle.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from xpu_doctor.model.facts.watched import EngineUse, MemoryUse
from xpu_doctor.watching.members import Identity


class Work(NamedTuple):
    """What an engine class of a GPU did for one process since it was looked at before."""

    owner: Identity | None
    """The process; None where only the GPU is known."""
    engine: str
    seconds: float
    """Summed over the engines of the class."""
    capacity: int
    """Engines of the class."""
    since: float
    """When it was looked at before: the work was done between then and now."""


class GpuAccount:
    """What one GPU did for the watched program; times in seconds after the start of the watch."""

    def __init__(self) -> None:
        self.busy = 0.0
        self.engines: dict[str, float] = {}
        self.processes: dict[Identity, float] = {}
        self.memory: dict[str, MemoryAccount] = {}
        self.share = 0.0
        """Busy share of the last interval, 0 to 1."""
        self._last = 0.0

    def add(self, now: float, work: Iterable[Work]) -> None:
        """Take the work that was found at one time; nothing can work longer than the time in which it was done."""
        busy: dict[None, _Sum] = {}
        engines: dict[str, _Sum] = {}
        processes: dict[Identity, _Sum] = {}
        for done in work:
            seconds = max(0.0, done.seconds)
            window = max(0.0, now - done.since)
            busy.setdefault(None, _Sum()).add(seconds, window)
            engines.setdefault(done.engine, _Sum()).add(seconds / max(1, done.capacity), window)
            if done.owner is not None:
                processes.setdefault(done.owner, _Sum()).add(seconds, window)
        found = busy[None].bounded() if busy else 0.0
        # What was found late was done in earlier intervals, too: no sum may exceed the watched time.
        before, self.busy = self.busy, min(self.busy + found, max(self.busy, now))
        for name, total in engines.items():
            self.engines[name] = min(self.engines.get(name, 0.0) + total.bounded(), now)
        for owner, total in processes.items():
            self.processes[owner] = min(self.processes.get(owner, 0.0) + total.bounded(), now)
        if now > self._last:
            self.share = min(1.0, (self.busy - before) / (now - self._last))
            self._last = now

    def hold(self, memory: Mapping[str, int]) -> None:
        """Take the memory that all processes held at one time, by region; nothing where none held any."""
        for region, held in memory.items():
            self.memory.setdefault(region, MemoryAccount()).add(held)

    def engine_uses(self) -> tuple[EngineUse, ...]:
        """Return the engines that worked, the busiest first."""
        worked = sorted(self.engines.items(), key=lambda engine: (-engine[1], engine[0]))
        return tuple(EngineUse(name, round(seconds, 3)) for name, seconds in worked if seconds > 0)

    def memory_uses(self) -> tuple[MemoryUse, ...]:
        """Return the regions that held anything."""
        held = sorted(self.memory.items())
        return tuple(MemoryUse(region, account.peak, account.growth) for region, account in held if account.peak)


class MemoryAccount:
    """Memory of one region, sample by sample."""

    def __init__(self) -> None:
        self.peak = 0
        self._first = 0
        self._last = 0

    def add(self, held: int) -> None:
        """Take the bytes that were held at one time."""
        self.peak = max(self.peak, held)
        self._first = self._first or held
        self._last = held or self._last

    @property
    def growth(self) -> int:
        """Bytes on top of the first sample that had any, in the last one that had any."""
        return max(0, self._last - self._first)


class _Sum:
    """Seconds that were summed, and the longest window in which they were done."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._window = 0.0

    def add(self, seconds: float, window: float) -> None:
        self._seconds += seconds
        self._window = max(self._window, window)

    def bounded(self) -> float:
        return min(self._seconds, self._window)


class Rise:
    """A counter that may stand still or fall behind for a while, but never counts work twice."""

    def __init__(self, base: float) -> None:
        self.highest = base

    def to(self, value: float) -> float:
        """Return by how much the counter rose above all values before."""
        rise = max(0.0, value - self.highest)
        self.highest = max(self.highest, value)
        return rise


class Clock:
    """The rate of a GPU's own clock, from readings of it and of ours.

    The highest rate counts: a GPU that sleeps may stop its clock, and none runs ahead of itself.
    """

    LEAST = 0.25
    """Seconds between two readings from which on their rate is exact enough."""

    def __init__(self) -> None:
        self._first: tuple[int, float] | None = None
        self._rate = 0.0
        self._early = 0.0

    def read(self, cycles: int, now: float) -> None:
        """Take a reading; a clock that went back begins anew."""
        if self._first is None or cycles < self._first[0]:
            self._first = (cycles, now)
            return
        ticks, seconds = cycles - self._first[0], now - self._first[1]
        if ticks <= 0 or seconds <= 0:
            return
        if seconds < self.LEAST:
            self._early = max(self._early, ticks / seconds)
        else:
            self._rate = max(self._rate, ticks / seconds)
            self._first = (cycles, now)

    @property
    def rate(self) -> float:
        """Cycles for each second; 0 while it is not known."""
        return self._rate or self._early
