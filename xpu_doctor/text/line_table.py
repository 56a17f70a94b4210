"""Rows of a table that each know a kind of line, and which lines of a text they know. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import IndexedText, WordTable

MAX_LINE = 4096
"""Characters of a line that patterns see."""
MAX_CANDIDATES = 1000
"""Lines that one row looks at: a word of a log may stand in all of them."""


class LineRow(Protocol):
    """What every row has: a pattern, and lower-case words one of which each line that it matches holds."""

    @property
    def pattern(self) -> str:
        """The pattern, as it is written."""
        ...

    @property
    def words(self) -> tuple[str, ...]:
        """The words."""
        ...


SomeRow = TypeVar("SomeRow", bound=LineRow)


@dataclass(frozen=True)
class Known(Generic[SomeRow]):
    """A line that a row knows."""

    number: int
    line: str
    row: SomeRow


class LineTable(Generic[SomeRow]):
    """All rows of a table, ready to be held against texts."""

    def __init__(self, rows: Iterable[SomeRow]) -> None:
        self._rows = tuple((row, late_pattern(row.pattern)) for row in rows)
        self._by_word: dict[str, list[int]] = {}
        for number, (row, _) in enumerate(self._rows):
            for word in row.words:
                self._by_word.setdefault(word, []).append(number)
        self._table = WordTable(self._by_word)

    def known(self, text: IndexedText) -> Iterator[Known[SomeRow]]:
        """Yield the lines of a text that the rows know, row by row."""
        present = self._table.present(text)
        for number in sorted({number for word in present for number in self._by_word[word]}):
            row, pattern = self._rows[number]
            for place in text.numbers_with_any(row.words)[:MAX_CANDIDATES]:
                line = text.line(place)[:MAX_LINE].rstrip("\r")
                if pattern.search(line):
                    yield Known(place, line, row)
