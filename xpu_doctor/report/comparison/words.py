"""What all forms of a comparison say in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from xpu_doctor.comparison.model import Kind, State, Weight
from xpu_doctor.model.terms import Origin
from xpu_doctor.report.comparison.document import ComparisonDocument, DifferenceDocument, SideDocument, ValueDocument
from xpu_doctor.report.phrases import VERDICTS


def headline(document: ComparisonDocument) -> str:
    """Return what the comparison comes to, in a sentence or two."""
    known = f"{document.compared} fact{'' if document.compared == 1 else 's'}"
    whom = "both know" if len(document.sides) == 2 else "at least two know"
    if not document.compared:
        return f"Nothing could be compared: there is no fact that {whom}."
    if not document.differences:
        return f"Nothing differs in the {known} that {whom}."
    return " ".join(filter(None, (_counted(document, f"{known} that {whom}"), _oddest(document))))


def _counted(document: ComparisonDocument, known: str) -> str:
    facts = [row for row in document.differences if row.kind == Kind.FACT]
    less = sum(1 for row in facts if row.weight == Weight.OTHER)
    more = len(facts) - less
    if not facts:
        return f"The {known} are alike, and yet the judgement differs."
    if not more:
        return (
            f"Of the {known}, only {less} that tell{'s' if less == 1 else ''} little differ{'s' if less == 1 else ''}."
        )
    depend = f"{more} that findings depend on differ{'s' if more == 1 else ''}"
    rest = f", and {less} that tell{'s' if less == 1 else ''} less" if less else ""
    return f"Of the {known}, {depend}{rest}."


def _oddest(document: ComparisonDocument) -> str:
    """Say which of three or more sides is the odd one out most often in what tells most, where one is."""
    rows = telling(document.differences)
    counts = Counter(row.odd[0] for row in rows if len(row.odd) == 1).most_common(2)
    if len(document.sides) < 3 or not counts or (len(counts) > 1 and counts[0][1] == counts[1][1]):
        return ""
    label, most = counts[0]
    return f"{label} is the odd one out in {most} of the {len(rows)} differences that tell most."


def telling(rows: Sequence[DifferenceDocument]) -> Sequence[DifferenceDocument]:
    """Return the differences that tell most, or all where none does."""
    return [row for row in rows if row.weight != Weight.OTHER] or rows


def about(side: SideDocument) -> str:
    """Return what a side is, and what became of a program that was watched there, in one line."""
    when = f"examined {side.created[:10]} {side.created[11:16]} UTC" if side.created else "examined before"
    origin = "a pasted text" if side.origin == Origin.PASTED else when
    gpus = ", ".join(f"{count} x {name}" if count > 1 else name for name, count in Counter(side.gpus).items())
    torch = f"torch {side.torch}" if side.torch else ""
    machine = ", ".join(filter(None, (origin, side.system, gpus, torch, VERDICTS.get(side.verdict, side.verdict))))
    return f"{machine}. {side.program}" if side.program else machine


def values_by_side(row: DifferenceDocument) -> list[tuple[str, str]]:
    """Return (labels of the sides, what these say), each value once, in the order of the sides."""
    found: dict[str, list[str]] = {}
    for value in row.values:
        found.setdefault(said_of(row, value), []).append(value.side)
    return [(", ".join(sides), said) for said, sides in found.items()]


def said_of(row: DifferenceDocument, value: ValueDocument) -> str:
    """Return what a side says of a difference, in words."""
    if value.state == State.UNKNOWN:
        return f"not known ({value.text})"
    if value.state == State.ABSENT:
        return "not found" if row.kind == Kind.FINDING else "not there"
    return VERDICTS.get(value.text, value.text) if row.kind == Kind.VERDICT else value.text or "none"


def odd_one(row: DifferenceDocument) -> str:
    """Return who is the odd one out, as an addition to a line."""
    return f"  (odd one out: {', '.join(row.odd)})" if row.odd else ""


def reason_of(document: ComparisonDocument, row: DifferenceDocument) -> str:
    """Return what a finding says where it is a root cause of a side."""
    code = row.label
    return next((root.summary for side in document.sides for root in side.root_causes if root.code == code), "")


def hidden_differences(rows: Sequence[DifferenceDocument]) -> str:
    """Return how many differences are not shown."""
    one = len(rows) == 1
    less = f" and tell{'s' if one else ''} less" if all(row.weight == Weight.OTHER for row in rows) else ""
    return f"{len(rows)} more fact{' differs' if one else 's differ'}{less} (-v shows {'it' if one else 'them'})"


def not_known(rows: Iterable[DifferenceDocument]) -> list[tuple[str, str, list[str]]]:
    """Return (sides, reason, what they do not know), together for each reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        reasons: dict[str, list[str]] = {}
        for value in row.values:
            if value.state == State.UNKNOWN:
                reasons.setdefault(value.text, []).append(value.side)
        for reason, sides in reasons.items():
            found.setdefault((", ".join(sides), reason), []).append(row.label)
    return [(sides, reason, labels) for (sides, reason), labels in found.items()]


def spoken(labels: Sequence[str], most: int | None) -> str:
    """Return names in a row, and how many more there are."""
    shown = labels if most is None else labels[:most]
    rest = len(labels) - len(shown)
    return "; ".join(shown) + (f", and {rest} more" if rest else "")
