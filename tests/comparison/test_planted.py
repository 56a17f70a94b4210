"""One telling difference among all that tells nothing stands first, on every recorded host."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from tests.comparison.plants import PLANTS, facts, like_another, shuffled, side, whole_host
from tests.hosts.test_recorded_hosts import HOSTS
from xpu_doctor.comparison.compare import compare
from xpu_doctor.comparison.model import Side, Weight
from xpu_doctor.tables.fact_readers import fact_readers


@cache
def host(path: Path) -> Side:
    """A recorded host as side A."""
    return side("A", whole_host(path))


ALL = os.environ.get("XPU_DOCTOR_HEAVY_TESTS") == "1"


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_the_planted_difference_stands_first(path: Path) -> None:
    """Each plant that the host can have, one at a time: driver, wheel, group, variable, kernel, library ... Every other host has one half
    of them, and with the heavy tests each has all.
    """
    tried = 0
    for plant in PLANTS if ALL else PLANTS[HOSTS.index(path) % 2 :: 2]:
        changed = plant.put(whole_host(path))
        if changed is None or changed == whole_host(path):
            continue
        tried += 1
        found = facts(compare([host(path), side("B", like_another(changed))], fact_readers()))
        assert len(found) > 8, "what tells nothing is there, too"
        assert found[0].path.startswith(plant.seen_at), (plant.name, [row.path for row in found[:5]])
        assert found[0].weight in (Weight.PROOF, Weight.READ), plant.name
    assert tried >= 3


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_what_tells_nothing_is_no_difference_that_counts(path: Path) -> None:
    """Another machine of the same make differs in no judgement and in no cause; a list in another order not at all."""
    other = compare([host(path), side("B", like_another(whole_host(path)))], fact_readers())
    assert [row.path for row in other.differences if row.weight in (Weight.JUDGEMENT, Weight.PROOF)] == []
    same = compare([host(path), side("B", shuffled(whole_host(path)))], fact_readers())
    assert (same.differences, same.one_sided) == ((), ())
    assert same.compared > 50
