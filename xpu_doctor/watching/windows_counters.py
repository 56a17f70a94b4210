"""GPU time of a program's processes on Windows: the running time of every engine of every Intel adapter, by process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts.watched import GpuTime, WatchedGpu
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown
from xpu_doctor.watching.accounting import GpuAccount, Rise, Work
from xpu_doctor.watching.counters import CounterFacts, Counters, LiveGpu, NoCounters
from xpu_doctor.watching.members import Identity, Member
from xpu_doctor.watching.windows_instances import GpuInstance, luid, parse_instance
from xpu_doctor.watching.windows_pdh import GpuCounters, open_query

KIND = "windows"
UNIT = 1e-7
"""Seconds of one count of the running time."""
ADAPTERS = r"HKLM\SOFTWARE\Microsoft\DirectX"
"""One subkey for each adapter that DirectX knows, with its LUID since the last start."""
INTEL = 0x8086


def windows_counters(host: Host, *, attached: bool) -> Counters:
    """Return the counters of this Windows, or why there are none."""
    query = open_query()
    return (
        NoCounters(query.reason) if isinstance(query, Unknown) else WindowsCounters(host, query.read, attached=attached)
    )


class WindowsCounters:
    """Adds up `GPU Engine` and `GPU Process Memory` of the program's processes."""

    def __init__(self, host: Host, read: Callable[[], Maybe[GpuCounters]], *, attached: bool) -> None:
        self._host = host
        self._read = read
        self._attached = attached
        self._rises: dict[tuple[Identity, GpuInstance], Rise] = {}
        self._accounts: dict[str, GpuAccount] = {}
        self._engines: dict[tuple[str, str], set[int]] = {}
        """Numbers of the engines of one type, by adapter and type."""
        self._unknown: Unknown | None = None
        self._samples = 0
        self._last = 0.0

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read the counters once, for all processes."""
        read = self._read()
        if isinstance(read, Unknown):
            self._unknown = self._unknown or read
            return
        by_pid = {member.pid: member for member in members}
        work: dict[str, list[Work]] = {adapter: [] for adapter in self._accounts}
        for name, value in read.running.items():
            instance = parse_instance(name)
            if instance is not None and instance.engine >= 0:
                self._engines.setdefault((instance.adapter, instance.kind), set()).add(instance.engine)
                member = by_pid.get(instance.pid)
                if member is not None:
                    work.setdefault(instance.adapter, []).append(self._work(member, instance, value))
        memory: dict[str, dict[str, int]] = {}
        for region, values in (("dedicated", read.dedicated), ("shared", read.shared)):
            for name, value in values.items():
                instance = parse_instance(name)
                if instance is not None and instance.pid in by_pid:
                    held = memory.setdefault(instance.adapter, {})
                    held[region] = held.get(region, 0) + max(0, value)
        for adapter in work.keys() | memory.keys():
            account = self._accounts.setdefault(adapter, GpuAccount())
            account.add(now, work.get(adapter, ()))
            account.hold(memory.get(adapter, {}))
        self._samples += 1
        self._last = now

    def _work(self, member: Member, instance: GpuInstance, value: int) -> Work:
        key = (member.identity, instance)
        since = self._last
        if key not in self._rises:
            self._rises[key] = Rise(value if self._attached and not self._samples else 0)
            since = max(member.began, since)
        capacity = len(self._engines[instance.adapter, instance.kind])
        seconds = self._rises[key].to(value) * UNIT
        return Work(member.identity, instance.kind or "other", seconds, capacity, since)

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take nothing: Windows has no such texts."""

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return how busy each adapter was."""
        return self._unknown or tuple(
            LiveGpu(adapter, account.share) for adapter, account in sorted(self._accounts.items()) if account.busy
        )

    def finish(self, seconds: float) -> CounterFacts:
        """Return what was counted on Intel's adapters."""
        if not self._samples:
            reason = self._unknown or Unknown("the program ended before it was seen")
            return CounterFacts(reason, reason, reason)
        gpus = tuple(self._counted(gpu) for gpu in self._gpus())
        if not gpus:
            none = Unknown("there is no Intel GPU whose counters can be read")
            return CounterFacts(none, (), none)
        times: dict[Identity, tuple[GpuTime, ...]] = {}
        for gpu in gpus:
            for owner, busy in self._accounts.get(gpu.address, GpuAccount()).processes.items():
                if busy > 0:
                    times[owner] = (*times.get(owner, ()), GpuTime(gpu.address, round(busy, 3)))
        return CounterFacts(KIND, gpus, times)

    def _gpus(self) -> Sequence[WatchedGpu]:
        listed = self._host.registry(ADAPTERS)
        if isinstance(listed, Unknown):
            return [
                WatchedGpu(adapter, KIND, name=listed, device_id=listed, integrated=listed, memory_bytes=listed)
                for adapter in sorted(self._accounts)
            ]
        known = (adapter_facts(values) for values in listed.values() if isinstance(values, dict))
        return [gpu for gpu in known if gpu is not None]

    def _counted(self, gpu: WatchedGpu) -> WatchedGpu:
        account = self._accounts.get(gpu.address, GpuAccount())
        return replace(
            gpu,
            busy_seconds=round(account.busy, 3),
            engines=account.engine_uses(),
            memory=account.memory_uses(),
        )


def adapter_facts(values: dict[str, Any]) -> WatchedGpu | None:
    """Return an Intel adapter from its subkey, or None where it is another's or tells no LUID."""
    from xpu_doctor.tables.devices import find_device

    number, device_id = values.get("AdapterLuid"), values.get("DeviceId")
    if values.get("VendorId") != INTEL or not isinstance(number, int) or not number:
        return None
    device = find_device(device_id) if isinstance(device_id, int) else None
    unlisted = Unknown("its id is not in this table")
    integrated: Maybe[bool] = not device.family.discrete if device is not None else unlisted
    memory = values.get("DedicatedVideoMemory")
    return WatchedGpu(
        address=luid(number),
        driver=KIND,
        name=str(values.get("Description") or "") or (device.name if device is not None else unlisted),
        device_id=device_id if isinstance(device_id, int) else NOT_EXAMINED,
        integrated=integrated,
        memory_bytes=0 if integrated is True else (memory if isinstance(memory, int) else NOT_EXAMINED),
    )
