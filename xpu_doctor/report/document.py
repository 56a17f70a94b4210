"""The JSON document that `--json` prints: schema 1, its own types, apart from the internal ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from typing import Any

from xpu_doctor.catalogue.addresses import page_address
from xpu_doctor.diagnosis.diagnose import Diagnosis
from xpu_doctor.model.commands import Command
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.findings import Confidence, Finding, Remedy, Severity, Shell
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.remedies.commands import interpreter, lines, shell_of
from xpu_doctor.report.printable import printable
from xpu_doctor.report.program import ProgramDocument, program_document
from xpu_doctor.report.speeds import SpeedDocument, speeds
from xpu_doctor.treatment.plan import Step, is_offered

DOCUMENT_SCHEMA = 1
"""Fields are only added within a number, except inside `snapshot`."""


@dataclass(frozen=True)
class Tool:
    """The doctor itself."""

    name: str
    version: str
    peak_memory_bytes: int | None = None
    """Largest resident size of the doctor's own process."""
    command: str = "xpu-doctor"
    """What to type to call the doctor again, as it was called."""


@dataclass(frozen=True)
class TargetDocument:
    """The interpreter that was examined, and why that one; None stands for what is not known."""

    python: str | None
    """Path of the interpreter."""
    why: str
    version: str | None
    """Of the interpreter, e.g. `3.12.1`."""
    manager: str | None
    """What installs packages into its environment: `pip`, `uv`, `conda` ..."""
    prefix: str | None
    """The folder of the environment."""


@dataclass(frozen=True)
class RungDocument:
    """One layer of the ladder."""

    layer: str
    state: str
    """`ok`, `fault`, `blocked`, `unknown` or `skipped`."""
    summary: str


@dataclass(frozen=True)
class EvidenceDocument:
    """A fact that proves a finding."""

    fact: str
    """The path of the fact in the snapshot; where `kind` says another thing, what that is called."""
    value: str
    source: str
    kind: str = "fact"
    """`fact`, `message` (a line of output), `variable`, `table` (a row of the doctor's own tables) or `case` (a published one)."""
    checked: str = ""
    """Of a `table` row: the day on which its source was looked at, ISO 8601."""


@dataclass(frozen=True)
class RemedyDocument:
    """A way to fix a finding."""

    title: str
    why: str
    commands: list[str]
    """Complete lines to type, in this order."""
    os: str
    """The system on which they work: `linux`, `windows`; empty where on any."""
    manager: str
    """The package manager that they are for, or empty."""
    risk: str
    """What it costs: `none`, `reinstall`, `re-login`, `reboot` or `admin`."""
    verify: list[str]
    """Lines to type afterwards, which show whether it helped."""
    url: str
    """Where to read more, or empty."""
    besides: bool = False
    """Whether it is the next step after the remedy before it, not another way."""


@dataclass(frozen=True)
class FindingDocument:
    """A root cause, or a finding that one explains."""

    code: str
    layer: str
    severity: str
    confidence: str
    subject: str
    summary: str
    evidence: list[EvidenceDocument]
    remedies: list[RemedyDocument]
    explains: list[FindingDocument]
    page: str = ""
    """Address of the page that explains it; empty for a finding of a plug-in."""


@dataclass(frozen=True)
class UndecidedDocument:
    """A rule that lacked a fact."""

    code: str
    needs: str
    """Path of the fact in the snapshot."""
    reason: str
    """Why the fact is not known."""
    ask: str
    """The command whose output would show it, or empty."""


@dataclass(frozen=True)
class CrashDocument:
    """A part of the doctor that failed."""

    part: str
    name: str
    error: str


@dataclass(frozen=True)
class IgnoredDocument:
    """A finding that was hidden on request."""

    code: str
    count: int


@dataclass(frozen=True)
class ExpectationDocument:
    """An `--expect` and whether it is met."""

    expect: str
    """As it was given, e.g. `devices>=1`."""
    state: str
    """`met`, `unmet` or `unknown`."""
    reason: str


@dataclass(frozen=True)
class QuestionDocument:
    """What to ask next, where the facts do not decide: why, and what the customer types."""

    why: str
    commands: list[str]


@dataclass(frozen=True)
class ReadinessDocument:
    """What `fix` found before a step that it can do: the index, the disk, the rights, and others at work."""

    obstacles: list[str]
    """Why the step cannot begin, each with the way out; empty where nothing is known that is in the way."""
    unknown: list[str]
    """What could not be found out; it is no obstacle."""
    download_bytes: int
    """The known size of what has to be downloaded."""
    download_is_whole: bool
    """Whether that is all; else it is at least so much."""


@dataclass(frozen=True)
class StepDocument:
    """One step of what `fix` would do."""

    code: str
    """The finding that it fixes."""
    subject: str
    remedy: RemedyDocument
    obstacle: str
    """Why `fix --apply` does not run it itself; empty where it does."""
    also: list[str] = field(default_factory=list)
    """Codes of further findings that it fixes."""
    readiness: ReadinessDocument | None = None
    """Of a step that `fix --apply` runs, by `fix`; `check` does not ask the index."""


@dataclass(frozen=True)
class ProjectChangesDocument:
    """What the steps of `fix` write into the files of a project."""

    difference: str
    """In the unified format, of a lock file the first 80 lines; empty where nothing changes or that is not known."""
    reason: str
    """Why it cannot be told before; empty where it is told."""


@dataclass(frozen=True)
class Document:
    """The whole report."""

    schema: int
    tool: Tool
    created: str
    """UTC, ISO 8601."""
    origin: str
    """`live` (this machine), `saved` (a report of an earlier check) or `pasted`."""
    target: TargetDocument
    verdict: str
    """`findings`, `undiagnosed`, `healthy` or `tool-failed`."""
    exit_code: int
    """What the command line returns: 0, 1, 3 or 4, as docs/reference/exit-codes.md says."""
    ladder: list[RungDocument]
    root_causes: list[FindingDocument]
    undecided: list[UndecidedDocument]
    crashed: list[CrashDocument]
    ignored: list[IgnoredDocument]
    expectations: list[ExpectationDocument]
    timings: dict[str, float]
    """Seconds by stage or probe."""
    snapshot: dict[str, Any]
    """All facts; its own `schema` number, no promise yet."""
    notes: list[str] = field(default_factory=list)
    """What a reader should know of how the report came about, e.g. that a long text was cut."""
    independent_faults: int = 0
    """Root causes that are errors, and more than possible: none of them explains another, so each has to be fixed."""
    ask_next: list[QuestionDocument] = field(default_factory=list)
    """Triage: the questions whose answers would decide between the causes that are left."""
    reason: str = ""
    """The verdict in words; empty where the root causes say it all."""
    redacted: dict[str, int] | None = None
    """How many different values of each kind were hidden; None where nothing was, because --no-redact was given."""
    plan: list[StepDocument] = field(default_factory=list)
    """What `fix` would do, in order; empty for a text or a saved report."""
    fix: str = ""
    """The line that shows the plan, where `fix --apply` could do some of it; else empty."""
    fail_on: str = "error"
    """The severity from which on a finding makes the exit code 1: `error`, `warning`, or `never`."""
    project_changes: ProjectChangesDocument | None = None
    """Of `fix --edit-project` on a project: what would be written, after `--apply` what was written."""
    speeds: list[SpeedDocument] = field(default_factory=list)
    """The timed matmuls, each beside the CPU and the published peak of its device."""
    program: ProgramDocument | None = None
    """The program that was watched; None where none was."""
    node: str | None = None
    """Name of the machine among others, as `--host-name` lets it stand there; None where it is hidden."""


def document(
    diagnosis: Diagnosis,
    snapshot: Snapshot,
    facts: dict[str, Any],
    *,
    version: str,
    created: str,
    timings: dict[str, float],
    notes: tuple[str, ...] = (),
    peak_memory: int | None = None,
    command: str = "xpu-doctor",
    steps: tuple[Step, ...] = (),
    fail_on: str = "error",
    node: str | None = None,
) -> Document:
    """Build the document with everything in it as it was found; `facts` is the snapshot as plain JSON values."""
    return Document(
        schema=DOCUMENT_SCHEMA,
        tool=Tool("xpu-doctor", version, peak_memory, command),
        created=created,
        origin=str(snapshot.origin),
        target=_target(snapshot),
        verdict=str(diagnosis.verdict),
        reason=diagnosis.reason,
        exit_code=diagnosis.exit_code,
        ladder=[RungDocument(rung.layer.value, rung.state.value, rung.summary) for rung in diagnosis.ladder],
        root_causes=[finding_document(finding, command) for finding in diagnosis.root_causes],
        undecided=[UndecidedDocument(item.code, item.needs, item.reason, item.ask) for item in diagnosis.undecided],
        crashed=[CrashDocument(str(item.part), item.name, item.error) for item in diagnosis.crashed],
        ignored=[IgnoredDocument(item.code, item.count) for item in diagnosis.ignored],
        expectations=[
            ExpectationDocument(item.expect, str(item.state), item.reason) for item in diagnosis.expectations
        ],
        timings={name: round(seconds, 4) for name, seconds in timings.items()},
        snapshot=facts,
        notes=list(notes),
        independent_faults=_independent_faults(diagnosis.root_causes),
        plan=[_step(step, command) for step in steps],
        fix=_fix(diagnosis, steps, snapshot, command),
        fail_on=fail_on,
        speeds=speeds(snapshot.compute),
        program=program_document(snapshot),
        node=node,
    )


def _independent_faults(roots: Iterable[Finding]) -> int:
    return sum(1 for root in roots if root.severity is Severity.ERROR and root.confidence is not Confidence.POSSIBLE)


def _step(step: Step, command: str) -> StepDocument:
    return StepDocument(step.code, step.subject, _remedy(step.remedy, command), step.obstacle, list(step.also))


def _fix(diagnosis: Diagnosis, steps: tuple[Step, ...], snapshot: Snapshot, command: str) -> str:
    python = interpreter(snapshot.python)
    if not is_offered(diagnosis.root_causes, steps):
        return ""
    return called(lines([Command(("xpu-doctor", "fix", "--python", python))], shell_of(snapshot.python)), command)[0]


def _target(snapshot: Snapshot) -> TargetDocument:
    def text(value: object) -> str | None:
        return value if isinstance(value, str) else None

    return TargetDocument(
        text(snapshot.target.executable),
        snapshot.target.why,
        text(snapshot.python.version),
        text(snapshot.installer.manager),
        text(snapshot.python.prefix),
    )


def finding_document(finding: Finding, command: str = "xpu-doctor") -> FindingDocument:
    """Return a finding, and what it explains, in the shape of the document; `command` is how the doctor is called here."""
    return FindingDocument(
        code=finding.code,
        layer=finding.layer.value,
        severity=finding.severity.value,
        confidence=finding.confidence.value,
        subject=finding.subject,
        summary=finding.summary,
        evidence=[
            EvidenceDocument(item.label, item.value, item.source, item.kind.value, item.checked)
            for item in finding.evidence
        ],
        remedies=[_remedy(item, command) for item in finding.remedies],
        explains=[finding_document(child, command) for child in finding.explains],
        page=page_address(finding.code, finding.layer),
    )


def _remedy(remedy: Remedy, command: str) -> RemedyDocument:
    shown = printable(remedy)
    if remedy.shell is Shell.CMD:  # which knows no `&` before a quoted program
        command = command.removeprefix("& ")
    return RemedyDocument(
        title=shown.heading,
        why=shown.why,
        commands=called(shown.commands, command),
        os=shown.os,
        manager=shown.manager,
        risk=shown.risk.value,
        verify=called(shown.verify, command),
        url=shown.url,
        besides=shown.besides,
    )


def called(lines: Iterable[str], command: str) -> list[str]:
    """Lines to type, with the doctor called the way it can be called here."""
    return [command + line[len("xpu-doctor") :] if line.startswith("xpu-doctor ") else line for line in lines]
