"""Known messages: which lines of a text they are, and which causes they speak for. Pure; the rows are data/signatures.toml."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from xpu_doctor import tables
from xpu_doctor.facts import ErrorText
from xpu_doctor.findings import Confidence

MAX_LINE = 4096
"""Characters of a line that patterns see."""
PIECE = 4
"""Letters of the pieces by which words are looked up before they are searched for; the text is cut at every second letter."""
MAX_CANDIDATES = 500
"""Lines with one word that are looked at: a word of a log may stand in all of them."""
MAX_HITS = 4
"""Lines that one signature reports of one text: the first ones."""


@dataclass(frozen=True)
class Implication:
    """What a met signature, or a state of the facts, says about one finding code."""

    code: str
    confidence: Confidence
    weight: int = 0
    when: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    summary: str = ""
    fix: str = ""
    fallback: bool = False
    """It speaks only where nothing says more than that another cause is possible."""


@dataclass(frozen=True)
class Signature:
    """One known message."""

    id: str
    pattern: str
    words: tuple[str, ...]
    """Lower-case literals, one of which every matching line holds: a cheap filter before the pattern."""
    meaning: str
    implies: tuple[Implication, ...]
    establishes: tuple[tuple[str, str], ...] = ()
    """Facts that the message proves: path and value."""
    kind: str = "message"
    """`message` (program output) or `claim` (what people write)."""
    source: str = ""
    checked: str = ""
    examples: tuple[str, ...] = ()
    near_misses: tuple[str, ...] = ()

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The pattern, compiled when it is first needed."""
        return re.compile(self.pattern)


@cache
def signatures() -> tuple[Signature, ...]:
    """Return all rows of data/signatures.toml."""
    return tuple(_signature(row) for row in tables.toml("signatures")["signature"])


@cache
def by_id() -> dict[str, Signature]:
    """Return the rows by id."""
    return {signature.id: signature for signature in signatures()}


@cache
def implications() -> tuple[Implication, ...]:
    """Return the rows of data/implications.toml: what a state of the facts in a pasted text makes possible."""
    return tuple(_implication(row, row) for row in tables.toml("implications")["implication"])


def match(text: str, source: str, *, claims: bool = False) -> tuple[ErrorText, ...]:
    """Return the known messages in a text, in the order of its lines; with `claims` also what people write in prose.

    Only the first lines of each signature are reported; `source` is followed by the line number where the text has several lines.
    """
    searched = _Searched(text, source)
    hits: list[tuple[int, ErrorText]] = []
    for signature, pieces in _gated():
        if (claims or signature.kind == "message") and not (pieces and searched.pieces.isdisjoint(pieces)):
            hits.extend(searched.hits(signature))
    hits.sort(key=lambda hit: hit[0])
    return tuple(error for _, error in hits)


class _Searched:
    """A text in the shape in which many words are looked up quickly."""

    def __init__(self, text: str, source: str) -> None:
        self.text = text
        self.source = source
        lowered = text.lower()
        if len(lowered) != len(text):  # some letters change their length; the offsets must agree
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
        self.lowered = lowered
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.pieces = set(map("".join, zip(lowered[0::4], lowered[1::4], lowered[2::4], lowered[3::4], strict=False)))
        self.pieces.update(map("".join, zip(lowered[2::4], lowered[3::4], lowered[4::4], lowered[5::4], strict=False)))
        self._lines: dict[str, tuple[int, ...]] = {}

    def hits(self, signature: Signature) -> Iterator[tuple[int, ErrorText]]:
        """Yield the first lines that a signature matches, with their numbers."""
        found = 0
        for number in self.candidates(signature.words):
            line = self.line(number)
            hit = signature.compiled.search(line)
            if hit:
                place = f"{self.source}, line {number}" if len(self.starts) > 1 else self.source
                yield number, ErrorText(signature.id, line.strip()[:400], place, tuple(group or "" for group in hit.groups()))
                found += 1
                if found == MAX_HITS:
                    return

    def candidates(self, words: tuple[str, ...]) -> Iterable[int]:
        """Return the numbers of the lines that hold one of the words, in order."""
        if len(words) == 1:
            return self.lines_with(words[0])
        return sorted({number for word in words for number in self.lines_with(word)})

    def line(self, number: int) -> str:
        """Return a line, cut to what patterns see."""
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        start = self.starts[number - 1]
        return self.text[start : min(end, start + MAX_LINE)].rstrip("\r")

    def lines_with(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the first lines that hold a word; rows share words, so each is looked up once."""
        known = self._lines.get(word)
        if known is None:
            absent = any(self.pieces.isdisjoint(pieces) for pieces in every_pieces(word))
            known = self._lines[word] = () if absent else tuple(self._search(word))
        return known

    def _search(self, word: str) -> Iterator[int]:
        at = self.lowered.find(word)
        for _ in range(MAX_CANDIDATES):
            if at < 0:
                return
            number = bisect_right(self.starts, at)
            yield number
            if number >= len(self.starts):
                return
            at = self.lowered.find(word, self.starts[number])


def pieces_of(word: str) -> tuple[str, ...]:
    """Return the two pieces of a word, one of which is at an even place wherever the word stands; none where it is too short."""
    return (word[:PIECE], word[1 : PIECE + 1]) if len(word) > PIECE else ()


@cache
def every_pieces(word: str) -> tuple[tuple[str, ...], ...]:
    """Return such pairs from the beginning of a word to its end; a text that holds the word holds one of each pair."""
    if len(word) <= PIECE:
        return ()
    return (*(pieces_of(word[place:]) for place in range(0, len(word) - PIECE, PIECE)), pieces_of(word[-PIECE - 1 :]))


@cache
def _gated() -> tuple[tuple[Signature, frozenset[str]], ...]:
    """Each row with the first pieces of its words: a text that holds none of them needs no search; empty where a word is too short."""
    return tuple(
        (row, frozenset(piece for word in row.words for piece in pieces_of(word)) if all(map(pieces_of, row.words)) else frozenset())
        for row in signatures()
    )


def _signature(row: dict[str, Any]) -> Signature:
    implied = [_implication(item, row) for item in row.get("implies", ())]
    if "cause" in row:
        implied.insert(0, _implication({"code": row["cause"]}, row))
    implied.extend(Implication(code, Confidence.POSSIBLE, -1 - place) for place, code in enumerate(row.get("also", ())))
    return Signature(
        row["id"],
        row["pattern"],
        tuple(row["words"]),
        row["meaning"],
        tuple(implied),
        tuple((path, str(value)) for path, value in row.get("establishes", {}).items()),
        row.get("kind", "message"),
        row["source"],
        str(row["checked"]),
        tuple(row.get("examples", ())),
        tuple(row.get("near_misses", ())),
    )


def _implication(item: dict[str, Any], row: dict[str, Any]) -> Implication:
    """Read an implication; what it does not say itself is taken from its row."""
    return Implication(
        item["code"],
        Confidence(item.get("confidence", row.get("confidence", "likely"))),
        int(item.get("weight", row.get("weight", 0))),
        tuple(item.get("when", row.get("when", ()))),
        tuple(item.get("unless", row.get("unless", ()))),
        item.get("summary", ""),
        item.get("fix", row.get("fix", "")),
        bool(item.get("fallback", False)),
    )
