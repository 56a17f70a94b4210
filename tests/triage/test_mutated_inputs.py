"""A slice of what `tools/fuzz_triage.py` runs by the ten thousand, and a check that it sees what it is to see."""

from __future__ import annotations

import pytest

from tools.fuzz_triage import FORMS, fault_in, mutated_report, mutated_text, run

NUMBERS = range(100)


@pytest.mark.parametrize("kind", ["text", "report"])
def test_no_mutated_input_makes_triage_fail(kind: str) -> None:
    """No exit code 4, no control character, no JSON that the schema refuses."""
    faults = [ran for ran in (run(kind, number, seed=7) for number in NUMBERS) if ran.fault]
    assert not faults


@pytest.mark.parametrize("made", [mutated_text, mutated_report])
def test_the_same_seed_makes_the_same_inputs(made: object) -> None:
    """A fault that was seen can be seen again."""
    assert callable(made)
    inputs = [made(number, 7) for number in NUMBERS]
    assert inputs == [made(number, 7) for number in NUMBERS]
    assert len(set(inputs)) > 90
    assert inputs != [made(number, 8) for number in NUMBERS]


def test_every_form_is_tried() -> None:
    """Text, all of it, JSON, and the reply."""
    assert set(FORMS) == {(), ("-v",), ("--json",), ("--reply",)}


GOOD = (("--reply",), 0, b"Thank you\n", b"", 0.1)


@pytest.mark.parametrize(
    ("place", "bad", "fault"),
    [
        (1, 4, "exit code 4"),
        (1, -2, "exit code -2"),
        (2, b"\x1b[31m", "stdout holds"),
        (2, "\u202e".encode(), "stdout holds"),
        (2, b"\xff", "no UTF-8"),
        (2, b"", "nothing on stdout"),
        (3, b"\x07", "stderr holds"),
        (3, b"Traceback (most recent call last):", "a traceback"),
        (4, 2.1, "2.1 seconds"),
        (0, ("--json",), "no JSON"),
    ],
)
def test_faults_are_seen(place: int, bad: object, fault: str) -> None:
    """What is wrong with a run is named."""
    assert fault_in(*GOOD) == ""
    assert fault in fault_in(*GOOD[:place], bad, *GOOD[place + 1 :])  # type: ignore[arg-type]


def test_json_is_held_to_the_schema() -> None:
    """NaN, and a document that is no report."""
    assert "NaN is no JSON" in fault_in(("--json",), 0, b'{"schema": NaN}', b"", 0.1)
    assert "not by the schema" in fault_in(("--json",), 0, b'{"schema": 1}', b"", 0.1)
