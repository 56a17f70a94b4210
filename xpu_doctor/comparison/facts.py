"""Walks snapshots side by side, and says of each fact what each side has there."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.comparison.elements import ORDERED, keys, shown
from xpu_doctor.comparison.model import State, Value
from xpu_doctor.diagnosis.evidence import display
from xpu_doctor.model.likeness import are_measured_alike, like
from xpu_doctor.model.natures import never_counts
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.text.command_line import command_line

MAX_ITEMS = 8
"""Items of a list that are shown whole."""
IDS = ("device_id", "vendor_id", "pci_class")
"""Facts that people know in hexadecimal."""


class _Nothing:
    """Stands for a thing that a side does not have; `told` is whether something above it says so already."""

    def __init__(self, told: bool) -> None:
        self.told = told


@dataclass(frozen=True)
class _NotKnown:
    """Stands for what a side does not know; `told` as above."""

    reason: str
    told: bool


NOT_TOLD = _NotKnown("nobody told it", True)
"""What stands in the place of a default that says nothing."""


@dataclass(frozen=True)
class Found:
    """A fact in which sides differ, or that some of them do not know."""

    path: str
    pattern: str
    """The path with empty brackets."""
    values: tuple[Value, ...]
    groups: tuple[Hashable, ...]
    """What is equal for sides that are alike; None for one that does not know."""

    @property
    def differs(self) -> bool:
        """Whether two sides are known to differ."""
        return len({group for group in self.groups if group is not None}) > 1


@dataclass
class Walk:
    """One walk over the facts of several snapshots."""

    snapshots: Sequence[Snapshot]
    keys: list[dict[str, tuple[str, ...]]] = field(default_factory=list)
    """Of each side: the path of a list, by numbers, to the keys of its elements."""
    compared: int = 0
    """How many facts at least two sides know."""

    def found(self) -> Iterator[Found]:
        """Yield every fact that is not alike on all sides."""
        self.keys, self.compared = [{} for _ in self.snapshots], 0
        yield from self._group(self.snapshots, "", "", [""] * len(self.snapshots))

    def _group(self, values: Sequence[Any], path: str, pattern: str, at: Sequence[str]) -> Iterator[Found]:
        """Walk the fields of a dataclass; `at` is each side's own path, by numbers."""
        kind = next(value for value in values if _is_there(value))
        silent = [self._is_silent(side, value, path) for side, value in enumerate(values)]
        dot = "." if path else ""
        for name, each in kind.__dataclass_fields__.items():
            parts = [
                NOT_TOLD if quiet and part == each.default else part
                for quiet, part in zip(silent, (_part(value, name) for value in values), strict=True)
            ]
            yield from self._value(
                parts, f"{path}{dot}{name}", f"{pattern}{dot}{name}", [f"{own}{dot}{name}" for own in at]
            )

    def _is_silent(self, side: int, value: Any, path: str) -> bool:
        """Return whether a field that cannot be unknown says nothing by its default: in a text, and in a group that nobody examined."""
        if self.snapshots[side].origin == Origin.PASTED:
            return True
        if not path or "[" in path or "." in path or not _is_there(value):
            return False
        unknown = [name for name, each in value.__dataclass_fields__.items() if isinstance(each.default, Unknown)]
        return bool(unknown) and all(isinstance(getattr(value, name), Unknown) for name in unknown)

    def _value(self, values: Sequence[Any], path: str, pattern: str, at: Sequence[str]) -> Iterator[Found]:
        if never_counts(pattern):
            return
        values = [_NotKnown(value.reason, False) if isinstance(value, Unknown) else value for value in values]
        there = [value for value in values if _is_there(value)]
        if not there:
            return
        if any(hasattr(value, "__dataclass_fields__") for value in there):
            yield from self._told(values, path, pattern)
            yield from self._group([_below(value) for value in values], path, pattern, at)
        elif any(_holds_parts(value) for value in there) and pattern not in ORDERED:
            yield from self._told(values, path, pattern)
            yield from self._list([_below(value) for value in values], path, pattern, at)
        elif all(isinstance(value, dict) for value in there):
            yield from self._told(values, path, pattern)
            yield from self._mapping([_below(value) for value in values], path, pattern, at)
        else:
            self.compared += len(there) > 1
            yield from _leaf(values, path, pattern)

    def _told(self, values: Sequence[Any], path: str, pattern: str) -> Iterator[Found]:
        """Say which sides do not have something that has parts, or do not know it."""
        if not all(_is_there(value) or value.told for value in values):
            groups = [None if isinstance(value, _NotKnown) else isinstance(value, _Nothing) for value in values]
            self.compared += sum(group is not None for group in groups) > 1
            yield Found(path, pattern, tuple(map(_whole, values)), tuple(groups))

    def _list(self, values: Sequence[Any], path: str, pattern: str, at: Sequence[str]) -> Iterator[Found]:
        lists = [value if isinstance(value, (tuple, list)) else () for value in values]
        named = keys(lists)
        for side, own in enumerate(at):
            self.keys[side][own] = named[side]
        numbers = [{key: number for number, key in reversed(list(enumerate(row)))} for row in named]
        for key in dict.fromkeys(filter(None, (key for row in named for key in row))):
            parts, places = [], []
            for side, (value, items, row, own) in enumerate(zip(values, lists, numbers, at, strict=True)):
                number = row.get(key, -1)
                missing = self._missing(side) if _is_there(value) else value
                parts.append(items[number] if number >= 0 else missing)
                places.append(f"{own}[{number}]")
            yield from self._value(parts, f"{path}[{key}]", f"{pattern}[]", places)

    def _missing(self, side: int) -> _Nothing | _NotKnown:
        """Return what stands for an element that a list does not hold: that a text does not name it says nothing."""
        return NOT_TOLD if self.snapshots[side].origin == Origin.PASTED else _Nothing(False)

    def _mapping(self, values: Sequence[Any], path: str, pattern: str, at: Sequence[str]) -> Iterator[Found]:
        for key in sorted({str(key) for value in values if isinstance(value, dict) for key in value}):
            parts = [value.get(key, _Nothing(False)) if isinstance(value, dict) else value for value in values]
            # What is below a plug-in's own facts has names of its own, so the pattern ends with the plug-in's.
            below = pattern if pattern.count(".") else f"{pattern}.{key}"
            yield from self._value(parts, f"{path}.{key}", below, [f"{own}.{key}" for own in at])


def _is_there(value: Any) -> bool:
    return not isinstance(value, (_Nothing, _NotKnown))


def _part(value: Any, name: str) -> Any:
    return getattr(value, name) if _is_there(value) else value


def _below(value: Any) -> Any:
    """Return what stands for the parts of a value: what is not there or not known has been said."""
    if isinstance(value, _NotKnown):
        return _NotKnown(value.reason, True)
    return _Nothing(True) if isinstance(value, _Nothing) else value


def _holds_parts(value: Any) -> bool:
    """Return whether a value is a list of things that have names and parts of their own."""
    return isinstance(value, (tuple, list)) and any(hasattr(item, "__dataclass_fields__") for item in value)


def _leaf(values: Sequence[Any], path: str, pattern: str) -> Iterator[Found]:
    """Compare plain values, and lists of plain values."""
    there = [value for value in values if _is_there(value)]
    groups = tuple(_group_of(value, pattern) for value in values)
    known = {group for group in groups if group is not None}
    if len(known) < 2 and all(_is_there(value) or value.told for value in values):
        return
    if len(known) > 1 and are_measured_alike(there, pattern):
        return
    sets = [group for group in known if isinstance(group, frozenset)]
    common: frozenset[Any] = frozenset.intersection(*sets) if len(sets) > 1 else frozenset()
    yield Found(path, pattern, tuple(_text(value, pattern, common) for value in values), groups)


def _group_of(value: Any, pattern: str) -> Hashable:
    if isinstance(value, _NotKnown):
        return None
    if isinstance(value, _Nothing):
        return None if value.told else ("nothing",)
    if isinstance(value, (tuple, list)):
        items = (_plain(item, pattern) for item in value)
        return tuple(items) if pattern in ORDERED else frozenset(items)
    return ("is", _plain(value, pattern))


def _plain(value: Any, pattern: str) -> Hashable:
    """Return what stands for a value, or for a part of a plug-in's facts of any depth."""
    if isinstance(value, (list, tuple)):
        return frozenset(_plain(item, pattern) for item in value)
    if isinstance(value, dict):
        return frozenset((str(key), _plain(item, pattern)) for key, item in value.items())
    return like(value, pattern)


def _whole(value: Any) -> Value:
    """Return what is said of a thing with parts."""
    if isinstance(value, _NotKnown):
        return Value(State.UNKNOWN, value.reason)
    if isinstance(value, _Nothing):
        return Value(State.ABSENT)
    if isinstance(value, (tuple, list)):
        return Value(State.KNOWN, ", ".join(map(display, value[:MAX_ITEMS])) or "none")
    return Value(State.KNOWN, shown(value) if hasattr(value, "__dataclass_fields__") else display(value))


def _text(value: Any, pattern: str, common: frozenset[Any]) -> Value:
    if not _is_there(value):
        return _whole(value)
    if pattern.endswith(".command") and isinstance(value, (tuple, list)):
        return Value(State.KNOWN, command_line([str(word) for word in value]))
    if isinstance(value, (tuple, list)) and len(value) > MAX_ITEMS and common:
        own = [item for item in value if _plain(item, pattern) not in common]
        said = ", ".join(map(display, own[:MAX_ITEMS])) + (f" ... ({len(own)} in all)" if len(own) > MAX_ITEMS else "")
        return Value(State.KNOWN, f"{said or 'nothing more'}, and what all have")
    if type(value) is int and pattern.rpartition(".")[2] in IDS:
        return Value(State.KNOWN, f"0x{value:04x}")
    return Value(State.KNOWN, display(value))
