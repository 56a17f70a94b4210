"""Lines without `--python` in a clone: the doctor's own environment is no patient, unless there is torch in it or it was named."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from tests.support.cli import doctor, environment
from xpu_doctor.model.facts import Distribution, Distributions, Target, Torch
from xpu_doctor.model.terms import ChosenBy
from xpu_doctor.remedies.own_environment import NOTE, REFUSED, is_only_the_doctors

UNNAMED = {name: value for name, value in environment().items() if name not in ("VIRTUAL_ENV", "CONDA_PREFIX")}
without_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is not None, reason="torch is in the environment that runs the tests"
)


@without_torch
def test_check_says_whose_environment_it_looked_at() -> None:
    text = " ".join(doctor("check", "--only", "wheel", env=UNNAMED).stdout.split())
    assert f"Note: {NOTE}" in text and "check --python PATH" in text
    assert "install " not in text.split("Do this:")[1]


@without_torch
@pytest.mark.parametrize("options", [(), ("--apply", "--yes"), ("--json",)])
def test_fix_refuses_it(options: tuple[str, ...]) -> None:
    ran = doctor("fix", *options, env=UNNAMED)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.splitlines()[-1] == f"Error: {sys.executable}: {REFUSED}"


@without_torch
def test_one_that_is_named_is_examined_as_any_other() -> None:
    text = doctor("check", "--only", "wheel", "--python", sys.executable, env=UNNAMED).stdout
    assert "xpu-doctor's own environment" not in " ".join(text.split()) and "Install the XPU build" in text


@pytest.mark.parametrize(
    ("by", "torch", "installed", "only"),
    [
        (ChosenBy.OWN, Torch(installed=False), (), True),
        (ChosenBy.OWN, Torch(installed=True), (), False),
        (ChosenBy.OWN, Torch(), (), False),
        (ChosenBy.OWN, Torch(installed=False), (Distribution("torch", "2.14.0"),), False),
        *((by, Torch(installed=False), (), False) for by in ChosenBy if by is not ChosenBy.OWN),
    ],
)
def test_only_where_nothing_of_torch_is_there(
    by: ChosenBy, torch: Torch, installed: tuple[Distribution, ...], only: bool
) -> None:
    assert is_only_the_doctors(Target(chosen_by=by), torch, Distributions(installed=installed)) is only
