"""The JSON document that `compare --json` prints: schema 1, its own types, apart from the internal ones."""

from __future__ import annotations

from dataclasses import field, replace
from typing import Any

from xpu_doctor.comparison.model import Comparison, Difference, Side, Value, Weight
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.report.comparison.labels import label_of
from xpu_doctor.report.document import Tool
from xpu_doctor.report.program import program_document
from xpu_doctor.report.program_words import headline, rows
from xpu_doctor.report.redaction import NOT_REDACTED
from xpu_doctor.tables.gpus import intel_gpus, title

COMPARISON_SCHEMA = 1
"""Fields are only added within a number."""


@dataclass(frozen=True)
class SideDocument:
    """One of the reports or texts that are compared."""

    label: str
    """`A`, `B` ..."""
    name: str
    """The name of its file, without folders."""
    origin: str
    """`saved` (a report of the doctor) or `pasted` (a text, which tells less)."""
    created: str
    """When the machine was examined, UTC, ISO 8601; empty where that is not known."""
    system: str
    """Its operating system, or empty."""
    gpus: list[str]
    """Its Intel GPUs."""
    torch: str
    """The version of its torch, or empty."""
    verdict: str
    """`findings`, `undiagnosed`, `healthy` or `tool-failed`, by the rules of this version of the doctor."""
    root_causes: list[SideCause]
    program: str = ""
    """What became of a watched program, in one line; empty where none was watched."""


@dataclass(frozen=True)
class SideCause:
    """A root cause of a side."""

    code: str
    severity: str
    confidence: str
    summary: str


@dataclass(frozen=True)
class ValueDocument:
    """What one side says of what differs."""

    side: str
    """Label of the side."""
    state: str
    """`known`, `absent` (there is no such thing) or `unknown`."""
    text: str
    """The value, or why it is not known; empty where it is absent."""


@dataclass(frozen=True)
class DifferenceDocument:
    """One thing that differs."""

    path: str
    """A fact by its path in the snapshot, with names for numbers: `distributions.installed[torch].version`; `findings[CODE]`,
    `ladder[LAYER]` or `verdict`."""
    label: str
    """The same in words."""
    kind: str
    """`verdict`, `finding`, `layer` or `fact`."""
    weight: str
    """`judgement`, `proof` (proves an error or a warning that only some sides have), `read` (rules read it) or `other`
    (none does, or it says where something lies or how large it is)."""
    values: list[ValueDocument]
    proves: list[str]
    """Codes of the findings that it proves."""
    read_by: list[str]
    """Codes of the rules that read it when they decide."""
    odd: list[str]
    """Of three and more sides: labels of those that are not with the majority."""


@dataclass(frozen=True)
class ComparisonDocument:
    """The whole comparison."""

    schema: int
    tool: Tool
    created: str
    """UTC, ISO 8601."""
    same: bool
    """Whether nothing is known to differ."""
    compared: int
    """How many facts at least two sides know."""
    exit_code: int
    """0 where nothing differs, 1 where something does, 3 where nothing is known to, but a report lacks facts that findings depend on
    and others have, or no fact could be compared."""
    sides: list[SideDocument]
    differences: list[DifferenceDocument]
    """The most telling first."""
    one_sided: list[DifferenceDocument]
    """What only some sides know: no difference of value."""
    notes: list[str] = field(default_factory=list)
    redacted: dict[str, int] | None = None
    """How many different values of each kind were hidden; None where nothing was, because --no-redact was given."""


def comparison_document(
    comparison: Comparison,
    *,
    version: str,
    created: str,
    notes: tuple[str, ...] = (),
    redacted: dict[str, int] | None = None,
) -> ComparisonDocument:
    """Return a comparison in the shape of the document."""
    return ComparisonDocument(
        schema=COMPARISON_SCHEMA,
        tool=Tool("xpu-doctor", version),
        created=created,
        same=comparison.same,
        compared=comparison.compared,
        exit_code=int(exit_code(comparison)),
        sides=[_side(side) for side in comparison.sides],
        differences=[_difference(row, comparison.sides) for row in comparison.differences],
        one_sided=[_difference(row, comparison.sides) for row in comparison.one_sided],
        notes=[*notes, *(() if redacted is not None else (NOT_REDACTED,))],
        redacted=redacted,
    )


def exit_code(comparison: Comparison) -> ExitCode:
    """Return what the command line says of a comparison."""
    if not comparison.same:
        return ExitCode.FINDINGS
    lacking = any(row.weight is not Weight.OTHER for row in comparison.one_sided)
    return ExitCode.UNDIAGNOSED if lacking or not comparison.compared else ExitCode.OK


def _side(side: Side) -> SideDocument:
    snapshot = side.snapshot
    roots = side.diagnosis.root_causes
    return SideDocument(
        label=side.label,
        name=side.name,
        origin=str(snapshot.origin),
        created=side.created,
        system=_text(snapshot.machine.os_name) or _text(snapshot.machine.os),
        gpus=_gpus(snapshot),
        torch=_text(snapshot.torch.version) or _text(snapshot.imported.version),
        verdict=str(side.diagnosis.verdict),
        root_causes=[SideCause(row.code, row.severity.value, row.confidence.value, row.summary) for row in roots],
        program=_program(snapshot),
    )


def _program(snapshot: Snapshot) -> str:
    program = program_document(snapshot)
    return (
        ""
        if program is None
        else "; ".join((headline(program).rstrip("."), *(f"{label} {text}" for label, text in rows(program))))
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _gpus(snapshot: Snapshot) -> list[str]:
    gpus = snapshot.gpus
    if isinstance(gpus, Unknown):
        return []
    return [title(replace(gpu, address="")) for gpu in intel_gpus(gpus)]


def _difference(row: Difference, sides: tuple[Side, ...]) -> DifferenceDocument:
    return DifferenceDocument(
        path=row.path,
        label=label_of(row.path),
        kind=str(row.kind),
        weight=str(row.weight),
        values=[_value(value, side) for value, side in zip(row.values, sides, strict=True)],
        proves=list(row.proves),
        read_by=list(row.read_by),
        odd=[sides[place].label for place in row.odd],
    )


def _value(value: Value, side: Side) -> ValueDocument:
    return ValueDocument(side.label, str(value.state), value.text)
