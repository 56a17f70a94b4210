"""The facts of a snapshot as rows: a fact and its value, or one of several like it and its parts; what has no value is gathered by reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.model.terms import Origin

NOT_GROUPS = frozenset({"sources", "schema", "origin", "subject"})
HEXADECIMAL = {"device_id": 4, "vendor_id": 4, "pci_class": 6}
"""Digits of the numbers that are never said in decimals, by the last part of their name."""
SIZES = ("_bytes", "_memory")
"""Endings of the names of facts that count bytes."""
EMPTY = "none"


@dataclass(frozen=True)
class Row:
    """A fact with its value, or with the names and values of its parts."""

    name: str
    value: str = ""
    parts: tuple[tuple[str, str], ...] = ()


@dataclass
class Group:
    """The facts of one group."""

    rows: list[Row] = field(default_factory=list)
    without: dict[str, list[str]] = field(default_factory=dict)
    """Facts without a value, by what is said instead."""

    def add(self, name: str, value: Any) -> None:
        """Take a fact, or those below it."""
        if _is_unknown(value):
            self.without.setdefault(f"unknown: {value['reason']}", []).append(name)
        elif _is_empty(value):
            self.without.setdefault(EMPTY, []).append(name)
        elif isinstance(value, Mapping):
            for key, item in value.items():
                self.add(f"{name}.{key}", item)
        elif _holds_groups(value):
            for number, item in enumerate(value):
                self._add_one(f"{name}[{number}]", item)
        else:
            self.rows.append(Row(name, _words(name, value, "\n")))

    def _add_one(self, name: str, item: Any) -> None:
        """Take one of several like it: its own parts as one row, what it holds several of as rows of their own."""
        if not isinstance(item, Mapping) or _is_unknown(item):
            self.add(name, item)
            return
        parts = dict(_flat("", item))
        self.rows.append(Row(name, parts=(*_known(parts), *_unknown(parts))))
        for key, value in parts.items():
            if _holds_groups(value):
                self.add(f"{name}.{key}", value)

    @property
    def silence(self) -> str:
        """Return the one reason why nothing is known of it, or that it is empty; else nothing."""
        reasons = [reason for reason in self.without if reason != EMPTY] or [EMPTY]
        return reasons[0] if not self.rows and len(reasons) == 1 else ""


def groups(snapshot: Mapping[str, Any], origin: str) -> dict[str, Group]:
    """Return the facts by group, without those that only a pasted text has where there was none."""
    found: dict[str, Group] = {}
    for name, value in snapshot.items():
        if name not in NOT_GROUPS and not (name == "pasted" and origin == Origin.LIVE):
            found[name] = Group()
            found[name].add(name, value)
    return found


def _is_unknown(value: Any) -> bool:
    return isinstance(value, Mapping) and "reason" in value and value.keys() <= {"reason", "fact"}


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {}, ())


def _holds_groups(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value)


def _flat(prefix: str, value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, item in value.items():
        if isinstance(item, Mapping) and not _is_unknown(item):
            yield from _flat(f"{prefix}{name}.", item)
        else:
            yield f"{prefix}{name}", item


def _known(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parts.items():
        if not (_is_unknown(value) or _is_empty(value) or _holds_groups(value)):
            yield name, _words(name, value, ", ")


def _unknown(parts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the parts that are not known, by reason."""
    reasons: dict[str, list[str]] = {}
    for name, value in parts.items():
        if _is_unknown(value):
            reasons.setdefault(value["reason"], []).append(name)
    for reason, names in reasons.items():
        yield f"unknown ({reason})", ", ".join(names)


def _words(name: str, value: Any, between: str) -> str:
    """Return a plain value, or several, as a person reads it."""
    if isinstance(value, (list, tuple)):
        return between.join(_words(name, item, between) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    digits = HEXADECIMAL.get(name.rpartition(".")[2])
    if isinstance(value, int) and digits:
        return f"0x{value:0{digits}x}"
    if isinstance(value, int) and name.endswith(SIZES) and value >= 1 << 20:
        return f"{value} ({value / (1 << 30):.2f} GiB)"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
