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
from xpu_doctor.watching.accounting import GpuAccount, Work
from xpu_doctor.watching.counters import CounterFacts, LiveGpu
from xpu_doctor.watching.drm_fdinfo import DRIVERS, DrmClient, parse_fdinfo
from xpu_doctor.watching.drm_files import PARAVIRTUAL, ROUNDS, ClientKey, Files, read_clients
from xpu_doctor.watching.drm_tally import ClientState, DrmTally, held
from xpu_doctor.watching.members import Identity, Member

if TYPE_CHECKING:
    from xpu_doctor.watching.drm_gpus import DrmGpu

KIND = "drm-fdinfo"


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
        self._silent: set[str] = set()
        """Names of device files of GPUs whose drivers print no statistics at all."""
        self._read = False
        """Whether the files of any process could be read."""
        self._tally = DrmTally()
        self._finals: list[tuple[Identity | None, str]] = []
        self._before = _own_clients(self._proc) if not attached else {}
        """Clients whose files the program may have inherited, and what they did before."""

    def sample(self, now: float, members: Iterable[Member]) -> None:
        """Read the clients of these processes."""
        seen: dict[ClientKey, DrmClient] = {}
        holders: dict[ClientKey, list[Member]] = {}
        present: set[Identity] = set()
        for member in members:
            if not member.zombie:
                present.add(member.identity)
                files = self._files.setdefault(member.identity, Files())
                self._names[member.identity], self._pids[member.pid] = member.name, member.identity
                for key in read_clients(self._proc, member.identity, files, self._turn, seen):
                    holders.setdefault(key, []).append(member)
        read_at = self._clock()
        own = {key: client for key, client in seen.items() if client.driver in DRIVERS and key in holders}
        work: dict[str, list[Work]] = {}
        for key, client in own.items():
            self._give(key, holders[key])
            self._tally.read_clock(key.address, client, read_at)
            base = client if self._attached and self._turn == 0 else self._before.get(key)
            work.setdefault(key.address, []).extend(self._tally.work(key, client, now, base))
        self._tally.add(now, work)
        for address, regions in held(own.items()).items():
            self._tally.accounts[address].hold(regions)
        self._forget_gone(present)
        self._turn += 1
        self._times.append(now)

    def _forget_gone(self, present: set[Identity]) -> None:
        """Keep of processes that have ended only what the verdict needs: there may be very many."""
        for identity in self._files.keys() - present:
            files = self._files[identity]
            self._silent |= files.silent
            self._read = self._read or files.read
            if files.read or not files.refused:
                del self._files[identity], self._names[identity]

    def _give(self, key: ClientKey, holders: Sequence[Member]) -> None:
        """Give a client to the first process that holds it, and to another once that one is gone."""
        state = self._tally.clients.get(key)
        if state is None:
            # Its file was opened after files were looked at last, by a process that may be younger still.
            since = max(holders[0].began, self._times[0])
            self._tally.clients[key] = ClientState(holders[0].identity, since)
        elif state.owner not in {member.identity for member in holders}:
            state.owner = holders[0].identity

    def add_final(self, pid: int, texts: Sequence[str], now: float) -> None:
        """Take the clients that a process found among its own files when it ended; they are counted at the finish."""
        self._finals.extend((self._pids.get(pid), text) for text in texts)

    def live(self) -> Maybe[tuple[LiveGpu, ...]]:
        """Return how busy each GPU with a client of the program was."""
        return tuple(LiveGpu(address, self._tally.accounts[address].share) for address in sorted(self._tally.counted))

    def finish(self, seconds: float) -> CounterFacts:
        """Return what was counted, after what processes wrote down of themselves."""
        from xpu_doctor.watching.drm_gpus import drm_gpus, unlisted_gpu

        self._forget_gone(set())
        listed = drm_gpus(self._host)
        gpus = () if isinstance(listed, Unknown) else listed
        finals = self._final_clients()
        self._read_clocks(gpus, finals)
        self._count_finals(finals, seconds)
        untold = self._untold()
        known = {gpu.facts.address: gpu for gpu in gpus}
        unlisted = [address for address in self._tally.drivers if address not in known]
        facts = [gpu.facts for gpu in gpus] + [
            unlisted_gpu(address, self._tally.drivers[address]) for address in unlisted
        ]
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
        for key, state in self._tally.clients.items():
            if key.address in unknown and state.owner is not None:
                untold.setdefault(state.owner, unknown[key.address])
        times: dict[Identity, tuple[GpuTime, ...]] = {}
        for gpu in gpus:
            account = self._tally.accounts.get(gpu.address)
            if account is not None and gpu.address not in unknown:
                for owner, busy in account.processes.items():
                    if busy > 0:
                        times[owner] = (*times.get(owner, ()), GpuTime(gpu.address, round(busy, 3)))
        return CounterFacts(KIND, gpus, times, untold)

    def _judged(self, gpu: WatchedGpu, found: DrmGpu | None, untold: dict[Identity, Unknown]) -> WatchedGpu:
        """Return a GPU with what was counted on it, or why that is not known."""
        account = self._tally.accounts.get(gpu.address, GpuAccount())
        return replace(
            gpu,
            busy_seconds=self._why_unknown(gpu, found, untold) or round(account.busy, 3),
            engines=account.engine_uses(),
            memory=account.memory_uses(),
        )

    def _why_unknown(self, gpu: WatchedGpu, found: DrmGpu | None, untold: dict[Identity, Unknown]) -> Unknown | None:
        if PARAVIRTUAL in self._silent:
            return Unknown("in WSL2 the GPU belongs to Windows, and its driver tells nothing of processes")
        if gpu.address in self._tally.counted:
            if gpu.address in self._tally.unclocked:
                return Unknown("its clock was read only once, so that its cycles cannot be told as time")
        elif gpu.address in self._tally.uncounted or (found is not None and self._silent & found.nodes):
            from xpu_doctor.watching.drm_gpus import why_uncounted

            return why_uncounted(self._host, gpu.driver)
        elif not self._read and not untold:
            return Unknown("the program ended before its files were seen")
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

    def _final_clients(self) -> list[tuple[ClientKey, DrmClient]]:
        """Return the clients in the texts that processes left; a client that no sample saw belongs to the process that left the text."""
        found = []
        for owner, text in self._finals:
            client = parse_fdinfo(text)
            if client is not None and client.driver in DRIVERS:
                key = ClientKey(client.address, client.client)
                self._tally.clients.setdefault(key, ClientState(owner, 0.0))
                found.append((key, client))
        return found

    def _read_clocks(self, gpus: Sequence[DrmGpu], finals: Iterable[tuple[ClientKey, DrmClient]]) -> None:
        """Learn the rate of each clock that is needed and was not read twice, from a client of the doctor's own."""
        needed = self._tally.unclocked.union(
            key.address for key, client in finals if any(engine.clock for engine in client.engines.values())
        )
        for gpu in gpus:
            address = gpu.facts.address
            if self._own_client and gpu.render_node and address in needed and not self._tally.clock(address).rate:
                for when, text in self._own_client(f"/dev/dri/{gpu.render_node}"):
                    client = parse_fdinfo(text)
                    if client is not None:
                        self._tally.read_clock(address, client, when)

    def _count_finals(self, finals: Iterable[tuple[ClientKey, DrmClient]], now: float) -> None:
        work: dict[str, list[Work]] = {}
        for key, client in finals:
            work.setdefault(key.address, []).extend(self._tally.work(key, client, now, self._before.get(key)))
        self._tally.add(now, work)
        for address, regions in held(finals).items():
            account = self._tally.accounts[address]
            if not account.memory:
                account.hold(regions)


def _own_clients(proc: str) -> dict[ClientKey, DrmClient]:
    """Return the clients among this process's own files: a command inherits those that are not closed when it starts."""
    found: dict[ClientKey, DrmClient] = {}
    read_clients(proc, Identity(os.getpid(), 0), Files(), 0, found)
    return found
