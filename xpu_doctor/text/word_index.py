"""A text in the shape in which many words are looked up quickly: `IndexedText`, and `WordTable` for the words. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from typing import NamedTuple

PIECE = 4
"""Letters of the pieces by which words are looked up before they are searched for."""
MAX_VOCABULARY = 256 * 1024
"""Characters of a vocabulary of which pieces are made: they take a hundred bytes each."""


class IndexedText:
    """A text that is asked for many words; everything it has to be turned into for that is made once, and late."""

    def __init__(self, body: str) -> None:
        self.body = body
        self._numbers: dict[str, tuple[int, ...]] = {}

    @cached_property
    def lowered(self) -> str:
        """The text in lower case and of the same length, so that offsets agree."""
        lowered = self.body.lower()
        if len(lowered) != len(self.body):  # some letters change their length
            lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in self.body)
        return lowered

    @cached_property
    def ascii(self) -> bool:
        """Return whether all letters are those of ASCII."""
        return self.lowered.isascii()

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Everything between blanks, in lower case, each once."""
        return frozenset(self.lowered.split())

    @cached_property
    def vocabulary(self) -> str:
        """All tokens with letters in one text: far shorter than a log, and holds all of its words."""
        if self.ascii:
            return "\n".join(filter(str.islower, self.tokens))
        return "\n".join(token for token in self.tokens if token.islower() or not token.isascii())

    @cached_property
    def pieces(self) -> set[str] | None:
        """All pieces of the vocabulary: a word of which one piece is missing is not in the text; None where they would take much memory."""
        text = self.vocabulary
        return (
            None
            if len(text) > MAX_VOCABULARY
            else set(map("".join, zip(text, text[1:], text[2:], text[3:], strict=False)))
        )

    @cached_property
    def starts(self) -> list[int]:
        """Offsets at which the lines begin."""
        return [0, *(found.end() for found in re.finditer("\n", self.body))]

    def has(self, word: str) -> bool:
        """Return whether the text holds a word, or several words in a row, given in lower case."""
        if word in self.tokens:
            return True
        if self.ascii and not word.isascii():
            return False
        sought = _sought(word)
        if not (sought.whole <= self.tokens and (self.pieces is None or sought.pieces <= self.pieces)):
            return False
        if sought.alone:
            return word in self.vocabulary
        return word in self.lowered

    def number_at(self, offset: int) -> int:
        """Return the number of the line that holds an offset; the first line is 1."""
        return bisect_right(self.starts, offset)

    def span(self, number: int) -> tuple[int, int]:
        """Return where a line begins and ends, without its line end."""
        return self.starts[number - 1], self.starts[number] - 1 if number < len(self.starts) else len(self.body)

    def line(self, number: int) -> str:
        """Return a line by its number, without its line end."""
        start, end = self.span(number)
        return self.body[start:end]

    def numbers_with(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the lines that hold a word."""
        known = self._numbers.get(word)
        if known is None:
            known = self._numbers[word] = tuple(self._search(word)) if self.has(word) else ()
        return known

    def numbers_with_any(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of the lines that hold one of the words, in order, each once."""
        found: set[int] = set()
        for word in words:
            found.update(self.numbers_with(word))
        return sorted(found)

    def _search(self, word: str) -> Iterator[int]:
        at = self.lowered.find(word)
        while at >= 0:
            number = self.number_at(at)
            yield number
            if number >= len(self.starts):
                return
            at = self.lowered.find(word, self.starts[number])


class _Sought(NamedTuple):
    """What a text must hold that holds a word, or several words in a row."""

    whole: frozenset[str]
    """Tokens."""
    pieces: frozenset[str]
    alone: bool
    """Whether it has letters and no blanks, so that the vocabulary answers for the text."""


@cache
def _sought(word: str) -> _Sought:
    """Return what a text must hold that holds a word; parts between blanks are tokens, the others parts of tokens."""
    parts = word.split()
    inner = parts[0 if word[:1].isspace() else 1 : len(parts) if word[-1:].isspace() else -1]
    pieces = frozenset(part[at : at + PIECE] for part in parts if part.islower() for at in range(len(part) - PIECE + 1))
    return _Sought(frozenset(inner), pieces, parts == [word] and word.islower())


class WordTable:
    """Words in lower case; says quickly which of them a text holds."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = unique = tuple(dict.fromkeys(words))
        frequency = Counter(piece for word in unique for piece in _sought(word).pieces)
        self._others = tuple(word for word in unique if not _sought(word).pieces)
        self._by_piece: dict[str, list[str]] = {}
        for word in unique:
            if word not in self._others:
                self._by_piece.setdefault(min(_sought(word).pieces, key=frequency.__getitem__), []).append(word)

    def present(self, text: IndexedText) -> set[str]:
        """Return the words of the table that a text holds."""
        if text.pieces is None:
            return set(filter(text.has, self._words))
        found = set(filter(text.has, self._others))
        for piece in self._by_piece.keys() & text.pieces:
            found.update(filter(text.has, self._by_piece[piece]))
        return found
