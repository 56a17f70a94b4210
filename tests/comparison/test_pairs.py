"""Every recorded host against every other: ordered by what tells most, and the same from both sides."""

from __future__ import annotations

import os
from itertools import combinations

from tests.comparison.plants import side
from tests.hosts.test_recorded_hosts import HOSTS, snapshot_of
from xpu_doctor.comparison.compare import compare
from xpu_doctor.comparison.model import Comparison, State
from xpu_doctor.tables.fact_readers import fact_readers

ALL = os.environ.get("XPU_DOCTOR_HEAVY_TESTS") == "1"
STEP = 5


def test_pairs() -> None:
    """Each host with the fifth after it; with the heavy tests, with each."""
    sides = [side(path.stem, snapshot_of(path)) for path in HOSTS]
    for one, other in combinations(sides, 2) if ALL else zip(sides, sides[STEP:] + sides[:STEP], strict=True):
        there, back = compare([one, other], fact_readers()), compare([other, one], fact_readers())
        assert there.differences, (one.label, other.label)
        ranks = [row.weight.rank for row in there.differences]
        assert ranks == sorted(ranks)
        assert turned(there) == as_it_is(back), (one.label, other.label)
        for row in there.differences:
            assert State.UNKNOWN not in [value.state for value in row.values]


def test_the_odd_one_of_many_is_named() -> None:
    """Of all hosts and one of them twice more, whoever is not with the majority is named, and nobody who is."""
    several = [side(path.stem, snapshot_of(path)) for path in HOSTS[:5]]
    comparison = compare(several, fact_readers())
    for row in comparison.differences:
        said = [value for value in row.values if value.state is not State.UNKNOWN]
        majority = [value for value in row.values if [other.text for other in said].count(value.text) * 2 > len(said)]
        for place in row.odd:
            assert row.values[place] not in majority


def turned(comparison: Comparison) -> list[object]:
    """A comparison of two as it looks from the other side."""
    return [(row.path, row.weight, row.proves, row.values[::-1]) for row in comparison.differences]


def as_it_is(comparison: Comparison) -> list[object]:
    """A comparison of two in the same shape."""
    return [(row.path, row.weight, row.proves, row.values) for row in comparison.differences]
