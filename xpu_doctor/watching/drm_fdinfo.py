"""Reads one `/proc/PID/fdinfo/FD` of a GPU: what one client of the driver used.

The keys are those of the kernel's "DRM client usage stats"; i915 counts nanoseconds of its engines, xe counts cycles of a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

DRIVERS = ("i915", "xe")
"""Kernel drivers of Intel GPUs."""
UNITS = {"": 1, "B": 1, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40, "KB": 1 << 10}
"""Units of memory; kernels print none for bytes."""
RESIDENCE = ("resident", "memory", "total")
"""Kinds of memory keys, the most telling first; `memory` is the older name of `resident`."""
LONGEST_NUMBER = 20
"""Digits of the largest 64-bit number."""
MOST_CAPACITY = 64


class EngineCount(NamedTuple):
    """Work of one class of engines for one client."""

    busy: int
    """Nanoseconds, or cycles where `clock` is not 0; summed over all engines of the class."""
    clock: int = 0
    """The GPU's own clock in the same cycles; 0 where `busy` is nanoseconds."""
    capacity: int = 1
    """Engines of the class."""


@dataclass(frozen=True)
class DrmClient:
    """What one open device file says."""

    driver: str
    address: str
    """PCI address; empty where the driver names none."""
    client: int
    engines: dict[str, EngineCount] = field(default_factory=dict)
    """By the driver's name; empty where the driver does not count them."""
    memory: dict[str, int] = field(default_factory=dict)
    """Resident bytes by region; allocated ones where the driver does not tell residence."""


def parse_fdinfo(text: str) -> DrmClient | None:
    """Return the client of a GPU that an `fdinfo` text tells of, or None where it is another kind of file."""
    if "drm-driver:" not in text:
        return None
    values: dict[str, dict[str, str]] = {"driver": {}, "client": {}, "pdev": {}}
    for line in text.splitlines():
        if line.startswith("drm-"):
            key, _, value = line.partition(":")
            kind, _, name = key[4:].partition("-")
            values.setdefault(kind, {})[name] = value.strip()
    driver = values["driver"].get("", "")
    client = _number(values["client"].get("id", ""))
    if not driver or client is None:
        return None
    return DrmClient(driver, values["pdev"].get("", "").lower(), client, _engines(values), _memory(values))


def _engines(values: dict[str, dict[str, str]]) -> dict[str, EngineCount]:
    found: dict[str, EngineCount] = {}
    times = values.get("engine", {})
    for name, value in times.items():
        busy, unit = _split(value)
        if busy is not None and unit == "NS" and not name.startswith("capacity-"):
            found[name] = EngineCount(busy, 0, _capacity(times, name))
    totals = values.get("total", {})
    for name, value in values.get("cycles", {}).items():
        # A driver that counts nanoseconds too means the same work; without a clock cycles are no time.
        if name not in times:
            busy, clock = _number(value), _number(totals.get(f"cycles-{name}", ""))
            if busy is not None and clock:
                found[name] = EngineCount(busy, clock, _capacity(times, name))
    return found


def _capacity(times: dict[str, str], name: str) -> int:
    said = _number(times.get(f"capacity-{name}", ""))
    return min(said, MOST_CAPACITY) if said else 1


def _memory(values: dict[str, dict[str, str]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for kind in RESIDENCE:
        for region, value in values.get(kind, {}).items():
            # `drm-total-cycles-*` is the clock of an engine.
            if region not in found and not region.startswith("cycles-"):
                number, unit = _split(value)
                if number is not None and unit in UNITS:
                    found[region] = number * UNITS[unit]
    return found


def _split(value: str) -> tuple[int | None, str]:
    number, _, unit = value.partition(" ")
    return _number(number), unit.strip().upper()


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() and text.isascii() and len(text) <= LONGEST_NUMBER else None
