"""Sentences with a number in them are right for one, for several and for none."""

from __future__ import annotations

import pytest

from xpu_doctor.comparison.model import Weight
from xpu_doctor.pasted.sides import read_sides
from xpu_doctor.report.comparison.document import DifferenceDocument
from xpu_doctor.report.comparison.words import hidden_differences
from xpu_doctor.report.plan_text import steps_in_words
from xpu_doctor.text.safe import from_bytes


@pytest.mark.parametrize(
    ("count", "mine", "not_ready", "said"),
    [
        (1, 0, 0, "The plan has 1 step, which is for you to do."),
        (1, 1, 0, "The plan has 1 step, and xpu-doctor can do it itself."),
        (1, 1, 1, "The plan has 1 step, and xpu-doctor can do it itself; it is not ready yet."),
        (2, 0, 0, "The plan has 2 steps, and xpu-doctor can do none of them itself."),
        (2, 1, 1, "The plan has 2 steps, and xpu-doctor can do 1 of them itself; it is not ready yet."),
        (2, 2, 1, "The plan has 2 steps, and xpu-doctor can do all of them itself; 1 of these is not ready yet."),
        (3, 2, 2, "The plan has 3 steps, and xpu-doctor can do 2 of them itself; none of these is ready yet."),
    ],
)
def test_steps(count: int, mine: int, not_ready: int, said: str) -> None:
    assert steps_in_words(count, mine, not_ready) == said


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ([Weight.OTHER], "1 more fact differs and tells less (-v shows it)"),
        ([Weight.OTHER] * 2, "2 more facts differ and tell less (-v shows them)"),
        ([Weight.READ], "1 more fact differs (-v shows it)"),
        ([Weight.READ, Weight.OTHER], "2 more facts differ (-v shows them)"),
    ],
)
def test_differences_that_are_not_shown(weights: list[Weight], said: str) -> None:
    rows = [DifferenceDocument("torch.version", "torch", "fact", weight, [], [], [], []) for weight in weights]
    assert hidden_differences(rows) == said


def test_a_note_names_its_side_once() -> None:
    sides = read_sides(
        [("good", from_bytes(b"RAM: 8 GB", "good")), ("bad", from_bytes(b"", "bad"))], rules=(), today=""
    )
    assert sides.notes == ("B is empty",)
