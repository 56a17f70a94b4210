"""What the parsers have read so far: facts by path, each with the place in the text that showed it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from re import Match, Pattern
from typing import Any

from xpu_doctor.facts import Distribution, Gpu, Package, Variable, XpuDevice
from xpu_doctor.facts.pasted import Application
from xpu_doctor.snapshot import Source


@dataclass
class Text:
    """One pasted text of one subject, with the name that its lines are cited by."""

    body: str
    name: str = "text"
    first_line: int = 1
    _starts: list[int] = field(default_factory=list)
    _lowered: str = ""

    @property
    def lowered(self) -> str:
        """The text in lower case, for the cheap question whether a word is in it at all."""
        if not self._lowered:
            self._lowered = self.body.lower()
        return self._lowered

    def has(self, *words: str) -> bool:
        """Whether one of these lower-case words is anywhere in the text."""
        return any(word in self.lowered for word in words)

    def line_of(self, offset: int) -> int:
        """Return the number of the line that holds an offset."""
        if not self._starts:
            starts, at = [0], self.body.find("\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.body.find("\n", at + 1)
            self._starts = starts
        return bisect_right(self._starts, offset) - 1 + self.first_line

    def place(self, offset: int) -> str:
        """Return how to cite an offset: `text, line 12`."""
        return f"{self.name}, line {self.line_of(offset)}"

    def lines_with(self, *words: str) -> Iterator[tuple[int, str]]:
        """Yield offset and text of each line that holds one of these lower-case words, in order, each once."""
        lowered = self.lowered if len(self.lowered) == len(self.body) else self.body.casefold()
        if len(lowered) != len(self.body):
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.body)
        starts: set[int] = set()
        for word in words:
            at = lowered.find(word)
            while at >= 0:
                starts.add(lowered.rfind("\n", 0, at) + 1)
                end = lowered.find("\n", at)
                if end < 0:
                    break
                at = lowered.find(word, end)
        for start in sorted(starts):
            end = self.body.find("\n", start)
            yield start, self.body[start : end if end >= 0 else len(self.body)]

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
