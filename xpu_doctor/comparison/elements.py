"""Which element of a list is which: lists whose order says nothing are laid side by side by what tells their elements apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from xpu_doctor.diagnosis.evidence import display
from xpu_doctor.model import facts
from xpu_doctor.model.likeness import alike_text
from xpu_doctor.model.snapshot import ProbeFailure
from xpu_doctor.model.unknown import Unknown

ORDERED = frozenset({"python.sys_path", "libraries.faults[].chain", "machine.distribution_like"})
"""Lists of plain values whose order says something."""

MAX_KEY = 100
"""Letters of a key."""

ONCE = (facts.ErrorText, facts.LogLine)
"""Elements that say no more when they come again."""


def file_name(path: str) -> str:
    """Return the last part of a path of any system."""
    return path.replace("\\", "/").rpartition("/")[2] or path


def _device(item: Any) -> str:
    """Return what a GPU is: its ids where they are known, else its name."""
    if not isinstance(item.device_id, int):
        return str(item.name or "GPU")
    vendor = getattr(item, "vendor_id", 0)
    return f"{vendor:04x}:{item.device_id:04x}" if vendor else f"{item.device_id:04x}"


KEYS: Mapping[type, Callable[[Any], str]] = {
    facts.Gpu: _device,
    facts.LogLine: lambda item: alike_text(item.text, said=True),
    facts.Node: lambda item: file_name(item.path),
    facts.Variable: lambda item: item.name,
    facts.ZeDriver: lambda item: str(item.index),
    facts.ZeDevice: _device,
    facts.LibraryLoad: lambda item: item.name,
    facts.UrAdapter: lambda item: item.name,
    facts.Package: lambda item: item.name,
    facts.Library: lambda item: item.name,
    facts.LoadedLibrary: lambda item: item.name,
    facts.LibraryFault: lambda item: f"{item.kind} {item.name}",
    facts.OpenedLibrary: lambda item: item.row,
    facts.DamagedLibrary: lambda item: file_name(item.path),
    facts.Distribution: lambda item: item.name,
    facts.FileFault: lambda item: item.path,
    facts.Setting: lambda item: f"{item.tool} {item.name}".strip(),
    facts.OtherPython: lambda item: alike_text(item.executable, said=False),
    facts.Shadow: lambda item: item.module,
    facts.Stage: lambda item: item.name,
    facts.XpuDevice: lambda item: str(item.index),
    facts.ErrorText: lambda item: item.signature,
    facts.ComputeDevice: lambda item: item.device,
    facts.Product: lambda item: item.dtype,
    facts.Application: lambda item: item.name,
    facts.Watched: lambda item: "program",
    facts.WatchedGpu: _device,
    facts.EngineUse: lambda item: item.name,
    facts.MemoryUse: lambda item: item.region,
    facts.WatchedProcess: lambda item: item.name,
    facts.InsideReport: lambda item: f"rank {item.rank}" if isinstance(item.rank, int) else "torch",
    facts.DeviceMemory: lambda item: item.device,
    facts.FallbackOperator: lambda item: f"{item.name} {item.route}".strip(),
    facts.HotSpot: lambda item: f"{item.function} in {file_name(item.file)}",
    ProbeFailure: lambda item: f"{item.part} {item.name}",
}
"""A class of elements to what tells them apart on every machine."""
ADDRESSED = (facts.Gpu, facts.ZeDevice, facts.WatchedGpu)
"""Elements of which several may be of one kind, and then have an address on one machine."""
IN_ORDER = (facts.Distribution,)
"""Elements of which the first of a name is the one that counts."""


def keys(lists: Sequence[Sequence[Any]]) -> list[tuple[str, ...]]:
    """Return the key of each element of each list, so that those of the same key belong together; empty for one that does not count."""
    named = [_once([_key(item) for item in items], items) for items in lists]
    counted = [row for items, row in zip(lists, named, strict=True) if items and not isinstance(items[0], ONCE)]
    twice = {key for row in counted for key, count in Counter(row).items() if count > 1}
    if not twice:
        return [tuple(row) for row in named]
    common = _common_addresses(lists)
    return [_told_apart(items, row, twice, common) for items, row in zip(lists, named, strict=True)]


def _once(row: list[str], items: Sequence[Any]) -> list[str]:
    """Return the keys of elements, empty for one that only repeats another."""
    if not (items and isinstance(items[0], ONCE)):
        return row
    first = {
        row[place]: place for place in sorted(range(len(items)), key=lambda place: _content(items[place]), reverse=True)
    }
    return [key if first[key] == place else "" for place, key in enumerate(row)]


def _key(item: Any) -> str:
    key = " ".join(KEYS.get(type(item), _content)(item).split())
    return key if len(key) <= MAX_KEY else key[: MAX_KEY - 1] + "…"


def _common_addresses(lists: Sequence[Sequence[Any]]) -> frozenset[str]:
    """Return the addresses that an element has in every list: these are of one machine at two times."""
    found = [{str(item.address) for item in items} for items in lists if items and isinstance(items[0], ADDRESSED)]
    return frozenset(set.intersection(*found)) if len(found) > 1 else frozenset()


def _told_apart(items: Sequence[Any], row: Sequence[str], twice: set[str], common: frozenset[str]) -> tuple[str, ...]:
    """Return keys of which none comes twice: with the address that all lists have, else counted."""
    result = list(row)
    seen: Counter[str] = Counter()
    places: Sequence[int] = range(len(items))
    if not (items and isinstance(items[0], IN_ORDER)):
        places = sorted(places, key=lambda place: _content(items[place]))
    for place in places:
        if row[place] in twice:
            address = str(items[place].address) if isinstance(items[place], ADDRESSED) else ""
            key = f"{row[place]} at {address}" if address in common else row[place]
            seen[key] += 1
            result[place] = key if address in common and seen[key] == 1 else f"{key} #{seen[key]}"
    return tuple(result)


def _content(item: Any) -> str:
    return alike_text(repr(item), said=True)


def shown(item: Any) -> str:
    """Return what an element of a list is, in one line, where another list has none of its kind."""
    if isinstance(item, facts.Variable):
        return display(item.value)
    if isinstance(item, facts.Node):
        return (
            "opens" if item.error == "" else display(item.error) if not isinstance(item.error, Unknown) else "is there"
        )
    if isinstance(item, facts.Stage):
        return f"{item.outcome}: {item.reason}" if item.reason else item.outcome
    if isinstance(item, facts.OpenedLibrary):
        return item.outcome
    if isinstance(item, (facts.LibraryFault, facts.DamagedLibrary)):
        return item.detail or item.kind
    if isinstance(item, facts.Setting):
        return f"{item.value} ({item.source})"
    for name in ("version", "path", "text", "error", "name"):
        value = getattr(item, name, "")
        if isinstance(value, str) and value:
            return display(value)
    return "is there"
