"""The fleet for people: outliers first, each with what separates it, its cause, its nodes and the next command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpu_doctor.fleet.names import folded
from xpu_doctor.report.clean import clean
from xpu_doctor.report.fleet.document import FleetCause, FleetDocument, GroupDocument
from xpu_doctor.report.fleet.words import (
    change_in_words,
    count,
    fact_in_words,
    few_speeds,
    headline,
    named,
    not_read_in_words,
    of_most,
    slow_in_words,
    title,
    what_separates,
)
from xpu_doctor.report.terminal import Terminal

MAX_GROUPS = 30
"""Groups that are shown without -v."""
MAX_ROWS = 10
"""Slow cards, changes and files that are shown without -v."""
MAX_RANGES = 8
"""Ranges of nodes that are shown without -v."""
MAX_COMMANDS = 4
MARKS = {
    "error": ("fault", "bad"),
    "warning": ("fault", "careful"),
    "unknown": ("unknown", "note"),
    "healthy": ("ok", "good"),
}
"""Mark and style of each state."""


def fleet_text(document: FleetDocument, terminal: Terminal, *, verbose: bool = False) -> str:
    """Return the whole fleet as text that ends with a newline."""
    return "\n".join(_Page(clean(document), terminal, verbose).lines()) + "\n"


class _Page:
    def __init__(self, document: FleetDocument, terminal: Terminal, verbose: bool) -> None:
        self.document = document
        self.terminal = terminal
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        document = self.document
        yield from self.terminal.wrapped(headline(document), styles=("strong",))
        for note in document.notes:
            yield from self.terminal.wrapped(note, lead="Note:", lead_styles=("note", "strong"))
        outliers = [group for group in document.groups if not group.majority]
        yield from self.groups("Outliers, the worst first:", outliers)
        yield from self.rows("Slow cards:", [slow_in_words(card) for card in document.slow_cards])
        yield from self.nodes("Missing, expected and without a report:", document.missing)
        most = [group for group in document.groups if group.majority]
        yield from self.groups(f"{of_most(document, most)}:", most)
        yield from self.rows("Changed between reports:", [change_in_words(row) for row in document.changes])
        yield from self.nodes(
            "Reports that are more than a day older than most:",
            [f"{row.node} ({row.created})" for row in document.stale],
        )
        yield from self.nodes("Not expected:", document.unexpected)
        yield from self.not_read()
        yield from self.closing()

    def heading(self, text: str) -> Iterator[str]:
        yield ""
        yield self.terminal.style(text, "strong")

    def groups(self, heading: str, groups: Sequence[GroupDocument]) -> Iterator[str]:
        if not groups:
            return
        yield from self.heading(heading)
        shown = groups if self.verbose else groups[:MAX_GROUPS]
        for group in shown:
            yield from self.group(group)
        if len(groups) > len(shown):
            yield from self.terminal.wrapped(
                f"{len(groups) - len(shown)} more groups (-v shows them)", indent=2, styles=("quiet",)
            )

    def group(self, group: GroupDocument) -> Iterator[str]:
        mark, style = MARKS[group.state] if group.majority or group.state != "healthy" else ("bullet", "note")
        first, *rest = self.terminal.wrapped(title(self.document, group), indent=2, mark=mark, hang=0)
        yield self.terminal.style(first, style)
        yield from (self.terminal.style(line, style) for line in rest)
        if not (group.majority and group.size > 3 and not group.causes) or self.verbose:
            yield from self.terminal.wrapped(named(group.ranges, None if self.verbose else MAX_RANGES), indent=4)
        told: set[str] = set()
        for cause in group.causes:
            yield from self.cause(cause, bool(what_separates(group)), told)
        if self.verbose:
            for fact in group.also:
                yield from self.terminal.wrapped(f"also: {fact_in_words(fact)}", indent=4, hang=6, styles=("quiet",))
        for detail in group.details[: None if self.verbose else 3]:
            yield from self.terminal.wrapped(f"{detail.node}: {detail.subject}", indent=4, styles=("quiet",))

    def cause(self, cause: FleetCause, with_code: bool, told: set[str]) -> Iterator[str]:
        """Yield a cause and how to fix it, unless the same is told of another one."""
        code = f" [{cause.code}]" if with_code else ""
        yield from self.terminal.wrapped(f"{cause.summary}{code}", indent=4)
        for remedy in cause.remedies[: None if self.verbose else 1]:
            if remedy.title in told:
                continue
            told.add(remedy.title)
            yield from self.terminal.wrapped(remedy.title, indent=4, lead="fix:", lead_styles=("strong",))
            for line in remedy.commands[: None if self.verbose else MAX_COMMANDS]:
                yield " " * 6 + self.terminal.style(line, "command")

    def rows(self, heading: str, rows: Sequence[str]) -> Iterator[str]:
        if not rows:
            return
        yield from self.heading(heading)
        shown = rows if self.verbose else rows[:MAX_ROWS]
        for row in shown:
            yield from self.terminal.wrapped(row, indent=2, mark="bullet", hang=0)
        if len(rows) > len(shown):
            yield from self.terminal.wrapped(
                f"{len(rows) - len(shown)} more (-v shows them)", indent=4, styles=("quiet",)
            )

    def nodes(self, heading: str, names: Sequence[str]) -> Iterator[str]:
        if not names:
            return
        yield from self.heading(f"{heading} {len(names)}")
        yield from self.terminal.wrapped(named(folded(names), None if self.verbose else 2 * MAX_RANGES), indent=2)

    def not_read(self) -> Iterator[str]:
        rows = self.document.not_read
        if rows:
            yield from self.heading("Files that gave no node:")
        for row in rows:
            yield from self.terminal.wrapped(
                not_read_in_words(row, MAX_ROWS if self.verbose else 3), indent=2, mark="bullet"
            )

    def closing(self) -> Iterator[str]:
        document = self.document
        yield ""
        copies = (
            f", {count(document.duplicates, 'copy').replace('copys', 'copies')} among them"
            if document.duplicates
            else ""
        )
        times = f", made from {document.oldest} to {document.newest}" if document.oldest else ""
        yield from self.terminal.wrapped(f"{count(document.reports, 'report')}{copies}{times}.", styles=("quiet",))
        if few := few_speeds(document):
            yield from self.terminal.wrapped(few, styles=("quiet",))
