"""Known messages: which lines of a text they are, and which causes they speak for. Pure; the rows are data/signatures.toml."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from xpu_doctor import tables
from xpu_doctor.facts import ErrorText
from xpu_doctor.findings import Confidence
from xpu_doctor.searched import Searched, WordTable

MAX_LINE = 4096
"""Characters of a line that patterns see."""
MAX_CANDIDATES = 1000
"""Lines that one signature looks at: a word of a log may stand in all of them."""
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
    alone: bool = False
    """Its `fix` takes the place of the table's remedies for the code."""
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
    contradicted_by: frozenset[str] = frozenset()
    """Signatures beside which the message proves no fact."""
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
    """Return the rows of data/implications.toml, those marked `fallback` last: what a state of the facts in a pasted text makes possible."""
    return tuple(sorted((_implication(row, row) for row in tables.toml("implications")["implication"]), key=lambda item: item.fallback))


def match(text: Searched, source: str, *, claims: bool = False) -> tuple[ErrorText, ...]:
    """Return the known messages in a text, in the order of its lines; with `claims` also what people write in prose.

    Only the first lines of each signature are reported; `source` is followed by the line number where the text has several lines.
    """
    table, rows = _looked_up()
    present = table.present(text)
    asked = sorted({number for word in present for number in rows[word]})
    hits: list[tuple[int, ErrorText]] = []
    for signature in (signatures()[number] for number in asked):
        if claims or signature.kind == "message":
            hits.extend(_hits(signature, [word for word in signature.words if word in present], text, source))
    hits.sort(key=lambda hit: hit[0])
    return tuple(error for _, error in hits)


def _hits(signature: Signature, words: list[str], text: Searched, source: str) -> Iterator[tuple[int, ErrorText]]:
    """Yield the first lines that a signature matches, with their numbers."""
    found = 0
    search = signature.compiled.search
    for number in text.numbers_with_any(words)[:MAX_CANDIDATES]:
        line = text.line(number)[:MAX_LINE].rstrip("\r")
        hit = search(line)
        if hit:
            place = f"{source}, line {number}" if len(text.starts) > 1 else source
            yield number, ErrorText(signature.id, line.strip()[:400], place, tuple(group or "" for group in hit.groups()))
            found += 1
            if found == MAX_HITS:
                return


@cache
def _looked_up() -> tuple[WordTable, dict[str, list[int]]]:
    """The words of all rows, and for each word the numbers of its rows."""
    rows: dict[str, list[int]] = {}
    for number, signature in enumerate(signatures()):
        for word in signature.words:
            rows.setdefault(word, []).append(number)
    return WordTable(rows), rows


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
        frozenset(name for item in row.get("unless", ()) if item.startswith("signature:") for name in item[len("signature:") :].split("|")),
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
        bool(item.get("alone", row.get("alone", False))),
        bool(item.get("fallback", False)),
    )
