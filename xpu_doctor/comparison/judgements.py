"""In what the doctor's judgement of the sides differs: the verdict, the findings, the rungs of the ladder."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

from xpu_doctor.comparison.model import Kind, Side, State, Value
from xpu_doctor.diagnosis.diagnose import Diagnosis
from xpu_doctor.diagnosis.ladder import State as RungState
from xpu_doctor.model.findings import LADDER, Confidence, Finding, Severity
from xpu_doctor.model.terms import OverallVerdict


@dataclass(frozen=True)
class Judged:
    """A part of the judgement, with what each side has there."""

    path: str
    kind: Kind
    values: tuple[Value, ...]
    groups: tuple[Hashable, ...]
    """What is equal for sides that are alike; None for one that could not be judged."""


@dataclass(frozen=True)
class Stand:
    """Where a finding stands in a diagnosis."""

    finding: Finding
    above: str = ""
    """Code of the finding that explains it; empty for a root cause."""
    depth: int = 0


def stands(diagnosis: Diagnosis) -> dict[str, Stand]:
    """Return where each code stands, the first time that it comes."""
    found: dict[str, Stand] = {}

    def walk(finding: Finding, above: str, depth: int) -> None:
        found.setdefault(finding.code, Stand(finding, above, depth))
        for child in finding.explains:
            walk(child, finding.code, depth + 1)

    for root in diagnosis.root_causes:
        walk(root, "", 0)
    return found


def judged(sides: Sequence[Side]) -> Iterator[Judged]:
    """Yield the verdict, every finding and every layer in which sides differ or of which some could not judge, in this order."""
    parts = (_verdict(sides), *_findings(sides), *_ladder(sides))
    yield from (part for part in parts if len(set(part.groups)) > 1)


def _judged(path: str, kind: Kind, values: Sequence[Value]) -> Judged:
    groups = tuple(None if value.state is State.UNKNOWN else (value.state, value.text) for value in values)
    return Judged(path, kind, tuple(values), groups)


def _verdict(sides: Sequence[Side]) -> Judged:
    return _judged("verdict", Kind.VERDICT, [_verdict_of(side.diagnosis) for side in sides])


def _verdict_of(diagnosis: Diagnosis) -> Value:
    if diagnosis.verdict in (OverallVerdict.UNDIAGNOSED, OverallVerdict.TOOL_FAILED):
        return Value(State.UNKNOWN, diagnosis.reason.rstrip(":") or str(diagnosis.verdict))
    return Value(State.KNOWN, str(diagnosis.verdict))


def _findings(sides: Sequence[Side]) -> Iterator[Judged]:
    found = [stands(side.diagnosis) for side in sides]
    undecided = [{item.code: item.reason for item in side.diagnosis.undecided} for side in sides]
    for code in sorted({code for row in found for code in row}, key=lambda code: (importance(code, found), code)):
        values = [_stand(row.get(code), reasons.get(code)) for row, reasons in zip(found, undecided, strict=True)]
        yield _judged(f"findings[{code}]", Kind.FINDING, values)


def importance(code: str, found: Sequence[dict[str, Stand]]) -> tuple[int, int, int]:
    """Return by what a finding comes before others: roots before what they explain, errors before warnings, the sure before guesses."""
    there = [row[code] for row in found if code in row]
    return (
        min(stand.depth for stand in there),
        -max(stand.finding.severity.rank for stand in there),
        -max(stand.finding.confidence.rank for stand in there),
    )


def _stand(stand: Stand | None, undecided: str | None) -> Value:
    if stand is None:
        return Value(State.ABSENT) if undecided is None else Value(State.UNKNOWN, undecided)
    if stand.finding.confidence is Confidence.POSSIBLE:
        return Value(State.UNKNOWN, f"no more than possible: {stand.finding.summary}")
    word = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}[stand.finding.severity]
    return Value(
        State.KNOWN, f"explained by {stand.above}" if stand.above else f"root cause, {word}" if word != "note" else word
    )


def _ladder(sides: Sequence[Side]) -> Iterator[Judged]:
    rungs = [{rung.layer: rung for rung in side.diagnosis.ladder} for side in sides]
    for layer in LADDER:
        values = []
        for row in rungs:
            rung = row.get(layer)
            if rung is None or rung.state in (RungState.UNKNOWN, RungState.SKIPPED):
                values.append(Value(State.UNKNOWN, rung.summary if rung else "not judged"))
            else:
                values.append(Value(State.KNOWN, rung.state.value))
        yield _judged(f"ladder[{layer.value}]", Kind.LAYER, values)
