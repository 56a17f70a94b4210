"""Conditions on a snapshot, as data tables write them: `torch.build=cpu|cuda`, `torch.version<2.5`, `signature:ur-error`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.snapshot import Snapshot, value_at
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.model.versions import numbers

_COMPARISON = re.compile(r"^([a-z_.\[\]0-9]+)\s*(<=|>=|<|>|=)\s*(.*)$")


@dataclass(frozen=True)
class Condition:
    """A condition as it was written, taken apart."""

    negated: bool
    kind: str
    """`signature`, `known`, or the operator of a comparison."""
    path: str
    wanted: tuple[str, ...]


@lru_cache(maxsize=4096)
def condition(text: str) -> Condition:
    """Take a condition apart.

    Raises:
        ValueError: it is not written in one of the known forms.
    """
    negated, positive = text.startswith("!"), text.removeprefix("!")
    kind, colon, rest = positive.partition(":")
    if colon and kind == "signature":
        return Condition(negated, kind, "", tuple(rest.split("|")))
    if colon and kind == "known":
        return Condition(negated, kind, rest, ())
    match = _COMPARISON.match(positive)
    if match is None:
        raise ValueError(f"not a condition: {text!r}")
    return Condition(negated, match[2], match[1], tuple(match[3].split("|")) if match[2] == "=" else (match[3],))


def condition_holds(text: str, snapshot: Snapshot, met: frozenset[str]) -> bool:
    """Return whether a condition is known to hold; `!` before it asks that it is not known to hold.

    Raises:
        ValueError: the condition is not written in one of the known forms.
    """
    asked = condition(text)
    return _known_to_hold(asked, snapshot, met) is not asked.negated


def _known_to_hold(asked: Condition, snapshot: Snapshot, met: frozenset[str]) -> bool:
    if asked.kind == "signature":
        return not met.isdisjoint(asked.wanted)
    value = _value(snapshot, asked.path)
    if isinstance(value, Unknown):
        return False
    if asked.kind == "known":
        return True
    return _equal(value, asked.wanted) if asked.kind == "=" else _compare(value, asked.kind, asked.wanted[0])


class Truth:
    """Which conditions hold for one snapshot; many rows of the tables share conditions, so each is looked at once."""

    def __init__(self, snapshot: Snapshot, met: frozenset[str]) -> None:
        self._snapshot = snapshot
        self._met = met
        self._known: dict[str, bool] = {}

    def of(self, when: Iterable[str], unless: Iterable[str] = ()) -> bool:
        """Return whether all conditions of `when` hold and none of `unless`."""
        for text in when:  # a loop, not all(): hundreds of rows ask, and most fail at once
            if not self._one(text):
                return False
        return not any(map(self._one, unless))

    def _one(self, text: str) -> bool:
        known = self._known.get(text)
        if known is None:
            known = self._known[text] = condition_holds(text, self._snapshot, self._met)
        return known


def _value(snapshot: Snapshot, path: str) -> Any:
    try:
        return value_at(snapshot, path)
    except LookupError:
        return Unknown(f"no fact {path}")


def _equal(value: Any, wanted: tuple[str, ...]) -> bool:
    """Return whether a value is one of the wanted ones; of a tuple, whether it holds one of them."""
    values = value if isinstance(value, tuple) else (value,)
    return any(_text(item) in wanted for item in values) or (not values and "none" in wanted)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(getattr(value, "name", value))


def _compare(value: Any, operator: str, wanted: str) -> bool:
    """Compare numbers as numbers and versions by their leading numbers."""
    left, right = numbers(str(value)), numbers(wanted)
    if not left:
        return False
    width = max(len(left), len(right))
    one, other = (parts + (0,) * (width - len(parts)) for parts in (left, right))
    return {"<": one < other, ">": one > other, "<=": one <= other, ">=": one >= other}[operator]
