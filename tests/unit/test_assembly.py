"""What the agent says may be damaged in any way: facts become unknown, nothing is raised."""

from __future__ import annotations

from typing import Any

from hypothesis import given, strategies

from xpu_doctor.model.facts import Distributions, Python, Stage, Torch, Xpu
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.target.agent_run import StageResult
from xpu_doctor.target.stage_facts import filled, groups_of

JSON = strategies.recursive(
    strategies.none()
    | strategies.booleans()
    | strategies.integers()
    | strategies.floats(allow_nan=False)
    | strategies.text(max_size=8),
    lambda inner: (
        strategies.lists(inner, max_size=3) | strategies.dictionaries(strategies.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = (Python, Torch, Distributions, Xpu, Stage)
STAGES = ("interpreter", "distributions", "build", "shadows", "import", "xpu", "allocate")


@given(strategies.sampled_from(KINDS), strategies.data())
def test_any_values_make_a_group(kind: type[Any], data: strategies.DataObject) -> None:
    names = list(kind.__dataclass_fields__)
    values = data.draw(strategies.dictionaries(strategies.sampled_from(names), JSON))
    group = filled(kind, values)
    assert isinstance(group, kind)


@given(
    strategies.lists(
        strategies.tuples(
            strategies.sampled_from(STAGES), strategies.sampled_from(["ok", "crash", "hang", "exit"]), JSON
        ),
        max_size=6,
    )
)
def test_any_answers_make_groups(answers: list[tuple[str, str, Any]]) -> None:
    results = [
        StageResult({"name": name, "outcome": outcome, "reason": "r"}, facts if isinstance(facts, dict) else {})
        for name, outcome, facts in answers
    ]
    groups = groups_of(results, STAGES)
    assert set(groups) >= {"python", "torch", "imported", "xpu", "run"}


def test_one_damaged_value_does_not_cost_the_others() -> None:
    torch = filled(Torch, {"version": "2.9.1+xpu", "build": 5, "installed": True})
    assert torch.version == "2.9.1+xpu"
    assert isinstance(torch.build, Unknown)
    assert "damaged" in torch.build.reason


def test_an_import_that_died_has_failed_and_one_that_did_not_run_is_unknown() -> None:
    died = groups_of([StageResult({"name": "import", "outcome": "crash"}, {})], STAGES)
    assert died["imported"].succeeded is False
    silent = groups_of([], STAGES)
    assert isinstance(silent["imported"].succeeded, Unknown)


def test_a_count_without_an_allocation_proves_nothing() -> None:
    xpu = StageResult(
        {"name": "xpu", "outcome": "ok"},
        {"device_count": 1, "available": True, "devices": [{"index": 0, "name": "B580"}]},
    )
    counted = groups_of([xpu], STAGES)
    assert isinstance(counted["xpu"].allocated, Unknown)
    allocate = StageResult(
        {"name": "allocate", "outcome": "ok"},
        {"allocations": [{"index": 0, "allocated": False, "error": "RuntimeError: UR_RESULT_ERROR"}]},
    )
    refused = groups_of([xpu, allocate], STAGES)
    assert refused["xpu"].allocated is False
    assert refused["xpu"].devices[0].error == "RuntimeError: UR_RESULT_ERROR"
    died = groups_of([xpu, StageResult({"name": "allocate", "outcome": "crash", "reason": "SIGSEGV"}, {})], STAGES)
    assert "SIGSEGV" in died["xpu"].allocated.reason
