"""Who complains that the CPU does the work is told to watch the program; who does not complain is not."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage
from xpu_doctor.report.document import Document

WATCH = "xpu-doctor watch -- python train.py"
COMPLAINTS = (
    "I have been training for six hours on the CPU although I have an Arc A770 and nobody said so. torch 2.9.1+xpu, Ubuntu 24.04",
    "I train on my Arc B580 under Windows 11. Task manager shows GPU usage 0 % the whole time, CPU 100 %. There is no error message.",
    "It uses my CPU instead of the Arc although torch.xpu.is_available() returns True.",
)
NONE = (
    "Training no longer runs on the CPU, the GPU is fine: everything works. torch.xpu.is_available() True",
    "How do I install torch for my Arc A770?",
    ">>> torch.xpu.is_available()\nTrue",
    "model.to('cpu') raises an AttributeError on my Arc A770.",
)


def commands(document: Document) -> list[str]:
    return [line for question in document.ask_next for line in question.commands]


@pytest.mark.parametrize("text", COMPLAINTS)
def test_the_program_is_to_be_watched(text: str) -> None:
    """It is the first thing to ask for, and no cause is claimed for certain."""
    document = triage(text)
    assert WATCH in document.ask_next[0].commands, commands(document)
    assert not [root for root in document.root_causes if root.confidence == "certain"]


@pytest.mark.parametrize("text", NONE)
def test_nobody_else_is_asked(text: str) -> None:
    assert WATCH not in commands(triage(text))


def test_a_proven_cause_needs_no_watch() -> None:
    text = f"{COMPLAINTS[0]}\n>>> torch.__version__\n'2.9.1+cpu'\n>>> torch.xpu.is_available()\nFalse"
    assert WATCH not in commands(triage(text))
