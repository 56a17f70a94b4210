"""The doctor's own environment, examined only because nothing named another one: what it lacks is no fault of anybody's torch."""

from __future__ import annotations

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distributions, Target, Torch
from xpu_doctor.model.findings import Remedy
from xpu_doctor.model.terms import ChosenBy
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import lines, shells

NOTE = "this is xpu-doctor's own environment, and it holds no torch: name yours with --python PATH"
REFUSED = (
    "this is xpu-doctor's own environment, which holds no torch, and fix changes it only where --python names it: "
    "name yours with --python PATH"
)
PLACEHOLDER = "PATH"


def is_only_the_doctors(target: Target, torch: Torch, distributions: Distributions) -> bool:
    """Return whether the doctor's own environment was chosen for want of another, with nothing of torch in it."""
    nothing = torch.installed is False and known_or(distributions.find("torch"), None) is None
    return target.chosen_by == ChosenBy.OWN and nothing


def name_yours(os: str) -> Remedy:
    """Return the remedy: examine the environment that is meant."""
    command = Command(("xpu-doctor", "check", "--python", PLACEHOLDER))
    why = (
        "PATH is an interpreter, or the folder of an environment or application. This one was examined only because none was "
        "named; if it is the one that you mean, name it."
    )
    return Remedy("Name the environment that your program uses", why, lines([command], shells(os)[0]), os=os)
