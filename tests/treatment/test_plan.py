"""The plan of `fix`: which remedies are steps, in which order, and which of them are left to people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Risk, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.treatment.plan import Permission, is_offered, plan_of

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


def test_what_no_command_fixes_is_for_people_and_in_its_place() -> None:
    firmware, driver = Remedy("Switch it on in the setup", "why", risk=Risk.REBOOT), Remedy("Take a newer one", "why")
    roots = (finding(firmware, code="small-bar"), finding(driver, code="gpu-driver-too-old"), finding(INSTALL))
    steps = plan_of(roots, LIVE).steps
    assert [(step.code, step.runs) for step in steps] == [
        ("small-bar", False),
        ("gpu-driver-too-old", False),
        ("torch-cpu-wheel", True),
    ]
    assert "restarted" in steps[0].obstacle and "no command" in steps[1].obstacle


def test_a_step_names_every_finding_that_it_fixes() -> None:
    for remedy in (BY_HAND, INSTALL, Remedy("Take a newer one", "why")):
        roots = tuple(finding(remedy, code=code) for code in ("gpu-driver-too-old", "level-zero-loader-too-old"))
        [step] = plan_of((*roots, roots[0]), LIVE).steps
        assert (step.code, step.also) == ("gpu-driver-too-old", ("level-zero-loader-too-old",))


def test_what_comes_next_belongs_to_the_way_that_is_taken() -> None:
    first, besides = Remedy("In the firmware", "why"), replace(INSTALL, besides=True)
    other = Remedy("Another way", "why")
    assert [step.remedy for step in plan_of((finding(first, besides, other),), LIVE).steps] == [first, besides]
    after = replace(other, besides=True)
    assert [step.remedy for step in plan_of((finding(other, INSTALL, after),), LIVE).steps] == [INSTALL, after]


def test_a_note_without_commands_and_a_finding_without_a_remedy_are_no_steps() -> None:
    note = replace(finding(Remedy("Read this", "why")), severity=Severity.INFO)
    assert plan_of((note, finding()), LIVE).steps == ()


def test_a_plan_is_not_offered_where_no_gpu_could_use_it() -> None:
    steps = plan_of((finding(INSTALL),), LIVE).steps
    absent = Finding("gpu-not-present", Layer.DEVICE, Severity.ERROR, Confidence.CERTAIN, "", "no GPU")
    assert is_offered((finding(INSTALL),), steps) and not is_offered((absent, finding(INSTALL)), steps)
    assert is_offered((replace(absent, confidence=Confidence.POSSIBLE),), steps)
    assert not is_offered((finding(BY_HAND),), plan_of((finding(BY_HAND),), LIVE).steps)


def test_torch_is_installed_once_in_the_more_thorough_way() -> None:
    """A damaged torch that is the wrong one as well must not be fetched twice."""
    last = Command(("/e/bin/python", "-m", "pip", "install", "--no-index", "torch==2.14.0+xpu", "torchvision==0.29.0"))
    short = replace(INSTALL, steps=(PIP, last))
    whole = replace(INSTALL, steps=(PIP, Command(("rm", "-rf", "--", "/e/lib/torch")), last))
    for first, second in ((short, whole), (whole, short)):
        [step] = plan_of((finding(first), finding(second, code="torch-install-broken")), LIVE).steps
        assert step.remedy == whole and (step.code, step.also) == ("torch-cpu-wheel", ("torch-install-broken",))
    other = replace(INSTALL, steps=(PIP, replace(last, argv=(*last.argv[:-2], "torch==2.13.0+xpu"))))
    assert len(plan_of((finding(short), finding(other, code="torch-install-broken")), LIVE).steps) == 2


def test_of_two_steps_with_one_aim_that_of_a_plugin_is_not_run() -> None:
    mine, its = finding(INSTALL), finding(replace(INSTALL, title="Another's"), code="plugged")
    for roots in ((mine, its), (its, mine)):
        [step] = plan_of(roots, LIVE, Permission(plugin_codes={"plugged"})).steps
        assert step.runs and step.remedy == INSTALL
