"""GPU time of a program's processes from the usage statistics of Linux' GPU drivers, i915 and xe."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts.watched import GpuTime, WatchedGpu
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.accounting import Clock, GpuAccount, Rise, Work
from xpu_doctor.watching.counters import CounterFacts, LiveGpu
from xpu_doctor.watching.drm_fdinfo import DRIVERS, DrmClient, parse_fdinfo
from xpu_doctor.watching.drm_files import PARAVIRTUAL, ROUNDS, ClientKey, Files, read_clients
from xpu_doctor.watching.members import Identity, Member

if TYPE_CHECKING:
    from xpu_doctor.watching.drm_gpus import DrmGpu

KIND = "drm-fdinfo"


class _Client:
    """A client of a driver, from sample to sample."""

    def __init__(self, owner: Identity | None, since: float) -> None:
        self.owner = owner
        self.since = since
        self.rises: dict[str, Rise] = {}


class DrmCounters:
    """Reads `/proc/PID/fdinfo` of the program's processes; a client that files or processes share is counted once."""

    def __init__(
        self,
        host: Host,
        *,
        proc: str = "/proc",
        attached: bool = False,
        clock: Callable[[], float],
        own_client: Callable[[str], Sequence[tuple[float, str]]] | None = None,
    ) -> None:
        """Prepare.

        Args:
            host: Where GPUs and the kernel are read, at the end.
            proc: The folder of processes.
            attached: Whether clients that are there at the first sample worked before the watch.
            clock: Seconds after the start of the watch.
            own_client: Opens a device file and returns what its driver prints, with times in seconds.
        """
        self._host = host
        self._proc = proc.rstrip("/")
        self._attached = attached
        self._clock = clock
        self._own_client = own_client
        self._turn = 0
        self._times: deque[float] = deque([0.0], maxlen=ROUNDS + 1)
        self._files: dict[Identity, Files] = {}
        self._names: dict[Identity, str] = {}
        self._pids: dict[int, Identity] = {}
        self._clients: dict[ClientKey, _Client] = {}
        self._accounts: dict[str, GpuAccount] = {}
        self._clocks: dict[str, Clock] = {}
        self._drivers: dict[str, str] = {}
        self._uncounted: set[str] = set()
        """Addresses of GPUs with a client whose engines the driver did not count."""
        self._counted: set[str] = set()
        self._unclocked: set[str] = set()
        """Addresses of GPUs with cycles that could not be told as time yet."""
        self._finals: list[tuple[Identity | None, str]] = []
        self._before = _own_clients(self._proc) if not attached else {}
        """Clients whose files the program may have inherited, and what they did before."""

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read the clients of these processes."""
        seen: dict[ClientKey, DrmClient] = {}
        holders: dict[ClientKey, list[Member]] = {}
        for member in members:
            if not member.zombie:
                files = self._files.setdefault(member.identity, Files())
                self._names[member.identity], self._pids[member.pid] = member.name, member.identity
                for key in read_clients(self._proc, member.identity, files, self._turn, seen):
                    holders.setdefault(key, []).append(member)
        read_at = self._clock()
        work: dict[str, list[Work]] = {address: [] for address in self._accounts}
        memory: dict[str, dict[str, int]] = {}
        for key, client in seen.items():
            if client.driver in DRIVERS and key in holders:
                work.setdefault(key.address, []).extend(self._work(key, client, holders[key], read_at, now))
                held = memory.setdefault(key.address, {})
                for region, size in client.memory.items():
                    held[region] = held.get(region, 0) + size
        for address, done in work.items():
            account = self._accounts.setdefault(address, GpuAccount())
            account.add(now, done)
            account.hold(memory.get(address, {}))
        self._turn += 1
        self._times.append(now)

    def _work(
        self, key: ClientKey, client: DrmClient, holders: Sequence[Member], read_at: float, now: float
    ) -> list[Work]:
        state = self._clients.get(key)
        if state is None:
            # Its file was opened after it was looked for last, by a process that may be younger still.
            state = _Client(holders[0].identity, max(holders[0].began, self._times[0]))
            self._clients[key] = state
        elif state.owner not in {member.identity for member in holders}:
            state.owner = holders[0].identity
        for engine in client.engines.values():
            if engine.clock:
                self._clocks.setdefault(key.address, Clock()).read(engine.clock, read_at)
        first_look = self._attached and self._turn == 0
        return self._rises(key, client, state, now, base=client if first_look else self._before.get(key))

    def _rises(
        self, key: ClientKey, client: DrmClient, state: _Client, now: float, base: DrmClient | None
    ) -> list[Work]:
        self._drivers[key.address] = client.driver
        (self._counted if client.engines else self._uncounted).add(key.address)
        found = []
        waits = False
        for name, engine in client.engines.items():
            rate = self._clocks.setdefault(key.address, Clock()).rate if engine.clock else 1e9
            if name not in state.rises:
                before = base.engines.get(name) if base is not None else None
                state.rises[name] = Rise(before.busy if before is not None else 0)
            if rate:
                seconds = state.rises[name].to(engine.busy) / rate
                if seconds:
                    found.append(Work(state.owner, name, seconds, engine.capacity, state.since))
            waits = waits or (not rate and engine.busy > state.rises[name].highest)
        if waits:
            self._unclocked.add(key.address)
        else:
            self._unclocked.discard(key.address)
            state.since = now
        return found

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take the clients that a process found among its own files when it ended; they are counted at the finish."""
        self._finals.extend((self._pids.get(pid), text) for text in texts)

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return how busy each GPU with a client of the program was."""
        return tuple(LiveGpu(address, self._accounts[address].share) for address in sorted(self._counted))

    def finish(self, seconds: float) -> CounterFacts:
        """Return what was counted, after what processes wrote down of themselves."""
        from xpu_doctor.watching.drm_gpus import drm_gpus, unlisted_gpu

        listed = drm_gpus(self._host)
        gpus = () if isinstance(listed, Unknown) else listed
        finals = self._final_clients()
        self._read_clocks(gpus, finals)
        self._count_finals(finals, seconds)
        untold = self._untold()
        known = {gpu.facts.address: gpu for gpu in gpus}
        unlisted = [address for address in self._drivers if address not in known]
        facts = [gpu.facts for gpu in gpus] + [unlisted_gpu(address, self._drivers[address]) for address in unlisted]
        judged = tuple(self._judged(gpu, known.get(gpu.address), untold) for gpu in facts)
        if isinstance(listed, Unknown) and not judged:
            return CounterFacts(listed, listed, listed)
        return self._facts(judged, untold)

    def _facts(self, gpus: tuple[WatchedGpu, ...], untold: dict[Identity, Unknown]) -> CounterFacts:
        if not gpus:
            none = Unknown("there is no Intel GPU with the driver i915 or xe")
            return CounterFacts(none, (), none)
        unknown = {gpu.address: gpu.busy_seconds for gpu in gpus if isinstance(gpu.busy_seconds, Unknown)}
        if len(unknown) == len(gpus):
            reason = next(iter(unknown.values()))
            return CounterFacts(reason, gpus, reason, untold)
        for key, state in self._clients.items():
            if key.address in unknown and state.owner is not None:
                untold.setdefault(state.owner, unknown[key.address])
        times: dict[Identity, tuple[GpuTime, ...]] = {}
        for gpu in gpus:
            account = self._accounts.get(gpu.address)
            if account is not None and gpu.address not in unknown:
                for owner, busy in account.processes.items():
                    if busy > 0:
                        times[owner] = (*times.get(owner, ()), GpuTime(gpu.address, round(busy, 3)))
        return CounterFacts(KIND, gpus, times, untold)

    def _judged(self, gpu: WatchedGpu, found: DrmGpu | None, untold: dict[Identity, Unknown]) -> WatchedGpu:
        """Return a GPU with what was counted on it, or why that is not known."""
        account = self._accounts.get(gpu.address, GpuAccount())
        return replace(
            gpu,
            busy_seconds=self._why_unknown(gpu, found, untold) or round(account.busy, 3),
            engines=account.engine_uses(),
            memory=account.memory_uses(),
        )

    def _why_unknown(self, gpu: WatchedGpu, found: DrmGpu | None, untold: dict[Identity, Unknown]) -> Unknown | None:
        silent = set().union(*(files.silent for files in self._files.values())) if self._files else set()
        if PARAVIRTUAL in silent:
            return Unknown("in WSL2 the GPU belongs to Windows, and its driver tells nothing of processes")
        if gpu.address not in self._counted:
            if gpu.address in self._uncounted or (found is not None and silent & found.nodes):
                from xpu_doctor.watching.drm_gpus import why_uncounted

                return why_uncounted(self._host, gpu.driver)
        elif gpu.address in self._unclocked:
            return Unknown("its clock was read only once, so that its cycles cannot be told as time")
        if not any(files.read for files in self._files.values()) and gpu.address not in self._counted:
            return (
                Unknown("the program ended before its files were seen") if not untold else next(iter(untold.values()))
            )
        # Where no process holds a file of the GPU, it did nothing for them: that needs no counters.
        return next(iter(untold.values()), None)

    def _untold(self) -> dict[Identity, Unknown]:
        """Return the processes whose files could never be read; one that was seen once may just have been on its way out."""
        return {
            identity: Unknown(
                f"the files of process {identity.pid} ({self._names[identity]}) cannot be read: {files.refused}"
            )
            for identity, files in self._files.items()
            if files.refused and not files.read and files.readings > 1
        }

    def _final_clients(self) -> list[tuple[ClientKey, DrmClient, Identity | None]]:
        read = [(owner, parse_fdinfo(text)) for owner, text in self._finals]
        return [
            (ClientKey(client.address, client.client), client, owner)
            for owner, client in read
            if client is not None and client.driver in DRIVERS
        ]

    def _read_clocks(
        self, gpus: tuple[DrmGpu, ...], finals: list[tuple[ClientKey, DrmClient, Identity | None]]
    ) -> None:
        """Learn the rate of each clock that is needed and was not read twice, from a client of the doctor's own."""
        needed = {key.address for key, client, _ in finals if any(engine.clock for engine in client.engines.values())}
        for gpu in gpus:
            clock = self._clocks.setdefault(gpu.facts.address, Clock())
            if (
                gpu.facts.address in needed | self._unclocked
                and not clock.rate
                and gpu.render_node
                and self._own_client
            ):
                for when, text in self._own_client(f"/dev/dri/{gpu.render_node}"):
                    client = parse_fdinfo(text)
                    for engine in () if client is None else tuple(client.engines.values())[:1]:
                        clock.read(engine.clock, when)

    def _count_finals(self, finals: list[tuple[ClientKey, DrmClient, Identity | None]], now: float) -> None:
        work: dict[str, list[Work]] = {}
        memory: dict[str, dict[str, int]] = {}
        for key, client, owner in finals:
            state = self._clients.setdefault(key, _Client(owner, 0.0))
            work.setdefault(key.address, []).extend(self._rises(key, client, state, now, base=self._before.get(key)))
            held = memory.setdefault(key.address, {})
            for region, size in client.memory.items():
                held[region] = held.get(region, 0) + size
        for address, done in work.items():
            account = self._accounts.setdefault(address, GpuAccount())
            account.add(now, done)
            if not account.memory:
                account.hold(memory[address])


def _own_clients(proc: str) -> dict[ClientKey, DrmClient]:
    """Return the clients among this process's own files: a command inherits those that are not closed when it starts."""
    found: dict[ClientKey, DrmClient] = {}
    read_clients(proc, Identity(os.getpid(), 0), Files(), 0, found)
    return found
