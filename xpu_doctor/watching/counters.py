"""What the sampler asks of any source of GPU counters, and the source for a machine that has none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from xpu_doctor.model.facts.watched import GpuTime, WatchedGpu
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.members import Identity, Member


@dataclass(frozen=True)
class CounterFacts:
    """What a source of counters knows at the end."""

    kind: Maybe[str]
    """As `Watched.counters`."""
    gpus: Maybe[tuple[WatchedGpu, ...]]
    times: Maybe[dict[Identity, tuple[GpuTime, ...]]]
    """GPU time of the processes that had any; of all others it was 0."""
    untold: dict[Identity, Unknown] = field(default_factory=dict)
    """Processes of which the counters could not be read, and why."""


@dataclass(frozen=True)
class LiveGpu:
    """How busy the watched program kept one GPU between the last two samples."""

    address: str
    share: float
    """0 to 1."""


class Counters(Protocol):
    """A source of GPU time by process."""

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read the counters of these processes; `now` is in seconds after the start of the watch."""
        ...

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take what a process that has ended wrote down of its own counters."""
        ...

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return how busy each GPU was between the last two samples."""
        ...

    def finish(self, seconds: float) -> CounterFacts:
        """Return what was counted in a watch of so many seconds."""
        ...


class NoCounters:
    """Stands for counters where nothing tells the GPU time of a process."""

    def __init__(self, reason: str) -> None:
        self._unknown = Unknown(reason)

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read nothing."""

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take nothing."""

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return why nothing is known."""
        return self._unknown

    def finish(self, seconds: float) -> CounterFacts:
        """Return why nothing is known."""
        return CounterFacts(self._unknown, self._unknown, self._unknown)
