"""Three-valued facts: a value, or the reason why it could not be had."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar, Union

T = TypeVar("T")


@dataclass(frozen=True)
class Unknown:
    """A fact that could not be had, and why; `fact` is its path, filled in when a snapshot is judged."""

    reason: str
    fact: str = ""


Maybe = Union[T, Unknown]  # noqa: UP007 - a generic alias must be made with Union on Python 3.10
"""The type of a fact: a `T`, or `Unknown`."""

NOT_EXAMINED = Unknown("not examined")


class Undecided(Exception):
    """A rule needs a fact that is not known."""

    def __init__(self, unknown: Unknown) -> None:
        super().__init__(unknown.reason)
        self.unknown = unknown


def known(fact: Maybe[T]) -> T:
    """Return the value of a fact.

    Raises:
        Undecided: the fact is unknown; `judge()` catches it and records what was missing.
    """
    if isinstance(fact, Unknown):
        raise Undecided(fact)
    return fact


def known_or(fact: Maybe[T], default: T) -> T:
    """Return the value of a fact, or `default` where it is unknown."""
    return default if isinstance(fact, Unknown) else fact


def is_unexamined(fact: Any) -> bool:
    """Return whether nobody looked for a fact: it was not asked for, or the time was over."""
    return isinstance(fact, Unknown) and fact.reason == NOT_EXAMINED.reason


def holds(fact: Maybe[bool]) -> bool:
    """Return whether a fact is known and true."""
    return fact is True


def denied(fact: Maybe[bool]) -> bool:
    """Return whether a fact is known and false."""
    return fact is False
