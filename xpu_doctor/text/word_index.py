"""A text in the shape in which many words are looked up quickly: `IndexedText`, and `WordTable` for the words. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
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
    def _places(self) -> dict[str, list[int]]:
        """The lines in lower case and with 0 for every digit, each once, with their numbers: a log's lines differ in digits alone."""
        places: dict[str, list[int]] = {}
        for number, line in enumerate(_without_digits(self.lowered).split("\n"), 1):
            places.setdefault(line, []).append(number)
        return places

    @cached_property
    def distinct(self) -> str:
        """These lines in one text: it holds a word with 0 for its digits where the text holds it with any digits."""
        return "\n".join(self._places)

    @cached_property
    def _distinct(self) -> tuple[list[int], list[list[int]]]:
        """Where each line of that text begins, and the numbers that it has in the whole."""
        return [0, *(found.end() for found in re.finditer("\n", self.distinct))], list(self._places.values())

    @cached_property
    def tokens(self) -> frozenset[str]:
        """Everything between blanks, in lower case and with 0 for every digit, each once."""
        return frozenset(self.distinct.split())

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
        sought = _sought(word)
        if sought.like not in self.tokens:
            if not sought.ascii and self.ascii:
                return False
            if not (sought.whole <= self.tokens and (self.pieces is None or sought.pieces <= self.pieces)):
                return False
            if sought.like not in (self.vocabulary if sought.alone else self.distinct):
                return False
        return sought.exact or word in self.lowered

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
        found = [numbers for word in words if (numbers := self.numbers_with(word))]
        if len(found) > 1:
            return sorted(set().union(*found))
        return list(found[0]) if found else []

    def _search(self, word: str) -> list[int]:
        """Return the numbers of the lines that hold a word: those like it are looked through, and each of them where digits count."""
        starts, places = self._distinct
        sought = _sought(word)
        found: list[int] = []
        at = self.distinct.find(sought.like)
        while at >= 0:
            line = bisect_right(starts, at)
            found += places[line - 1]
            at = self.distinct.find(sought.like, starts[line]) if line < len(starts) else -1
        found.sort()
        return found if sought.exact else [number for number in found if word in self._lowered_line(number)]

    def _lowered_line(self, number: int) -> str:
        start, end = self.span(number)
        return self.lowered[start:end]


class _Sought(NamedTuple):
    """What a text must hold that holds a word, or several words in a row."""

    like: str
    """The word with 0 for every digit, as `distinct` has it."""
    exact: bool
    """Whether that is the word itself, which has no digits."""
    whole: frozenset[str]
    """Tokens."""
    pieces: frozenset[str]
    alone: bool
    """Whether it has letters and no blanks, so that the vocabulary answers for the text."""
    ascii: bool


@cache
def _sought(word: str) -> _Sought:
    """Return what a text must hold that holds a word; parts between blanks are tokens, the others parts of tokens."""
    like = _without_digits(word)
    parts = like.split()
    inner = parts[0 if word[:1].isspace() else 1 : len(parts) if word[-1:].isspace() else -1]
    return _Sought(
        like=like,
        exact="0" not in like,
        whole=frozenset(inner),
        pieces=frozenset(
            part[at : at + PIECE] for part in parts if part.islower() for at in range(len(part) - PIECE + 1)
        ),
        alone=parts == [like] and like.islower(),
        ascii=word.isascii(),
    )


def _without_digits(text: str) -> str:
    """Return a text with 0 for every digit: nine searches in C are faster than one table of letters."""
    for digit in "123456789":
        text = text.replace(digit, "0")
    return text


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
