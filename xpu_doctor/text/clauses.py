"""The clauses of a line, and what a negator before a word denies."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from xpu_doctor.text.clause_words import BOUNDARY, LIST, NEGATOR, NO_NEGATOR, SENTENCE_END, SUBJECT, WORDS

MAX_LINE = 4096
"""Characters of a line that are looked at."""
NEAR = 30
"""Characters within which a second negator takes the first one back."""
REACH = 7
"""Words over which a negator reaches."""


@dataclass(frozen=True)
class Clause:
    """The part of a sentence that holds some words, with the offsets of both in their line."""

    start: int
    end: int
    sentence_start: int
    sentence_end: int


class Line:
    """One line of a text, with its clauses."""

    def __init__(self, body: str) -> None:
        self.body = body[:MAX_LINE]

    @cached_property
    def _marks(self) -> tuple[list[int], list[int]]:
        found = [(match.start(), match.end()) for match in BOUNDARY.finditer(self.body)]
        return [start for start, _ in found], [end for _, end in found]

    @cached_property
    def _sentences(self) -> list[int]:
        return [match.end() for match in SENTENCE_END.finditer(self.body)]

    def clause(self, start: int, end: int) -> Clause:
        """Return the clause in which some words begin, up to where the clause ends in which they end."""
        starts, ends = self._marks
        before = bisect_right(ends, start)
        own = start if start in starts else ends[before - 1] if before else 0
        after = bisect_right(starts, max(end - 1, start))
        sentences = self._sentences
        first = bisect_right(sentences, start)
        last = bisect_right(sentences, max(end - 1, start))
        return Clause(
            start=own,
            end=starts[after] if after < len(starts) else len(self.body),
            sentence_start=sentences[first - 1] if first else 0,
            sentence_end=sentences[last] if last < len(sentences) else len(self.body),
        )

    def spans_sentences(self, start: int, end: int) -> bool:
        """Return whether words reach over the end of a sentence: what the next one says works is something else."""
        return bisect_right(self._sentences, start) != bisect_right(self._sentences, max(end - 1, start))

    def denies(self, at: int, *, failing: bool = False) -> bool:
        """Return whether the word at an offset is denied by what stands before it: "no crash", "did not once hang", "does not work".

        With `failing` the word tells of a failure, which can also be avoided, prevented or ruled out.
        """
        if failing and LIST.search(self.body, max(0, at - 100), at):
            return True
        before = self.body[self.clause(at, at + 1).start : at]
        last: re.Match[str] | None = None
        for found in NEGATOR.finditer(before):
            other = found["success"] if failing else found["failing"]
            if other or NO_NEGATOR.match(before, found.start()):
                continue
            twice = last is not None and found.start() - last.end() < NEAR
            last = None if twice else found
        if last is None or (
            last["noun"] and SUBJECT.search(before, last.end()) and self.body[at : at + 40].split()[0][-3:] != "ing"
        ):
            return False
        return len(WORDS.findall(before, last.end())) <= REACH
