"""Which cards are slow: by the median of their model and data type, and the median absolute deviation from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

MIN_NODES = 8
"""Nodes of a model and data type below which nothing is said of what is usual."""
MIN_SCORE = 5.0
"""Robust standard deviations below the median from which on a card is slow."""
MIN_LOSS = 0.10
"""Part of the median by which it must fall short besides."""
LEAST_MAD = 0.005
"""Part of the median that stands for a smaller deviation: clocks differ by so much in themselves."""
TO_SIGMA = 0.6744897501960817
"""Median absolute deviation of a normal distribution whose standard deviation is 1."""


class Usual(NamedTuple):
    """What is usual among some measured values."""

    median: float
    mad: float
    slow_below: float
    """Values below are slow."""

    def score(self, value: float) -> float:
        """Return by how many robust standard deviations a value lies below the median."""
        return TO_SIGMA * (self.median - value) / _spread(self)


def _spread(usual: Usual) -> float:
    return max(usual.mad, LEAST_MAD * usual.median)


def usual(values: Sequence[float]) -> Usual:
    """Return what is usual among positive values, in any order.

    Raises:
        ValueError: there are none.
    """
    middle = median(sorted(values))
    mad = median(sorted(abs(value - middle) for value in values))
    least = max(mad, LEAST_MAD * middle)
    return Usual(middle, mad, min(middle - MIN_SCORE * least / TO_SIGMA, middle * (1 - MIN_LOSS)))


def median(ordered: Sequence[float]) -> float:
    """Return the middle of values in order, or the mean of the two in the middle.

    Raises:
        ValueError: there are none.
    """
    if not ordered:
        raise ValueError("no values")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2
