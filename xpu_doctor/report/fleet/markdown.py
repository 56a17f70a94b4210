"""The fleet in Markdown, for an issue or a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpu_doctor.fleet.names import folded
from xpu_doctor.report.fleet.document import FleetDocument, GroupDocument
from xpu_doctor.report.fleet.words import (
    STATES,
    change_in_words,
    count,
    few_speeds,
    headline,
    named,
    not_read_in_words,
    of_most,
    slow_in_words,
    title,
)
from xpu_doctor.report.markdown_text import code, escaped, fenced

MAX_GROUPS = 100
MAX_ROWS = 50
MAX_RANGES = 20


def fleet_markdown(document: FleetDocument) -> str:
    """Return the whole fleet as Markdown that ends with a newline; what texts of others hold stays text."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: FleetDocument) -> Iterator[str]:
    yield from ("## xpu-doctor fleet", "", f"**{escaped(headline(document))}**")
    for note in document.notes:
        yield from ("", f"> {escaped(note)}")
    outliers = [group for group in document.groups if not group.majority]
    yield from _groups(document, "Outliers, the worst first", outliers)
    yield from _bullets("Slow cards", [slow_in_words(card) for card in document.slow_cards])
    yield from _bullets("Missing", _folded(document.missing))
    most = [group for group in document.groups if group.majority]
    yield from _groups(document, of_most(document, most), most)
    yield from _bullets("Changed between reports", [change_in_words(row) for row in document.changes])
    yield from _bullets(
        "Reports that are more than a day older than most", [f"{row.node} ({row.created})" for row in document.stale]
    )
    yield from _bullets("Not expected", _folded(document.unexpected))
    yield from _bullets("Files that gave no node", [not_read_in_words(row, 5) for row in document.not_read])
    times = f", made from {document.oldest} to {document.newest}" if document.oldest else ""
    yield from ("", escaped(f"{count(document.reports, 'report')}{times}. {few_speeds(document)}".strip()))


def _folded(names: Sequence[str]) -> list[str]:
    return [named(folded(names), MAX_RANGES)] if names else []


def _groups(document: FleetDocument, heading: str, groups: Sequence[GroupDocument]) -> Iterator[str]:
    if not groups:
        return
    yield from ("", f"### {heading}", "", "| | state | cause | nodes |", "| --- | --- | --- | --- |")
    for group in groups[:MAX_GROUPS]:
        causes = ", ".join(_code(cause.code) for cause in group.causes) or "-"
        yield f"| {escaped(title(document, group))} | {STATES[group.state]} | {causes} | {_code(named(group.ranges, MAX_RANGES))} |"
    if len(groups) > MAX_GROUPS:
        yield from ("", f"{len(groups) - MAX_GROUPS} more groups.")
    yield from _causes(groups[:MAX_GROUPS])


def _causes(groups: Sequence[GroupDocument]) -> Iterator[str]:
    """Yield each cause once, with the nodes of all groups that have it, and what to do about it."""
    nodes: dict[tuple[str, str], list[str]] = {}
    for group in groups:
        for cause in group.causes:
            nodes.setdefault((cause.code, cause.summary), []).extend(group.ranges)
    causes = {(cause.code, cause.summary): cause for group in reversed(groups) for cause in group.causes}
    for key, ranges in nodes.items():
        cause = causes[key]
        yield from ("", f"{_code(cause.code)} ({_code(named(ranges, MAX_RANGES))}): {escaped(cause.summary)}")
        for remedy in cause.remedies[:1]:
            yield from ("", f"{escaped(remedy.title)}")
            if remedy.commands:
                yield from ("", *fenced(remedy.commands, "sh"))


def _bullets(heading: str, rows: Sequence[str]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", f"### {heading}", "", *(f"- {escaped(row)}" for row in rows[:MAX_ROWS]))
    if len(rows) > MAX_ROWS:
        yield f"- {len(rows) - MAX_ROWS} more"


def _code(text: str) -> str:
    """Return a text as code within a cell, where a bar would end it."""
    return code(text).replace("|", "\\|")
