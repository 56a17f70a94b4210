"""The plan of `fix`: what a diagnosis asks to be done, in order, and which of it the doctor may do itself. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from xpu_doctor.model.findings import Confidence, Finding, Remedy, Risk, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.managers import PROJECTS
from xpu_doctor.remedies.patient import TRIO

RISKS_OF_THE_SYSTEM = {
    Risk.ADMIN: "it needs administrator rights and changes the system",
    Risk.RE_LOGIN: "you must log out and in again",
    Risk.REBOOT: "the machine must be restarted",
}
"""What costs more than packages of one environment, and why `fix` leaves it to people."""
PRIVILEGED = ("sudo", "doas", "pkexec", "runas")
"""Programs that lend an administrator's rights."""
ANOTHER_PLACE = "it changes something besides this environment, or needs a decision of yours"
NO_COMMAND = "no command does it"


@dataclass(frozen=True)
class Step:
    """One remedy of one finding: what it changes, what it costs, and why the doctor does not do it itself, if so."""

    code: str
    subject: str
    remedy: Remedy
    obstacle: str = ""
    """Why `fix` only prints it; empty where it may be run."""
    also: tuple[str, ...] = ()
    """Codes of further findings that it fixes."""

    @property
    def runs(self) -> bool:
        """Whether `fix --apply` runs it."""
        return not self.obstacle

    @property
    def changes_project(self) -> bool:
        """Whether its commands write into the files of a project."""
        return self.remedy.manager in PROJECTS


@dataclass(frozen=True)
class TreatmentPlan:
    """All steps, in the order in which they are to be done."""

    steps: tuple[Step, ...] = ()

    @property
    def to_run(self) -> tuple[Step, ...]:
        """The steps that `fix --apply` runs."""
        return tuple(step for step in self.steps if step.runs)


NO_USE = ("gpu-not-present", "gpu-unsupported")
"""Causes beside which no build of torch helps."""


def is_offered(roots: tuple[Finding, ...], steps: tuple[Step, ...]) -> bool:
    """Return whether a check tells of its plan: not where no GPU is there that could use what it installs."""
    useless = any(root.code in NO_USE and root.confidence is not Confidence.POSSIBLE for root in roots)
    return any(step.runs for step in steps) and not useless


@dataclass(frozen=True)
class Permission:
    """What the caller allows."""

    edit_project: bool = False
    """Whether the files of a project may be changed."""
    plugin_codes: Collection[str] = ()
    """Codes of plug-ins' rules, whose commands are never run."""


def plan_of(roots: tuple[Finding, ...], snapshot: Snapshot, permission: Permission = Permission()) -> TreatmentPlan:
    """Return what the root causes of a live examination ask for; a remedy that several of them share is one step.

    Of a pasted text or a saved report there is no plan: its commands came from outside.
    """
    if snapshot.origin != Origin.LIVE:
        return TreatmentPlan()
    steps: dict[tuple[object, ...], Step] = {}
    for root in roots:
        for remedy in _remedies(root):
            step = Step(root.code, root.subject, remedy, _obstacle(root, remedy, snapshot, permission))
            key = _aim(remedy)
            steps[key] = _joined(steps[key], step) if key in steps else step
    return TreatmentPlan(tuple(steps.values()))


def _aim(remedy: Remedy) -> tuple[object, ...]:
    """Return what a remedy brings about: two that install the same torch are one step, whatever each takes out before."""
    last = remedy.steps[-1].argv if remedy.steps else ()
    torch = tuple(word for word in last if word.split("==")[0] in TRIO)
    if "torch" in (word.split("==")[0] for word in torch):
        return ("install", *torch)
    return tuple(command.argv for command in remedy.steps) or remedy.commands or (remedy.title,)


def _joined(step: Step, other: Step) -> Step:
    """Return two steps with one aim as one, in the place of the first: what can be run, and of that the more thorough."""
    best = max([item for item in (step, other) if item.runs] or [step], key=lambda item: len(item.remedy.steps))
    also = (*step.also, *(() if other.code in (step.code, *step.also) else (other.code,)))
    return replace(best, code=step.code, subject=step.subject, also=also)


def _remedies(root: Finding) -> tuple[Remedy, ...]:
    """Return the first way to fix a finding, one of commands if there is one; other ways are for people to choose.

    A note that no command fixes asks for nothing.
    """
    ways: list[list[Remedy]] = []
    for remedy in root.remedies:
        if remedy.besides and ways:
            ways[-1].append(remedy)
        else:
            ways.append([remedy])
    of_commands = [way for way in ways if any(remedy.commands for remedy in way)]
    if of_commands:
        return tuple(of_commands[0])
    return tuple(ways[0]) if ways and root.severity is not Severity.INFO else ()


def _obstacle(root: Finding, remedy: Remedy, snapshot: Snapshot, permission: Permission) -> str:
    if root.code in permission.plugin_codes:
        return "it comes from a plug-in, whose commands are never run"
    if remedy.risk in RISKS_OF_THE_SYSTEM:
        return RISKS_OF_THE_SYSTEM[remedy.risk]
    if any(command.argv[0] in PRIVILEGED for command in remedy.steps):
        return RISKS_OF_THE_SYSTEM[Risk.ADMIN]
    if not remedy.steps:
        return ANOTHER_PLACE if remedy.commands else NO_COMMAND
    if root.confidence is Confidence.POSSIBLE:
        return "its cause is only possible, not proven"
    if not known_or(snapshot.python.writable, True):
        return f"this user may not write to {known_or(snapshot.python.own_site, 'the packages of this environment')}"
    if remedy.manager in PROJECTS and not permission.edit_project:
        return "it changes the files of your project: --edit-project allows that"
    return ""
