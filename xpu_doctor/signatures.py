"""Known messages: which lines of a text they are, and which causes they speak for. Pure; the rows are data/signatures.toml."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from xpu_doctor import tables
from xpu_doctor.facts import ErrorText
from xpu_doctor.findings import Confidence

MAX_LINE = 4096
"""Characters of a line that patterns see."""
GRAM = 4
"""Letters of the pieces by which words are looked up before they are searched for."""
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
    lowered = text.lower()
    if len(lowered) != len(text):  # some letters change their length; the offsets must agree
        lowered = "".join(char.lower() if len(char.lower()) == 1 else char for char in text)
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    present = {lowered[at : at + GRAM] for at in range(len(lowered) - GRAM + 1)}
    hits: list[tuple[int, ErrorText]] = []
    for signature, grams in _gated():
        if (claims or signature.kind == "message") and not (grams and present.isdisjoint(grams)):
            hits.extend(_hits(signature, text, lowered, starts, source, present))
    hits.sort(key=lambda hit: hit[0])
    return tuple(error for _, error in hits)


@cache
def _gated() -> tuple[tuple[Signature, frozenset[str]], ...]:
    """Each row with the first letters of its words: a text that holds none of them needs no search; empty where a word is too short."""
    return tuple(
        (signature, frozenset(word[:GRAM] for word in signature.words) if all(len(word) >= GRAM for word in signature.words) else frozenset())
        for signature in signatures()
    )


def _hits(
    signature: Signature, text: str, lowered: str, starts: list[int], source: str, present: set[str]
) -> Iterator[tuple[int, ErrorText]]:
    lines: set[int] = set()
    for word in signature.words:
        if len(word) >= GRAM and (word[:GRAM] not in present or word[-GRAM:] not in present):
            continue
        at = lowered.find(word)
        while at >= 0 and len(lines) < MAX_HITS * 8:
            number = bisect_right(starts, at)
            lines.add(number)
            if number >= len(starts):
                break
            at = lowered.find(word, starts[number])
    found = 0
    for number in sorted(lines):
        end = starts[number] - 1 if number < len(starts) else len(text)
        line = text[starts[number - 1] : min(end, starts[number - 1] + MAX_LINE)].rstrip("\r")
        hit = signature.compiled.search(line)
        if hit:
            place = f"{source}, line {number}" if len(starts) > 1 else source
            groups = tuple(group or "" for group in hit.groups())
            yield number, ErrorText(signature.id, line.strip()[:400], place, groups)
            found += 1
            if found == MAX_HITS:
                return


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
    )
