"""The comparison in Markdown, for an issue or a ticket: a table for the judgement, one for the facts, the rest folded up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpu_doctor.comparison.model import Kind, Weight
from xpu_doctor.report.comparison.document import ComparisonDocument, DifferenceDocument
from xpu_doctor.report.comparison.words import about, headline, not_known, said_of
from xpu_doctor.report.markdown_text import code, escaped

MAX_CELL = 160
"""Characters of a value in a table."""


def comparison_markdown(document: ComparisonDocument) -> str:
    """Return the whole comparison as Markdown that ends with a newline; what texts of others hold stays text."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: ComparisonDocument) -> Iterator[str]:
    yield from ("## xpu-doctor compare", "", f"**{escaped(headline(document))}**", "")
    yield from (f"- **{side.label}** {_code(side.name)}: {escaped(about(side))}" for side in document.sides)
    for note in document.notes:
        yield from ("", f"> {escaped(note)}")
    labels = [side.label for side in document.sides]
    judged = [row for row in document.differences if row.kind != Kind.FACT]
    facts = [row for row in document.differences if row.kind == Kind.FACT]
    telling = [row for row in facts if row.weight != Weight.OTHER]
    yield from _table("The judgement differs", judged, labels)
    yield from _table("What differs, the most telling first", telling, labels, "proves")
    if others := [row for row in facts if row.weight == Weight.OTHER]:
        plural = "s that differ and tell" if len(others) > 1 else " that differs and tells"
        yield from _folded(f"{len(others)} fact{plural} less", _table("", others, labels))
    if document.one_sided:
        yield from _folded("Not known everywhere, and so not compared", _not_known(document.one_sided))


def _table(title: str, rows: Sequence[DifferenceDocument], labels: Sequence[str], proves: str = "") -> Iterator[str]:
    if not rows:
        return
    more = [*(["odd one out"] if len(labels) > 2 else []), *filter(None, [proves])]
    if title:
        yield from ("", f"### {title}")
    yield from ("", _row([" ", *labels, *more]), _row(["---"] * (1 + len(labels) + len(more))))
    for row in rows:
        said = [_cell(said_of(row, value)) for value in row.values]
        odd = [", ".join(row.odd)] if len(labels) > 2 else []
        yield _row([_name(row), *said, *odd, *([", ".join(map(_code, row.proves))] if proves else [])])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _name(row: DifferenceDocument) -> str:
    label = escaped(row.label)
    return label if row.kind != Kind.FACT or row.label == row.path else f"{label}<br>{_code(row.path)}"


def _cell(text: str) -> str:
    return escaped(text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…")


def _code(text: str) -> str:
    """Return a text as code within a cell, where a bar would end it."""
    return code(text).replace("|", "\\|")


def _folded(title: str, lines: Iterator[str]) -> Iterator[str]:
    yield from ("", "<details>", f"<summary>{title}</summary>")
    yield from lines
    yield from ("", "</details>")


def _not_known(rows: Sequence[DifferenceDocument]) -> Iterator[str]:
    yield ""
    for sides, reason, labels in not_known(rows):
        yield f"- not known in {sides} ({_cell(reason)}): {'; '.join(map(escaped, labels))}"
