"""What the parsers have read so far: facts by path, each with the place in the text that showed it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from re import Match, Pattern
from typing import Any

from xpu_doctor.model.facts import Distribution, Gpu, Package, Variable, XpuDevice
from xpu_doctor.model.facts.pasted import Application, Failure, Reported, ReportedRung, Working
from xpu_doctor.model.snapshot import Source
from xpu_doctor.text.statements import Statements
from xpu_doctor.text.word_index import IndexedText

MAX_LINE = 4096
"""Characters of a line that the patterns of parsers see."""
MARGIN = r"[> \t\xa0\u3000]{0,200}"
"""Pattern of what quoting and indenting put before a line."""


@dataclass
class Text:
    """One pasted text of one subject, with the name that its lines are cited by."""

    body: str
    name: str = "text"
    first_line: int = 1

    @cached_property
    def searched(self) -> IndexedText:
        """The text, ready to be asked for many words."""
        return IndexedText(self.body)

    @cached_property
    def statements(self) -> Statements:
        """How each line of the text is meant."""
        return Statements(self.searched)

    @classmethod
    def of(cls, searched: IndexedText, name: str) -> Text:
        """Return a text that was searched before."""
        text = cls(searched.body, name)
        text.__dict__["searched"] = searched
        return text

    @property
    def lowered(self) -> str:
        """The text in lower case; offsets agree with those of the text."""
        return self.searched.lowered

    def has(self, *words: str) -> bool:
        """Return whether one of these lower-case words is anywhere in the text."""
        return any(map(self.searched.has, words))

    def line_of(self, offset: int) -> int:
        """Return the number of the line that holds an offset."""
        return self.searched.number_at(offset) - 1 + self.first_line

    def place(self, offset: int) -> str:
        """Return how to cite an offset: `text, line 12`."""
        return f"{self.name}, line {self.line_of(offset)}"

    def cited(self, source: str) -> int:
        """Return the number of the line that a citation as `place` writes it names; 0 where it is none of this text."""
        number = source.removeprefix(f"{self.name}, line ")
        return int(number) if number != source and number.isdecimal() else 0

    def lines_with(self, *words: str) -> Iterator[tuple[int, str]]:
        """Yield offset and text of each line that holds one of these lower-case words, in order, each once."""
        for number in self.searched.numbers_with_any(words):
            yield self.searched.starts[number - 1], self.searched.line(number)

    def end_of_next(self, end: int) -> int:
        """Return where the line after the one that ends at an offset ends, or where that one is cut."""
        after = self.body.find("\n", end + 1)
        return min(after if after >= 0 else len(self.body), end + MAX_LINE)

    def matches(self, pattern: Pattern[str], *words: str) -> Iterator[Match[str]]:
        """Yield the matches of a pattern in the lines that hold one of these lower-case words, each line by itself and cut to `MAX_LINE`."""
        for number in self.searched.numbers_with_any(words):
            start, end = self.searched.span(number)
            yield from pattern.finditer(self.body, start, min(end, start + MAX_LINE))

    def first(self, pattern: Pattern[str], *words: str) -> Match[str] | None:
        """Return the first match of a pattern in the lines that hold one of these lower-case words."""
        for number in self.searched.numbers_with_any(words):
            start, end = self.searched.span(number)
            found = pattern.search(self.body, start, min(end, start + MAX_LINE))
            if found:
                return found
        return None

    def find(self, pattern: Pattern[str]) -> Iterator[Match[str]]:
        """Yield the matches of a pattern in the text."""
        return pattern.finditer(self.body)


@dataclass
class Collected:
    """Facts read from the texts of one subject; the first value of a path wins, since texts quote what came before."""

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    gpus: list[Gpu] = field(default_factory=list)
    distributions: dict[str, Distribution] = field(default_factory=dict)
    packages: dict[str, Package] = field(default_factory=dict)
    variables: dict[str, Variable] = field(default_factory=dict)
    devices: dict[int, XpuDevice] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    blocks: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    families: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    reported: list[Reported] = field(default_factory=list)
    reported_ladder: list[ReportedRung] = field(default_factory=list)
    working: list[Working] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def put(self, path: str, value: Any, source: str) -> None:
        """Record a fact unless one of the same path was read before."""
        if path not in self.values:
            self.values[path] = value
            self.sources[path] = source

    def force(self, path: str, value: Any, source: str) -> None:
        """Record a fact in place of what was read before."""
        self.values[path] = value
        self.sources[path] = source

    def get(self, path: str) -> Any:
        """Return a fact, or None where none was read."""
        return self.values.get(path)

    def block(self, name: str) -> None:
        """Record that a known block was found."""
        if name not in self.blocks:
            self.blocks.append(name)

    def all_sources(self) -> tuple[Source, ...]:
        """Return who showed what."""
        return tuple(Source(path, source) for path, source in self.sources.items())
