"""Conditions on a snapshot, as data tables write them: `torch.build=cpu|cuda`, `torch.version<2.5`, `signature:ur-error`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from xpu_doctor.snapshot import Snapshot, value_at
from xpu_doctor.unknown import Unknown

_COMPARISON = re.compile(r"^([a-z_.\[\]0-9]+)\s*(<=|>=|<|>|=)\s*(.*)$")


def holds(condition: str, snapshot: Snapshot, met: frozenset[str]) -> bool:
    """Whether a condition is known to hold; `!` before it asks that it is not known to hold.

    Raises:
        ValueError: the condition is not written in one of the known forms.
    """
    if condition.startswith("!"):
        return not holds(condition[1:], snapshot, met)
    if condition.startswith("signature:"):
        return any(name in met for name in condition[len("signature:") :].split("|"))
    if condition.startswith("known:"):
        return not isinstance(_value(snapshot, condition[len("known:") :]), Unknown)
    match = _COMPARISON.match(condition)
    if match is None:
        raise ValueError(f"not a condition: {condition!r}")
    path, operator, wanted = match.groups()
    value = _value(snapshot, path)
    if isinstance(value, Unknown):
        return False
    if operator == "=":
        return _equal(value, wanted.split("|"))
    return _compare(value, operator, wanted)


def all_hold(conditions: Iterable[str], snapshot: Snapshot, met: frozenset[str]) -> bool:
    """Whether every condition holds."""
    return all(holds(condition, snapshot, met) for condition in conditions)


def _value(snapshot: Snapshot, path: str) -> Any:
    try:
        return value_at(snapshot, path)
    except LookupError:
        return Unknown(f"no fact {path}")


def _equal(value: Any, wanted: list[str]) -> bool:
    """Whether a value is one of the wanted ones; of a tuple, whether it holds one of them."""
    values = value if isinstance(value, tuple) else (value,)
    return any(_text(item) in wanted for item in values) or (not values and "none" in wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _compare(value: Any, operator: str, wanted: str) -> bool:
    """Compare numbers as numbers and versions by their leading numbers."""
    left, right = numbers(str(value)), numbers(wanted)
    if not left:
        return False
    width = max(len(left), len(right))
    one, other = (parts + (0,) * (width - len(parts)) for parts in (left, right))
    return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[operator]


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading dotted numbers of a version: `2.5.1+cxx11.abi` gives (2, 5, 1)."""
    match = re.match(r"\s*v?(\d{1,9}(?:\.\d{1,9}){0,5})", version)
    return tuple(int(part) for part in match[1].split(".")) if match else ()
