"""What people say and how they mean it: the clause that holds some words, and whether it tells, denies, asks or only supposes. Pure.

Words such as "crash" in a text are no crash. "Nothing crashed", "does it crash on this card?", "if it crashes, run it again" and
`def on_crash():` all hold the word. `Statements` answers for a place in a line how its writer means it (`Said`), so that neither a row
of a table nor a reader needs a pattern of its own for that.

A line is looked at once: what kind of line it is (prose, code, a box of a form), and where its clauses begin. All patterns are linear,
and a line is cut at `MAX_LINE` characters.
"""

from __future__ import annotations

from xpu_doctor.text.clause_words import (
    ADVISES,
    BY_GOING_BACK,
    CONDITION,
    DENIED_AFTER,
    HAD,
    IF_SEEN,
    IN_CASE,
    INDIRECT,
    MAY_BE,
    MENDS,
    MODAL,
    NAMED_NOT,
    NO_MORE,
    NOT_ANY,
    NOT_MADE,
    NOT_REPRODUCED,
    OUGHT,
    OVER,
    PRESUPPOSES,
    QUESTION,
    QUOTES,
    SUCCESS,
    TROUBLE,
    UNTIL,
    USE_OF,
    USED_TO,
)
from xpu_doctor.text.clauses import Clause, Line
from xpu_doctor.text.line_kinds import CODE, SOURCE, TRAILING, LineKinds
from xpu_doctor.text.said import NOT_SAID, Claim, Said
from xpu_doctor.text.word_index import IndexedText


class Statements:
    """The lines of one text, and how each is meant."""

    def __init__(self, text: IndexedText) -> None:
        self._text = text
        self._lines: dict[int, Line] = {}
        self._kinds = LineKinds(text)

    def line(self, number: int) -> Line:
        """Return a line by its number."""
        known = self._lines.get(number)
        if known is None:
            known = self._lines[number] = Line(self._text.line(number))
        return known

    def claimed(self, number: int, start: int, end: int, claim: Claim = "fails") -> Said:
        """Return how what people write is meant, for the words from one offset of a line to another that claim something."""
        kind = self._kinds.kind(number)
        line = self.line(number)
        if kind in (Said.CODE, Said.TOLD) and TRAILING.search(line.body, 0, start) and CODE.match(line.body):
            return Said.COMMENT
        if kind in NOT_SAID or kind in (Said.COMMENT, Said.WANTED):
            return kind
        clause = line.clause(start, end)
        words = _key_words(line.body, start, end, claim)
        if words and all(_is_token(line.body, *word) for word in words):
            return Said.CODE
        if claim == "wants":
            return Said.TOLD
        if claim == "works" and line.spans_sentences(start, end):
            return Said.DENIED
        if (
            claim == "fails"
            and words
            and OUGHT.search(line.body, line.clause(words[0][0], words[0][1]).start, words[0][0])
        ):
            return Said.WANTED
        if _is_denied(line, clause, (start, end), words, claim):
            return Said.DENIED
        if claim == "fails" and _is_past(line, clause, start, end):
            return Said.PAST
        return _mood(line, clause, (start, end), words, claim)

    def narrower(self, number: int, start: int) -> bool:
        """Return whether the words at an offset speak of a part or a use of what they name: "multi-XPU", "FSDP on XPU"."""
        body = self.line(number).body
        return bool(USE_OF.search(body, max(0, start - 80), start))

    def printed(self, number: int, start: int, end: int) -> Said:
        """Return how the message of a program is meant: told, unless it only stands in code, in a box of a form or in a question."""
        kind = self._kinds.kind(number)
        line = self.line(number)
        if kind is Said.CODE and not (SOURCE.match(line.body) and _is_in_quotes(line.body, start)):
            kind = Said.TOLD
        if kind is not Said.TOLD:
            return kind
        if TRAILING.search(line.body, 0, start) and CODE.match(line.body):
            return Said.COMMENT
        clause = line.clause(start, start + 1)
        if _is_asked(line, clause, start):
            return Said.ASKED
        if IF_SEEN.match(line.body, clause.sentence_start, start):
            return Said.SUPPOSED
        return Said.TOLD


def _key_words(body: str, start: int, end: int, claim: Claim) -> list[tuple[int, int]]:
    """Return where the words stand in which the claim lies: those of failure or of success; none where it names something."""
    pattern = {"fails": TROUBLE, "works": SUCCESS}.get(claim)
    if pattern is None:
        return []
    return [match.span() for match in pattern.finditer(body, start, min(len(body), end + 12)) if match.start() < end]


def _is_token(body: str, start: int, end: int) -> bool:
    """Return whether a word is a name in code: between backticks by itself, part of a dotted name, called or set."""
    before, after = body[max(0, start - 1) : start], body[end : end + 2]
    if before == "`" and after[:1] == "`":
        return True
    if before in ("/", "\\", "_", "-") and before and after[:1] in ("/", "\\", "_", "."):
        return True
    named = (before == "." and body[max(0, start - 2) : start - 1].isalnum()) or (
        after[:1] in (".", "_") and after[1:].isalpha()
    )
    return named or after[:1] in ("(", "[") or (after[:1] == "=" and after[1:2] != "=")


def _is_in_quotes(body: str, at: int) -> bool:
    """Return whether an offset lies in a string of a line of code."""
    return any(body.count(mark, 0, at) % 2 == 1 for mark in ('"', "'"))


def _is_denied(line: Line, clause: Clause, span: tuple[int, int], words: list[tuple[int, int]], claim: Claim) -> bool:
    start, end = span
    body = line.body
    if claim != "works" and DENIED_AFTER.match(body, end, clause.sentence_end):
        return True
    if claim == "fails" and NOT_REPRODUCED.search(body, clause.sentence_start, words[0][0] if words else start):
        return True
    if words:
        return all(line.denies(at, failing=claim == "fails") for at, _ in words)
    if claim == "fails" and _has_nothing_of_it(line, clause, end):
        return True
    if claim == "names":
        return NAMED_NOT.search(body, clause.start, start) is not None
    if claim == "fails" and NOT_MADE.search(body, clause.start, start):
        return True
    return NO_MORE.search(body, clause.start, start) is not None


def _has_nothing_of_it(line: Line, clause: Clause, end: int) -> bool:
    """Return whether words end where a failure follows that is denied as a whole: "I have not seen" of "I have not seen any errors"."""
    failure = TROUBLE.search(line.body, end, min(clause.end, end + 40))
    return (
        failure is not None
        and NOT_ANY.search(line.body, end, failure.start()) is not None
        and line.denies(failure.start(), failing=True)
    )


def _is_mended(body: str, clause: Clause, at: int) -> bool:
    """Return whether the failure at an offset is what something mends: "this fixes the crash"."""
    mends = MENDS.search(body[:at], clause.sentence_start)
    return mends is not None and mends["asks"] is None


def _is_past(line: Line, clause: Clause, start: int, end: int) -> bool:
    """Return whether a failure is told as over: "I used to get", "the crash is gone", "I had it, now it works"."""
    body = line.body
    words = _key_words(body, start, end, "fails")
    if _is_mended(body, clause, words[0][0] if words else start):
        return True
    if USED_TO.search(body, clause.start, start):
        return True
    rest = body[end : min(len(body), end + 240)]
    sentence = body[end : clause.sentence_end]
    if BY_GOING_BACK.search(body, clause.sentence_start, clause.sentence_end):
        return False
    if OVER.match(body, end) or OVER.search(sentence[:80]):
        return True
    return bool(HAD.search(body, clause.start, start + 1) and OVER.search(rest))


def _mood(line: Line, clause: Clause, span: tuple[int, int], words: list[tuple[int, int]], claim: Claim) -> Said:
    """Return whether something is told, or asked, supposed, wanted or quoted."""
    body, start = line.body, span[0]
    at = words[0][0] if words else start
    if QUOTES.search(body, clause.sentence_start, start):
        return Said.QUOTED
    if _is_asked(line, clause, at):
        return Said.ASKED
    own = line.clause(at, at + 1).start
    if claim != "names" and OUGHT.search(body, own, at):
        return Said.WANTED
    lead = max(clause.sentence_start, own - 14)
    if claim == "fails" and words and start > own and (CONDITION.search(body, lead, at) or MODAL.search(body, own, at)):
        return Said.SUPPOSED
    if claim == "fails" and not words and UNTIL.match(body, span[1], clause.sentence_end):
        return Said.SUPPOSED
    if _is_advice_for_a_case(line, clause, span) or (claim == "names" and MAY_BE.search(body, own, start)):
        return Said.SUPPOSED
    return Said.TOLD


def _is_advice_for_a_case(line: Line, clause: Clause, span: tuple[int, int]) -> bool:
    """Return whether the words are the case for which somebody gives advice: "if the card is not listed, reinstall"."""
    lead = IN_CASE.match(line.body, clause.sentence_start, span[0])
    return lead is not None and ADVISES.match(line.body, span[1], clause.sentence_end) is not None


def _is_asked(line: Line, clause: Clause, at: int) -> bool:
    """Return whether a sentence asks, with yes or no, whether what stands at an offset is so."""
    body = line.body
    if INDIRECT.search(body, max(clause.sentence_start, at - 160), at):
        return True
    if not body[: clause.sentence_end].rstrip(" \"')*_`").endswith(("?", "\uff1f")):
        return False
    return bool(
        QUESTION.match(body, clause.sentence_start, at + 1)
        and not PRESUPPOSES.search(body, clause.sentence_start, clause.sentence_end)
    )
