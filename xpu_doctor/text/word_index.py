"""A text in the shape in which many words are looked up quickly: `IndexedText`, and `WordTable` for the words. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache, cached_property, lru_cache
from itertools import accumulate
from typing import NamedTuple

PIECE = 4
"""Letters of the pieces by which words are looked up before they are searched for."""
MAX_VOCABULARY = 256 * 1024
"""Characters of a vocabulary of which pieces are made: they take a hundred bytes each."""
MAX_ASKED = 16 * 1024
"""Words that are looked up together."""
FEW = 4
"""Lines that are looked at one by one rather than the whole text for each word."""
MAX_TOKEN = 64
"""Characters of a token of which the words are kept."""


class IndexedText:
    """A text that is asked for many words; everything it has to be turned into for that is made once, and late."""

    def __init__(self, body: str) -> None:
        self.body = body
        self._numbers: dict[str, tuple[int, ...]] = {}
        self._alike: dict[str, frozenset[int]] = {}

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
        places: defaultdict[str, list[int]] = defaultdict(list)
        for number, line in enumerate(_without_digits(self.lowered).split("\n"), 1):
            places[line].append(number)
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
        return [*accumulate((len(line) + 1 for line in self._lines[:-1]), initial=0)]

    @cached_property
    def looked_up(self) -> tuple[frozenset[str], int]:
        """Which words the text holds of those that texts were asked for before, and how many these are."""
        return (frozenset(), 0) if len(self.vocabulary) > MAX_VOCABULARY else _asked.held_by(self)

    def has(self, word: str) -> bool:
        """Return whether the text holds a word, or several words in a row, given in lower case."""
        held, looked_up = self.looked_up
        return word in held or (_asked.places.get(word, MAX_ASKED) >= looked_up and self._holds(_asked.add(word)))

    def held(self, words: Iterable[str]) -> list[str]:
        """Return those of some words that the text holds."""
        held, looked_up = self.looked_up
        places = _asked.places
        return [
            word
            for word in words
            if word in held or (places.get(word, MAX_ASKED) >= looked_up and self._holds(_asked.add(word)))
        ]

    def _holds(self, sought: _Sought) -> bool:
        if sought.like not in self.tokens:
            if not sought.ascii and self.ascii:
                return False
            if not (sought.whole <= self.tokens and (self.pieces is None or sought.pieces <= self.pieces)):
                return False
            if sought.like not in (self.vocabulary if sought.alone else self.distinct):
                return False
        return sought.exact or self._has_verbatim(sought)

    def verified(self, words: Iterable[_Sought]) -> list[str]:
        """Return those words that the text holds, of some that are of several parts, or with digits, and of which it holds a part."""
        tokens, distinct = self.tokens, self.distinct
        return [
            sought.word
            for sought in words
            if (sought.alone or (sought.whole <= tokens and sought.like in distinct))
            and (sought.exact or self._has_verbatim(sought))
        ]

    def _has_verbatim(self, sought: _Sought) -> bool:
        """Return whether the text holds a word with its very digits, of which it holds the like."""
        single, repeated = self._verbatim
        return sought.word in single or (sought.like in repeated and sought.word in self.lowered)

    @cached_property
    def _verbatim(self) -> tuple[str, str]:
        """The lines in lower case that have no like, and with 0 for every digit those that have: the many lines of a log are looked through last."""
        lines = self._lowered_lines
        single = "\n".join(lines[numbers[0] - 1] for numbers in self._places.values() if len(numbers) == 1)
        return single, "\n".join(line for line, numbers in self._places.items() if len(numbers) > 1)

    def like_of(self, number: int) -> int:
        """Return what is the same for a line and all that differ from it in digits alone."""
        return self._like_of[number - 1]

    @cached_property
    def _like_of(self) -> list[int]:
        like = [0] * sum(map(len, self._places.values()))
        for place, numbers in enumerate(self._places.values()):
            for number in numbers:
                like[number - 1] = place
        return like

    def number_at(self, offset: int) -> int:
        """Return the number of the line that holds an offset; the first line is 1."""
        return bisect_right(self.starts, offset)

    def span(self, number: int) -> tuple[int, int]:
        """Return where a line begins and ends, without its line end."""
        return self.starts[number - 1], self.starts[number] - 1 if number < len(self.starts) else len(self.body)

    def line(self, number: int) -> str:
        """Return a line by its number, without its line end."""
        return self._lines[number - 1]

    @cached_property
    def _lines(self) -> list[str]:
        return self.body.split("\n")

    @cached_property
    def _lowered_lines(self) -> list[str]:
        return self.lowered.split("\n")

    def numbers_with(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the lines that hold a word."""
        return self._numbers_of(word) if self.has(word) else ()

    def numbers_with_any(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of the lines that hold one of the words, in order, each once."""
        held = _table_of(words).present(self) if type(words) is tuple else self.held(words)
        numbers = [*map(self._numbers_of, held)]
        if len(numbers) > 1:
            return sorted(set().union(*numbers))
        return list(numbers[0]) if numbers else []

    def numbers_with_each(self, alternatives: Iterable[Sequence[WordTable]]) -> list[int]:
        """Return the numbers of the lines that hold one word of each table of an alternative, and of lines like them: digits are not told apart."""
        held, looked_up = self.looked_up
        alike: set[int] = set()
        for tables in alternatives:
            present = []
            for table in tables:  # what the whole text lacks costs no look at its lines
                words = held & table.words if table.known <= looked_up else table.present(self)
                if not words:
                    break
                present.append(words)
            else:
                alike |= self._like_each(present)
        places = self._distinct[1]
        return sorted(number for line in alike for number in places[line]) if alike else []

    def _like_each(self, sets: list[frozenset[str]]) -> frozenset[int]:
        """Return which lines of `distinct` hold one word of each set."""
        sets.sort(key=len)
        left = frozenset().union(*map(self._like, sets[0]))
        for words in sets[1:]:
            if len(left) > FEW:
                left = left & frozenset().union(*map(self._like, words))
            elif left:
                left = frozenset(number for number in left if _holds_one(self._distinct_lines[number], words))
        return left

    @cached_property
    def _distinct_lines(self) -> list[str]:
        return [*self._places]

    def _numbers_of(self, word: str) -> tuple[int, ...]:
        """Return the numbers of the lines that hold a word which the text holds."""
        known = self._numbers.get(word)
        if known is None:
            places = self._distinct[1]
            found = sorted(number for line in self._like(word) for number in places[line])
            if not _sought(word).exact:
                found = [number for number in found if word in self._lowered_lines[number - 1]]
            known = self._numbers[word] = tuple(found)
        return known

    def _like(self, word: str) -> frozenset[int]:
        """Return which lines of `distinct`, counted from 0, hold a word with 0 for its digits."""
        known = self._alike.get(word)
        if known is None:
            starts, like = self._distinct[0], _sought(word).like
            lines = []
            at = self.distinct.find(like)
            while at >= 0:
                line = bisect_right(starts, at)
                lines.append(line - 1)
                at = self.distinct.find(like, starts[line]) if line < len(starts) else -1
            known = self._alike[word] = frozenset(lines)
        return known


def _holds_one(line: str, words: Iterable[str]) -> bool:
    """Return whether a line of `distinct` holds one of some words."""
    for word in words:  # noqa: SIM110 - a loop, not any(): asked hundreds of times for each text
        if _sought(word).like in line:
            return True
    return False


class _Sought(NamedTuple):
    """What a text must hold that holds a word, or several words in a row."""

    word: str
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
        word=word,
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


class _AskedWords:
    """The words that texts were asked for so far, a few thousand, for they come from patterns and tables.

    A new text is looked through for all of them at once, token by token. Texts about the same things are made of the same tokens, so which words a
    token holds is mostly known from the texts before.
    """

    def __init__(self) -> None:
        self.places: dict[str, int] = {}
        """Each word's place in the order in which they were first asked for."""
        self._by_piece: dict[str, list[tuple[str, str]]] = {}
        """The words, and the rarest part of each, by a piece of that part."""
        self._frequency: dict[str, int] = {}
        """How many words have a part."""
        self._to_verify: dict[str, _Sought] = {}
        """Words of which the token shows one part alone, or no digits, and what a text must hold for each."""
        self._in_token = lru_cache(maxsize=8192)(self._found_in)

    def add(self, word: str) -> _Sought:
        """Keep a word for the texts to come, and return what a text must hold that holds it."""
        sought = _sought(word)
        if word in self.places or len(self.places) >= MAX_ASKED:
            return sought
        parts = sought.like.split()
        if not parts:
            return sought
        for part in parts:
            self._frequency[part] = self._frequency.get(part, 0) + 1
        part = min(parts, key=lambda part: (self._frequency[part], -len(part)))
        rarest = min(_pieces(part), key=lambda piece: len(self._by_piece.get(piece, ())))
        self._by_piece.setdefault(rarest, []).append((word, part))
        if not sought.exact or part != word:
            self._to_verify[word] = sought
        self.places[word] = len(self.places)
        return sought

    def held_by(self, text: IndexedText) -> tuple[frozenset[str], int]:
        """Return those of the words that a text holds, and how many were looked up."""
        looked_up = len(self.places)
        found = {
            word
            for token in text.tokens
            for word in (self._in_token if len(token) <= MAX_TOKEN else self._found_in)(token, looked_up)
        }
        unsure = found & self._to_verify.keys()
        return frozenset((found - unsure).union(text.verified(map(self._to_verify.__getitem__, unsure)))), looked_up

    def _found_in(self, token: str, _looked_up: int) -> tuple[str, ...]:
        """Return the words whose rarest part a token holds; how many there are is a part of what is kept, so that nothing old is."""
        pieces = {token[at : at + PIECE] for at in range(len(token) - PIECE + 1)}.union(token)
        return tuple(
            word for piece in self._by_piece.keys() & pieces for word, part in self._by_piece[piece] if part in token
        )


def _pieces(part: str) -> list[str]:
    """Return the pieces of a part of a word; of a short one, its letters."""
    return [part[at : at + PIECE] for at in range(len(part) - PIECE + 1)] or list(part)


_asked = _AskedWords()


class WordTable:
    """Words in lower case; says quickly which of them a text holds."""

    def __init__(self, words: Iterable[str]) -> None:
        self.words = frozenset(_asked.add(word).word for word in words)
        self.known = 1 + max((_asked.places.get(word, MAX_ASKED) for word in self.words), default=-1)
        """How many words a text was looked through for if it was looked through for these."""

    def present(self, text: IndexedText) -> frozenset[str]:
        """Return the words of the table that a text holds."""
        found, looked_up = text.looked_up
        return found & self.words if self.known <= looked_up else frozenset(text.held(self.words))


@lru_cache(maxsize=2048)
def _table_of(words: tuple[str, ...]) -> WordTable:
    """Return words that a pattern or a row always asks for together as a table, which is looked up at once."""
    return WordTable(words)
