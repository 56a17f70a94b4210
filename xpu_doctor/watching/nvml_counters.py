"""GPU time of a program's processes on NVIDIA GPUs, from the driver's samples of how busy the whole GPU was.

Those samples are the program's own where no other program uses the GPU; else the driver's shares by process count. NVIDIA's driver names
processes by their numbers on the host: in a container, processes that came after the watch began are taken for the program's, and the
counters are called `nvml-device` then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace

from xpu_doctor.model.facts.watched import GpuTime, WatchedGpu
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.accounting import GpuAccount, Work
from xpu_doctor.watching.counters import CounterFacts, Counters, LiveGpu, NoCounters
from xpu_doctor.watching.members import Identity, Member
from xpu_doctor.watching.nvml_readings import NvmlGpu, NvmlReading

KIND, DEVICE_KIND = "nvml", "nvml-device"
FIRST_NAMESPACE = "pid:[4026531836]"
"""What `/proc/self/ns/pid` is outside of all containers: PROC_PID_INIT_INO of the kernel."""
IDLE = 0.05
"""Busy share below which a GPU counts as unused when the watch begins."""
ENGINE = "sm"
MEMORY = "vram"


def nvml_counters(*, attached: bool, started: float) -> Counters:
    """Return the counters of NVIDIA's GPUs, or why there are none.

    Args:
        attached: Whether the program ran already when the watch began.
        started: Seconds that the watch goes on already.
    """
    try:
        import pynvml
    except ImportError:
        return NoCounters("nvidia-ml-py is not installed beside xpu-doctor: it comes with xpu-doctor[watch]")
    try:
        pynvml.nvmlInit()
        gpus = [NvmlGpu(pynvml, index) for index in range(pynvml.nvmlDeviceGetCount())]
    except Exception as error:  # the library has an exception of its own for each of its errors
        return NoCounters(f"NVIDIA's driver does not answer: {error}")
    if not gpus:
        return NoCounters("NVIDIA's driver shows no GPU")
    return NvmlCounters(gpus, attached=attached, outermost=_outermost(), now=started)


class NvmlCounters:
    """Reads all NVIDIA GPUs."""

    def __init__(self, gpus: Sequence[NvmlGpu], *, attached: bool, outermost: bool, now: float) -> None:
        """Take the first reading of each GPU: what uses it already is not the program."""
        self._gpus = [_Gpu(gpu, attached, outermost, now) for gpu in gpus]
        self._identities: dict[int, Identity] = {}
        self._seen = False

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read all GPUs; work since the sample before is given to the processes that used them then or use them now."""
        for member in members:
            self._identities[member.pid] = member.identity
            self._seen = True
        for gpu in self._gpus:
            gpu.sample(now, self._identities)

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take nothing: NVIDIA's driver has no such texts."""

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return how busy each GPU was for the program."""
        return tuple(LiveGpu(gpu.address, gpu.account.share) for gpu in self._gpus if gpu.account.busy)

    def finish(self, seconds: float) -> CounterFacts:
        """Return what was counted, the driver's last samples included."""
        for gpu in self._gpus:
            gpu.sample(seconds, self._identities)
        if not self._seen:
            gone = Unknown("the program ended before it was seen")
            return CounterFacts(gone, gone, gone)
        facts = tuple(gpu.facts() for gpu in self._gpus)
        reasons = [gpu.unknown for gpu in self._gpus if gpu.unknown is not None]
        if len(reasons) == len(self._gpus):
            return CounterFacts(reasons[0], facts, reasons[0])
        by_device = [gpu for gpu in self._gpus if gpu.presumed]
        if by_device:
            unnamed = Unknown("in this container NVIDIA's driver names processes by numbers that are not theirs")
            return CounterFacts(DEVICE_KIND, facts, unnamed)
        return CounterFacts(KIND, facts, reasons[0] if reasons else self._times())

    def _times(self) -> dict[Identity, tuple[GpuTime, ...]]:
        times: dict[Identity, tuple[GpuTime, ...]] = {}
        for gpu in self._gpus:
            for owner, busy in gpu.account.processes.items():
                if busy > 0:
                    times[owner] = (*times.get(owner, ()), GpuTime(gpu.address, round(busy, 3)))
        return times


class _Gpu:
    """One GPU from sample to sample."""

    def __init__(self, gpu: NvmlGpu, attached: bool, outermost: bool, now: float) -> None:
        self._gpu = gpu
        self._attached = attached
        self._outermost = outermost
        first = gpu.read(by_process=False)
        self._before = set(first.processes)
        self._idle_before = isinstance(first.share, float) and first.share < IDLE
        self._memory_before = first.memory if isinstance(first.memory, int) else 0
        self._read_until = first.busy[-1][0] if first.busy else 0.0
        self._last = now
        self._own: set[int] = set()
        self._others: set[int] = set()
        self.account = GpuAccount()
        self.unknown: Unknown | None = None
        self.presumed = False
        """Whether processes were taken for the program's that the driver names by other numbers."""

    @property
    def address(self) -> str:
        return self._gpu.address

    def sample(self, now: float, identities: dict[int, Identity]) -> None:
        reading = self._gpu.read(by_process=bool(self._others) or len(self._own) > 1)
        own, others = self._sorted(reading, set(identities))
        window = max(0.0, now - self._last)
        seconds = min(window, self._busy_seconds(reading, window))
        self._own, was_own = own, self._own
        self._others, was_others = others, self._others
        if own or was_own or (seconds > 0 and self._hidden(reading)):
            self._add(now, seconds, window, reading, own | was_own, bool(others or was_others), identities)
        else:
            self.account.add(now, ())
        self._last = now

    def _add(
        self,
        now: float,
        seconds: float,
        window: float,
        reading: NvmlReading,
        own: set[int],
        shared: bool,
        identities: dict[int, Identity],
    ) -> None:
        self.account.hold({MEMORY: self._held(reading, own)})
        shares = reading.process_shares
        if isinstance(shares, Unknown):
            if shared:
                self.unknown = self.unknown or Unknown(
                    f"other programs use the GPU too, and NVIDIA's driver tells no shares ({shares.reason})"
                )
            shares = {}
        owned = {pid: share for pid, share in shares.items() if pid in own}
        if shared:
            seconds = min(window, sum(owned.values()) * window)
        sole = next(iter(own)) if len(own) == 1 else None
        total = sum(owned.values())
        parts = {sole: 1.0} if sole is not None or not total else {pid: share / total for pid, share in owned.items()}
        self.account.add(
            now,
            [
                Work(identities.get(pid) if pid is not None else None, ENGINE, seconds * part, 1, self._last)
                for pid, part in parts.items()
            ],
        )

    def _sorted(self, reading: NvmlReading, tree: set[int]) -> tuple[set[int], set[int]]:
        """Return the pids that are the program's, and those that are not."""
        present = set(reading.processes)
        mapped = (present & tree) - (set() if self._attached or self._outermost else self._before)
        unmapped = present - mapped
        if self._outermost:
            return mapped, unmapped
        if self._attached and self._before - tree:
            self.unknown = self.unknown or Unknown(
                "NVIDIA's driver names processes by their numbers on the host, and the program ran already: its own are not to be told apart"
            )
        new = unmapped - self._before
        self.presumed = self.presumed or bool(new)
        return mapped | new, unmapped & self._before

    def _hidden(self, reading: NvmlReading) -> bool:
        """Return whether work of processes that the driver does not show must be the program's."""
        if self._outermost or self._attached or not self._idle_before or reading.processes or self._before:
            return False
        self.presumed = True
        return True

    def _busy_seconds(self, reading: NvmlReading, window: float) -> float:
        if reading.busy and self._read_until:
            total, before = 0.0, self._read_until
            for time, share in reading.busy:
                total += max(0.0, time - before) * share
                before = time
            self._read_until = before
            return total
        if reading.busy:
            self._read_until = reading.busy[-1][0]
        if isinstance(reading.share, Unknown):
            self.unknown = self.unknown or reading.share
            return 0.0
        return reading.share * window

    def _held(self, reading: NvmlReading, own: set[int]) -> int:
        held = sum(reading.processes.get(pid, 0) for pid in own)
        if not held and not self._others and isinstance(reading.memory, int):
            return max(0, reading.memory - self._memory_before)
        return held

    def facts(self) -> WatchedGpu:
        gpu = WatchedGpu(
            address=self.address,
            driver=DEVICE_KIND if self.presumed else "nvidia",
            name=self._gpu.name,
            device_id=self._gpu.device_id,
            integrated=False,
            memory_bytes=self._gpu.memory_bytes,
        )
        busy: Maybe[float] = self.unknown or round(self.account.busy, 3)
        return replace(gpu, busy_seconds=busy, engines=self.account.engine_uses(), memory=self.account.memory_uses())


def _outermost() -> bool:
    """Return whether this process is in no container, so that its numbers of processes are the host's."""
    try:
        return os.readlink("/proc/self/ns/pid") == FIRST_NAMESPACE
    except OSError:
        return os.name == "nt"
