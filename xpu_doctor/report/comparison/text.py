"""The comparison for people: the sides, how their judgement differs, and the facts that differ, most telling first."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from xpu_doctor.comparison.model import Kind
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


def comparison_text(document: ComparisonDocument, terminal: Terminal, *, verbose: bool = False) -> str:
    """Return the whole comparison as text that ends with a newline."""
    return "\n".join(_Page(clean(document), terminal, verbose).lines()) + "\n"


class _Page:
    def __init__(self, document: ComparisonDocument, terminal: Terminal, verbose: bool) -> None:
        self.document = document
        self.terminal = terminal
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        yield from self.wrapped(headline(self.document), styles=("bold",))
        for side in self.document.sides:
            yield from self.side(side)
        for note in self.document.notes:
            yield from self.wrapped(f"Note: {note}", styles=("yellow",))
        judged = [row for row in self.document.differences if row.kind != Kind.FACT]
        facts = [row for row in self.document.differences if row.kind == Kind.FACT]
        yield from self.judged(judged)
        yield from self.facts(facts)
        yield from self.one_sided(self.document.one_sided)

    def side(self, side: SideDocument) -> Iterator[str]:
        yield from self.wrapped(f"{side.label}  {side.name}: {about(side)}", indent=2, hang=3)

    def judged(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if rows:
            yield ""
            yield self.terminal.style("The judgement differs:", "bold")
        width = max((len(row.label) for row in rows), default=0)
        for row in rows:
            values = ";  ".join(f"{sides}: {said}" for sides, said in values_by_side(row))
            yield from self.wrapped(f"{row.label:<{width}}  {values}{odd_one(row)}", indent=2, hang=width + 2)
            if row.kind == Kind.FINDING and (summary := reason_of(self.document, row)):
                yield from self.wrapped(summary, indent=4 + width, styles=("dim",))

    def facts(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if not rows:
            return
        shown = rows if self.verbose else telling(rows)[:MAX_FACTS]
        yield ""
        yield self.terminal.style("What differs, the most telling first:", "bold")
        for number, row in enumerate(shown, 1):
            yield from self.fact(number, row)
        if len(rows) > len(shown):
            yield ""
            yield from self.wrapped(hidden_differences(rows[len(shown) :]), styles=("dim",))

    def fact(self, number: int, row: DifferenceDocument) -> Iterator[str]:
        proves = f"  proves {', '.join(row.proves)}" if row.proves else ""
        yield from self.wrapped(f"{number:>3}. {row.label}{odd_one(row)}", styles=("bold",), hang=5)
        for sides, said in values_by_side(row):
            yield from self.wrapped(f"{sides}: {said}", indent=8, hang=len(sides) + 2)
        if proves:
            yield from self.wrapped(proves.strip(), indent=8, styles=("dim",))
        elif self.verbose and row.read_by:
            yield from self.wrapped(f"read by {', '.join(row.read_by)}", indent=8, hang=2, styles=("dim",))

    def one_sided(self, rows: Sequence[DifferenceDocument]) -> Iterator[str]:
        if not rows:
            return
        shown = rows if self.verbose else telling(rows)
        yield ""
        yield self.terminal.style("Not known everywhere, and so not compared:", "bold")
        for sides, reason, labels in not_known(shown):
            yield from self.wrapped(f"not known in {sides}: {reason}", indent=2, bullet=True)
            yield from self.wrapped(spoken(labels, None if self.verbose else MAX_NAMES), indent=6, styles=("dim",))

    def wrapped(
        self, text: str, *, indent: int = 0, hang: int = 0, styles: tuple[str, ...] = (), bullet: bool = False
    ) -> Iterable[str]:
        first = " " * indent + (f"{self.terminal.mark('bullet')} " if bullet else "")
        lines = textwrap.wrap(
            text,
            self.terminal.width,
            initial_indent=first,
            subsequent_indent=" " * (len(first) + hang),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return (self.terminal.style(line, *styles) for line in lines or [first.rstrip()])
