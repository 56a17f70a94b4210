"""Samples what a running program and all its processes use of GPU, processor and memory, from outside.

Start it right after the command, and call `sample()` after each delay of `sample_delays()`. When the command has ended, call `sample()`
once more before it is reaped (`os.waitid` with `WNOWAIT`): a zombie still tells the CPU time of its whole life. Then `finish()`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from typing import Protocol

from xpu_doctor.host.interface import Host
from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.facts.watched import WatchedGpu, WatchedProcess
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.counters import CounterFacts, Counters, LiveGpu, NoCounters
from xpu_doctor.watching.drm_counters import DrmCounters
from xpu_doctor.watching.drm_own_client import own_client
from xpu_doctor.watching.members import Member, Members
from xpu_doctor.watching.process_tree import ProcessTree

FIRST_DELAY = 0.1
"""Seconds from the start to the first sample; each delay is twice the one before, up to the interval."""
LISTED_PROCESSES = 64


@dataclass(frozen=True)
class LiveFigures:
    """What a line on the terminal says while the program runs; shares and CPUs are those between the last two samples."""

    seconds: float
    """Since the start of the watch."""
    processes: int
    """That run now."""
    cpus: float
    """CPU seconds of all processes for each second."""
    cpu_seconds: float
    """Since the start of the watch."""
    memory_bytes: int
    """The sum of the processes' peaks of resident memory, of those that run now."""
    gpus: Maybe[tuple[LiveGpu, ...]]


@dataclass(frozen=True)
class Outside:
    """What was seen from outside: the fields of `Watched` with the same names."""

    counters: Maybe[str]
    gpus: Maybe[tuple[WatchedGpu, ...]]
    processes: Maybe[tuple[WatchedProcess, ...]]
    further_processes: int
    cpu_seconds: Maybe[float]
    logical_cpus: Maybe[int]
    samples: Maybe[int]


def sample_delays(interval: float) -> Iterator[float]:
    """Yield the seconds to wait before each sample: short ones first, so that a short program is seen, then always the interval."""
    delay = min(FIRST_DELAY, interval)
    while delay < interval:
        yield delay
        delay *= 2
    yield from repeat(interval)


class Tree(Protocol):
    """The processes of the program, read anew at each sample."""

    members: Members
    failure: str
    """Why no process can be seen; empty where they can."""

    def update(self, now: float) -> None:
        """Read all processes; `now` is in seconds after the start of the watch."""
        ...


class Sampler:
    """Follows the processes below one root and adds up what they use."""

    def __init__(
        self,
        root_pid: int,
        *,
        device_type: str,
        proc: str = "/proc",
        started: float,
        attached: bool = False,
        marker: str = "",
        host: Host | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare; nothing is read yet.

        Args:
            root_pid: The program's first process.
            device_type: `xpu` or `cuda`.
            proc: The folder of processes; another one than `/proc` in tests.
            started: When the watch began, on `clock`.
            attached: Whether the program ran already; what it used before is not counted then.
            marker: `NAME=value` of the command's environment; a process that holds it belongs to the program, whoever its parent is.
            host: Where GPUs and the kernel are read; this machine where none is given.
            clock: Seconds that never go back.
        """
        self._started = started
        self._clock = clock
        self._host = host or LiveHost()
        self._tree = _tree(root_pid, proc, attached, marker)
        self._counters = self._counters_of(device_type, proc, attached)
        self._samples = 0
        self._times = (0.0, 0.0)
        self._cpu = (0.0, 0.0)

    def _counters_of(self, device_type: str, proc: str, attached: bool) -> Counters:
        if device_type == "xpu" and self._host.platform == "linux":
            live = isinstance(self._host, LiveHost) and not self._host.root
            return DrmCounters(
                self._host,
                proc=proc,
                attached=attached,
                clock=lambda: self._clock() - self._started,
                own_client=own_client if live else None,
            )
        if device_type == "cuda":
            from xpu_doctor.watching.nvml_counters import nvml_counters

            return nvml_counters(attached=attached, started=self._clock() - self._started)
        if device_type == "xpu" and self._host.platform == "windows":
            from xpu_doctor.watching.windows_counters import windows_counters

            return windows_counters(self._host, attached=attached)
        return NoCounters("no counters are read on this system")

    def sample(self) -> None:
        """Read everything once; never raises because of what processes do meanwhile."""
        now = self._clock() - self._started
        self._tree.update(now)
        self._counters.sample(now, tuple(self._tree.members.alive.values()))
        self._samples += 1
        self._times = (self._times[1], now)
        self._cpu = (self._cpu[1], self._tree.members.cpu_seconds())

    def add_final(self, pid: int, texts: Sequence[str]) -> None:
        """Take the `/proc/self/fdinfo` texts that a process read of itself at its end; what samples saw already is not counted twice."""
        self._counters.add_final(pid, texts, self._clock() - self._started)

    def line(self) -> LiveFigures:
        """Return the figures of now, as of the last sample."""
        before, now = self._times
        alive = self._tree.members.alive.values()
        return LiveFigures(
            seconds=now,
            processes=sum(not member.zombie for member in alive),
            cpus=max(0.0, self._cpu[1] - self._cpu[0]) / (now - before) if now > before else 0.0,
            cpu_seconds=self._cpu[1],
            memory_bytes=sum(member.peak_memory for member in alive if isinstance(member.peak_memory, int)),
            gpus=self._counters.live(),
        )

    def finish(self, *, root_cpu_seconds: float | None = None) -> Outside:
        """Return all that was seen; take the last sample before it.

        Args:
            root_cpu_seconds: User and system time that `os.wait4` returned for the root, where it was reaped before the last sample.
        """
        members = self._tree.members
        if root_cpu_seconds is not None:
            members.root_reaped(root_cpu_seconds)
        counted = self._counters.finish(self._clock() - self._started)
        listed, further = _listed(members, counted)
        nothing = Unknown(self._tree.failure or "the program ended before it was seen")
        return Outside(
            counters=counted.kind,
            gpus=counted.gpus,
            processes=listed or nothing,
            further_processes=further,
            cpu_seconds=round(members.cpu_seconds(), 3) if listed or root_cpu_seconds is not None else nothing,
            logical_cpus=self._host.system("cpu_count"),
            samples=self._samples,
        )


def _tree(root_pid: int, proc: str, attached: bool, marker: str) -> Tree:
    if sys.platform == "linux":
        return ProcessTree(root_pid, proc=proc, attached=attached, marker=marker)
    from xpu_doctor.watching.psutil_tree import PsutilTree

    return PsutilTree(root_pid, attached=attached)


def _listed(members: Members, counted: CounterFacts) -> tuple[tuple[WatchedProcess, ...], int]:
    """Return the processes with the most CPU and GPU time, in the order of their start, and how many more there were."""

    def weight(member: Member) -> float:
        times = {} if isinstance(counted.times, Unknown) else counted.times
        return member.used_cpu + sum(time.busy_seconds for time in times.get(member.identity, ()))

    every = sorted(members, key=weight, reverse=True)
    kept = sorted(every[:LISTED_PROCESSES], key=lambda member: (member.began, member.pid))
    return tuple(_facts(member, counted) for member in kept), len(every) - len(kept) + members.forgotten


def _facts(member: Member, counted: CounterFacts) -> WatchedProcess:
    facts = member.watched()
    if isinstance(counted.times, Unknown):
        return replace(facts, gpus=counted.times)
    return replace(facts, gpus=counted.untold.get(member.identity, counted.times.get(member.identity, ())))
