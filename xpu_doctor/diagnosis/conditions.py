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


class Truth:
    """Which conditions hold for one snapshot; many rows of the tables share conditions, so each is looked at once."""

    def __init__(self, snapshot: Snapshot, met: frozenset[str]) -> None:
        self._snapshot = snapshot
        self._met = met
        self._known: dict[str, bool] = {}
        self._values: dict[str, Any] = {}

    def of(self, when: Iterable[str], unless: Iterable[str] = ()) -> bool:
        """Return whether all conditions of `when` hold and none of `unless`."""
        known = self._known
        for text in when:  # loops, not all(): hundreds of rows ask, and most fail at once
            holds = known.get(text)
            if not (self._one(text) if holds is None else holds):
                return False
        for text in unless:  # noqa: SIM110
            if self._one(text):
                return False
        return True

    def _one(self, text: str) -> bool:
        known = self._known.get(text)
        if known is None:
            asked = condition(text)
            known = self._known[text] = self._known_to_hold(asked) is not asked.negated
        return known

    def _known_to_hold(self, asked: Condition) -> bool:
        if asked.kind == "signature":
            return not self._met.isdisjoint(asked.wanted)
        path = asked.path
        if path not in self._values:
            self._values[path] = _value(self._snapshot, path)
        value = self._values[path]
        if type(value) is Unknown:
            return False
        if asked.kind == "known":
            return True
        return _equal(value, asked.wanted) if asked.kind == "=" else _compare(value, asked.kind, asked.wanted[0])


def condition_holds(text: str, snapshot: Snapshot, met: frozenset[str]) -> bool:
    """Return whether a condition is known to hold; `!` before it asks that it is not known to hold.

    Raises:
        ValueError: the condition is not written in one of the known forms.
    """
    return Truth(snapshot, met).of((text,))


def _value(snapshot: Snapshot, path: str) -> Any:
    try:
        return value_at(snapshot, path)
    except LookupError:
        return Unknown(f"no fact {path}")


def _equal(value: Any, wanted: tuple[str, ...]) -> bool:
    """Return whether a value is one of the wanted ones; of a tuple, whether it holds one of them."""
    if type(value) is str:
        return value in wanted
    values = value if isinstance(value, tuple) else (value,)
    return any(_text(item) in wanted for item in values) or (not values and "none" in wanted)


def _text(value: Any) -> str:
    if type(value) is str:
        return value
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
