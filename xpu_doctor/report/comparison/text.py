"""The comparison for people: the sides, how their judgement differs, and the facts that differ, most telling first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xpu_doctor.comparison.model import Kind, Weight
from xpu_doctor.report.clean import clean
from xpu_doctor.report.comparison.document import ComparisonDocument, DifferenceDocument, SideDocument
from xpu_doctor.report.comparison.words import (
    about,
    headline,
    hidden_differences,
    not_known,
    odd_one,
    reason_of,
    spoken,
    telling,
    values_by_side,
)
from xpu_doctor.report.terminal import Terminal

MAX_FACTS = 12
"""Differing facts that are shown without -v."""
MAX_NAMES = 4
"""Facts that only some sides know that are named without -v."""

MAX_RULES = 5
"""Rules that read a fact that are named with -v."""


def comparison_text(document: ComparisonDocument, terminal: Terminal, *, verbose: bool = False) -> str:
    """Return the whole comparison as text that ends with a newline."""
    return "\n".join(_Page(clean(document), terminal, verbose).lines()) + "\n"


class _Page:
    def __init__(self, document: ComparisonDocument, terminal: Terminal, verbose: bool) -> None:
        self.document = document
        self.terminal = terminal
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        yield from self.terminal.wrapped(headline(self.document), styles=("strong",))
        for side in self.document.sides:
            yield from self.side(side)
        for note in self.document.notes:
            yield from self.terminal.wrapped(note, lead="Note:", lead_styles=("note", "strong"))
        judged = [row for row in self.document.differences if row.kind != Kind.FACT]
        facts = [row for row in self.document.differences if row.kind == Kind.FACT]
        yield from self.judged(judged)
        yield from self.facts(facts)
        yield from self.one_sided(self.document.one_sided)

    def side(self, side: SideDocument) -> Iterator[str]:
        yield from self.terminal.wrapped(f"{side.label}  {side.name}: {about(side)}", indent=2, hang=3)

    def judged(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if rows:
            yield ""
            yield self.terminal.style("The judgement differs:", "strong")
        width = max((len(row.label) for row in rows), default=0)
        for row in rows:
            values = ";  ".join(f"{sides}: {said}" for sides, said in values_by_side(row))
            yield from self.terminal.wrapped(f"{row.label:<{width}}  {values}{odd_one(row)}", indent=2, hang=width + 2)
            if row.kind == Kind.FINDING and (summary := reason_of(self.document, row)):
                yield from self.terminal.wrapped(summary, indent=4 + width, styles=("quiet",))

    def facts(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if not rows:
            return
        shown = rows if self.verbose else [row for row in rows if row.weight != Weight.OTHER][:MAX_FACTS]
        if shown:
            yield ""
            yield self.terminal.style("What differs, the most telling first:", "strong")
        for number, row in enumerate(shown, 1):
            yield from self.fact(number, row)
        if len(rows) > len(shown):
            yield ""
            yield from self.terminal.wrapped(hidden_differences(rows[len(shown) :]), styles=("quiet",))

    def fact(self, number: int, row: DifferenceDocument) -> Iterator[str]:
        yield from self.terminal.wrapped(f"{number:>3}. {row.label}{odd_one(row)}", styles=("strong",), hang=5)
        for sides, said in values_by_side(row):
            yield from self.terminal.wrapped(f"{sides}: {said}", indent=8, hang=len(sides) + 2)
        if row.proves:
            yield from self.terminal.wrapped(f"proves {', '.join(row.proves)}", indent=8, styles=("quiet",))
        if self.verbose and row.path != row.label:
            yield from self.terminal.wrapped(row.path, indent=8, styles=("quiet",))
        if self.verbose and row.read_by:
            yield from self.terminal.wrapped(
                f"read by {spoken(row.read_by, MAX_RULES)}", indent=8, hang=2, styles=("quiet",)
            )

    def one_sided(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if not rows:
            return
        shown = rows if self.verbose else telling(rows)
        yield ""
        yield self.terminal.style("Not known everywhere, and so not compared:", "strong")
        for sides, reason, labels in not_known(shown):
            yield from self.terminal.wrapped(f"not known in {sides}: {reason}", indent=2, mark="bullet")
            yield from self.terminal.wrapped(
                spoken(labels, None if self.verbose else MAX_NAMES), indent=6, styles=("quiet",)
            )
