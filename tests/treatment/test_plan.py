"""The plan of `fix`: which remedies are steps, in which order, and which of them are left to people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Risk, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.treatment.plan import Permission, plan_of

LIVE = Snapshot(origin=Origin.LIVE, python=Python(writable=True))
PIP = Command(("/e/bin/python", "-m", "pip", "install", "torch"))
INSTALL = Remedy("Install", "why", ("pip install torch",), risk=Risk.REINSTALL, manager="pip", steps=(PIP,))
BY_HAND = Remedy("Log out", "why", ("sudo usermod -aG render me",), risk=Risk.ADMIN)


def finding(*remedies: Remedy, code: str = "torch-cpu-wheel", confidence: Confidence = Confidence.CERTAIN) -> Finding:
    return Finding(code, Layer.WHEEL, Severity.ERROR, confidence, "torch", "a summary", remedies=remedies)


def test_a_step_of_the_environment_runs_and_one_of_the_system_does_not() -> None:
    plan = plan_of((finding(BY_HAND, code="device-permission"), finding(INSTALL)), LIVE)
    assert [(step.code, step.runs) for step in plan.steps] == [("device-permission", False), ("torch-cpu-wheel", True)]
    assert "administrator" in plan.steps[0].obstacle
    assert [step.remedy for step in plan.to_run] == [INSTALL]


@pytest.mark.parametrize("origin", [Origin.PASTED, Origin.SAVED])
def test_nothing_of_a_text_or_a_saved_report_is_ever_a_step(origin: Origin) -> None:
    assert plan_of((finding(INSTALL),), replace(LIVE, origin=origin)).steps == ()


@pytest.mark.parametrize(
    ("changed", "permission", "confidence", "word"),
    [
        (INSTALL, Permission(plugin_codes={"torch-cpu-wheel"}), Confidence.CERTAIN, "plug-in"),
        (INSTALL, Permission(), Confidence.POSSIBLE, "only possible"),
        (replace(INSTALL, steps=()), Permission(), Confidence.CERTAIN, "besides this environment"),
        (replace(INSTALL, risk=Risk.REBOOT), Permission(), Confidence.CERTAIN, "restarted"),
        (replace(INSTALL, risk=Risk.RE_LOGIN), Permission(), Confidence.CERTAIN, "log out"),
        (
            replace(INSTALL, steps=(Command(("sudo", "apt-get", "install", "x")), PIP)),
            Permission(),
            Confidence.CERTAIN,
            "administrator",
        ),
        (replace(INSTALL, manager="poetry"), Permission(), Confidence.CERTAIN, "--edit-project"),
    ],
)
def test_what_is_left_to_people(changed: Remedy, permission: Permission, confidence: Confidence, word: str) -> None:
    [step] = plan_of((finding(changed, confidence=confidence),), LIVE, permission).steps
    assert not step.runs and word in step.obstacle


def test_a_project_is_changed_where_that_is_allowed() -> None:
    [step] = plan_of((finding(replace(INSTALL, manager="uv-project")),), LIVE, Permission(edit_project=True)).steps
    assert step.runs and step.changes_project


def test_an_environment_that_may_not_be_written_is_left_alone() -> None:
    snapshot = replace(LIVE, python=Python(writable=False, own_site="/e/lib/python3.12/site-packages"))
    [step] = plan_of((finding(INSTALL),), snapshot).steps
    assert "/e/lib/python3.12/site-packages" in step.obstacle


def test_other_ways_and_the_same_commands_twice_are_no_steps() -> None:
    other = replace(INSTALL, title="Another way", commands=("conda install",), steps=(Command(("conda", "install")),))
    besides = replace(other, title="Next", besides=True)
    assert [step.remedy for step in plan_of((finding(INSTALL, other),), LIVE).steps] == [INSTALL]
    assert [step.remedy for step in plan_of((finding(INSTALL, besides),), LIVE).steps] == [INSTALL, besides]
    assert len(plan_of((finding(INSTALL), finding(INSTALL, code="companion-mismatch")), LIVE).steps) == 1


def test_a_finding_without_commands_is_no_step() -> None:
    assert plan_of((finding(Remedy("Read this", "why")), finding()), LIVE).steps == ()
