"""A time limit of a whole examination: what is not done by then is given up, and stays unknown for that reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


class Overdue(Exception):
    """A piece of work was given up; the message says why."""


@dataclass(frozen=True)
class TimeLimit:
    """A point in time from which on nothing more is waited for."""

    seconds: float
    """How long the whole may take."""
    ends: float
    """When it is over, on the monotonic clock."""

    @classmethod
    def from_now(cls, seconds: float) -> TimeLimit:
        """Return a limit that begins at this moment."""
        return cls(seconds, time.monotonic() + seconds)

    @property
    def remaining(self) -> float:
        """Seconds that are left, 0 where it is over."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.remaining == 0

    @property
    def reason(self) -> str:
        """Why something is not known."""
        return f"it was not done when the {self.seconds:g} s for the whole examination were over"


def within(limit: TimeLimit | None, work: Callable[[], T]) -> T:
    """Return what a piece of work in this process returns; with a limit it runs in a thread, which is left behind when the limit is over.

    Raises:
        Overdue: the limit was over first.
    """
    if limit is None:
        return work()
    if limit.is_over:
        raise Overdue(limit.reason)
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:  # handed to the caller
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit.remaining)
    if failed:
        raise failed[0]
    if not done:
        raise Overdue(limit.reason)
    return done[0]
