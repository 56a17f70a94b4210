"""Turns what clients of i915 and xe count into GPU time: each client once, each counter from its highest value on."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.watching.accounting import Clock, GpuAccount, Rise, Work
from xpu_doctor.watching.drm_fdinfo import DrmClient
from xpu_doctor.watching.drm_files import ClientKey
from xpu_doctor.watching.members import Identity

NANOSECONDS = 1e9


class ClientState:
    """A client of a driver, from sample to sample."""

    def __init__(self, owner: Identity | None, since: float) -> None:
        self.owner = owner
        """The process that its work is given to."""
        self.since = since
        """When it was looked at last."""
        self.rises: dict[str, Rise] = {}


class DrmTally:
    """All clients of the program, and what the GPUs did for them."""

    def __init__(self) -> None:
        self.clients: dict[ClientKey, ClientState] = {}
        self.accounts: dict[str, GpuAccount] = {}
        self.drivers: dict[str, str] = {}
        """Of the GPUs that have, or had, a client; as all of these, by address."""
        self.counted: set[str] = set()
        """GPUs whose driver told the engines of a client."""
        self.uncounted: set[str] = set()
        """GPUs with a client whose engines the driver did not tell."""
        self.unclocked: set[str] = set()
        """GPUs with cycles that cannot be told as time yet."""
        self._clocks: dict[str, Clock] = {}

    def clock(self, address: str) -> Clock:
        """Return the clock of a GPU."""
        return self._clocks.setdefault(address, Clock())

    def read_clock(self, address: str, client: DrmClient, now: float) -> None:
        """Take the GPU's clock from what a client says at a time."""
        for engine in client.engines.values():
            if engine.clock:
                self.clock(address).read(engine.clock, now)

    def work(self, key: ClientKey, client: DrmClient, now: float, base: DrmClient | None) -> list[Work]:
        """Return what a client did since it was looked at before; at first, what it did on top of `base`."""
        state = self.clients[key]
        self.drivers[key.address] = client.driver
        (self.counted if client.engines else self.uncounted).add(key.address)
        found = []
        waits = False
        for name, engine in client.engines.items():
            if name not in state.rises:
                before = base.engines.get(name) if base is not None else None
                state.rises[name] = Rise(before.busy if before is not None else 0)
            rise = state.rises[name]
            rate = self.clock(key.address).rate if engine.clock else NANOSECONDS
            if rate:
                seconds = rise.to(engine.busy) / rate
                if seconds:
                    found.append(Work(state.owner, name, seconds, engine.capacity, state.since))
            waits = waits or (not rate and engine.busy > rise.highest)
        if waits:
            self.unclocked.add(key.address)
        else:
            self.unclocked.discard(key.address)
            state.since = now
        return found

    def add(self, now: float, work: dict[str, list[Work]]) -> None:
        """Add the work of one time to the accounts; a GPU that had none was idle."""
        for address in self.accounts.keys() | work.keys():
            self.accounts.setdefault(address, GpuAccount()).add(now, work.get(address, ()))


def held(clients: Iterable[tuple[ClientKey, DrmClient]]) -> dict[str, dict[str, int]]:
    """Return the bytes that clients hold, by address of the GPU and by region."""
    found: dict[str, dict[str, int]] = {}
    for key, client in clients:
        regions = found.setdefault(key.address, {})
        for region, size in client.memory.items():
            regions[region] = regions.get(region, 0) + size
    return found
