"""Processors by their names: whether one has integrated graphics of Intel's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from xpu_doctor.tables.rows import Name, PatternText, Row, rows
from xpu_doctor.text.word_index import WordTable

Graphics = Literal["intel", "none", "other"]


class Processor(Row, frozen=True, kw_only=True):
    """A rule by which processors are named; the first row that matches at a place counts."""

    table: ClassVar[str] = "processors.processor"
    id: Name
    graphics: Graphics
    """`intel` (it has integrated graphics of Intel's), `none` (an Intel processor without), `other` (another maker's)."""
    words: tuple[str, ...]
    """Lower-case literals, one of which stands in every line that the pattern matches."""
    pattern: PatternText
    """Searched in the line as it stands."""


@dataclass(frozen=True)
class NamedProcessor:
    """A processor that a text names."""

    name: str
    graphics: Graphics
    start: int


@cache
def processor_words() -> WordTable:
    """Return words in lower case, one of which stands in every line that names a processor."""
    return WordTable(word for row in rows(Processor) for word in row.words)


@cache
def _rows() -> tuple[tuple[tuple[str, ...], re.Pattern[str], Graphics], ...]:
    return tuple((row.words, re.compile(row.pattern), row.graphics) for row in rows(Processor))


def named_processors(line: str) -> Iterator[NamedProcessor]:
    """Yield the processors that a line names, in order; where names overlap, the first and then the one of the earlier row counts."""
    lowered = line.lower()
    found = [
        (match.start(), number, match.end(), graphics)
        for number, (words, pattern, graphics) in enumerate(_rows())
        if any(word in lowered for word in words)
        for match in pattern.finditer(line)
    ]
    end = 0
    for start, _, ends, graphics in sorted(found):
        if start >= end:
            end = ends
            yield NamedProcessor(line[start:ends], graphics, start)
