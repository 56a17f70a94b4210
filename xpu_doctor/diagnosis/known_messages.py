"""Known messages: which lines of a text they are. Pure; the rows are data/signatures.toml."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache

from xpu_doctor.model.facts import ErrorText
from xpu_doctor.tables.signatures import Signature, signatures
from xpu_doctor.text.said import Said
from xpu_doctor.text.statements import Statements
from xpu_doctor.text.word_index import IndexedText, WordTable

MAX_LINE = 4096
"""Characters of a line that patterns see."""
MAX_CANDIDATES = 1000
"""Lines that one signature looks at: a word of a log may stand in all of them."""
MAX_HITS = 4
"""Lines that one signature reports of one text: the first ones."""
MAX_IN_LINE = 8
"""Places of one line at which a claim is looked for that is told."""
MENTIONED = frozenset({Said.ASKED, Said.QUOTED, Said.COMMENT})
"""How a claim is meant that is worth a guess; what is denied, supposed, wanted or code is none."""


@dataclass(frozen=True)
class Met:
    """The known messages and claims of a text."""

    told: tuple[ErrorText, ...]
    mentioned: tuple[ErrorText, ...]
    """Those that the text holds without telling that it is so: in a question, a condition, a quotation or in code."""


def match(text: IndexedText, source: str) -> tuple[ErrorText, ...]:
    """Return the known messages in the output of a program, in the order of its lines.

    Only the first lines of each signature are reported; `source` is followed by the line number where the text has several lines.
    """
    return _found(text, source, None).told


def match_pasted(
    text: IndexedText, source: str, *, without: Collection[int] = frozenset(), statements: Statements | None = None
) -> Met:
    """Return the known messages in a text that people wrote or pasted, with what they claim in prose; what they deny is left out.

    Lines whose numbers are in `without` prove nothing, and are passed over.
    """
    return _found(text, source, statements or Statements(text), without)


def _found(
    text: IndexedText, source: str, statements: Statements | None, without: Collection[int] = frozenset()
) -> Met:
    table, rows = _looked_up()
    present = table.present(text)
    asked = sorted({number for word in present for number in rows[word]})
    told: list[tuple[int, ErrorText]] = []
    mentioned: list[tuple[int, ErrorText]] = []
    known = signatures()
    for signature in (known[number] for number in asked):
        if statements is not None or signature.kind == "message":
            numbers = _candidates(signature, text, without)
            if not numbers:
                continue
            sure, unsure = _hits(signature, numbers, text, statements)
            (told if sure else mentioned).extend(
                (hit[0], _error(signature, hit, text, source)) for hit in sure or unsure
            )
    return Met(*(tuple(error for _, error in sorted(found, key=lambda hit: hit[0])) for found in (told, mentioned)))


def _candidates(signature: Signature, text: IndexedText, without: Collection[int]) -> list[int]:
    """Return the numbers of the lines that may hold all words which a signature requires, apart from those in `without`."""
    numbers = text.numbers_with_each(signature.required)[:MAX_CANDIDATES]
    return [number for number in numbers if number not in without] if without else numbers


_Hit = tuple[int, str, "re.Match[str]"]


def _hits(
    signature: Signature, numbers: list[int], text: IndexedText, statements: Statements | None
) -> tuple[list[_Hit], list[_Hit]]:
    """Return the first of some lines that a signature matches: those that tell it, and those that only mention it."""
    told: list[_Hit] = []
    mentioned: list[_Hit] = []
    for number in numbers:
        line = text.line(number)[:MAX_LINE].rstrip("\r")
        hit, said = _best(signature, line, number, statements)
        if hit is None:
            continue
        if said is Said.TOLD:
            told.append((number, line, hit))
            if len(told) == MAX_HITS:
                break
        elif len(mentioned) < MAX_HITS:
            mentioned.append((number, line, hit))
    return told, mentioned


def _best(
    signature: Signature, line: str, number: int, statements: Statements | None
) -> tuple[re.Match[str] | None, Said]:
    """Return the first match in a line that is told, else one that is mentioned, else None."""
    hit = signature.compiled.search(line)
    if hit is None or statements is None:
        return hit, Said.TOLD
    if signature.kind == "message":
        return hit, statements.printed(number, *hit.span())
    best: tuple[re.Match[str] | None, Said] = (None, Said.DENIED)
    for _ in range(MAX_IN_LINE):
        said = statements.claimed(number, *hit.span(), signature.says)
        if signature.whole and statements.narrower(number, hit.start()):
            said = Said.NARROWER
        if said is Said.TOLD:
            return hit, said
        if best[0] is None and said in MENTIONED:
            best = (hit, said)
        hit = signature.compiled.search(line, max(hit.end(), hit.start() + 1))
        if hit is None:
            break
    return best


def _error(signature: Signature, hit: _Hit, text: IndexedText, source: str) -> ErrorText:
    number, line, match = hit
    place = f"{source}, line {number}" if len(text.starts) > 1 else source
    return ErrorText(signature.id, line.strip()[:400], place, tuple(group or "" for group in match.groups()))


@cache
def _looked_up() -> tuple[WordTable, dict[str, list[int]]]:
    """Return the words of all rows, and for each word the numbers of its rows."""
    rows: dict[str, list[int]] = {}
    for number, signature in enumerate(signatures()):
        for word in signature.words:
            rows.setdefault(word, []).append(number)
    return WordTable(rows), rows
