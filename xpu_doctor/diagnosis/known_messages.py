"""Known messages: which lines of a text they are. Pure; the rows are data/signatures.toml."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from xpu_doctor.model.facts import ErrorText
from xpu_doctor.tables.signatures import Signature, signatures
from xpu_doctor.text.word_index import IndexedText, WordTable

MAX_LINE = 4096
"""Characters of a line that patterns see."""
MAX_CANDIDATES = 1000
"""Lines that one signature looks at: a word of a log may stand in all of them."""
MAX_HITS = 4
"""Lines that one signature reports of one text: the first ones."""


def match(
    text: IndexedText, source: str, *, claims: bool = False, without: Collection[int] = frozenset()
) -> tuple[ErrorText, ...]:
    """Return the known messages in a text, in the order of its lines; with `claims` also what people write in prose.

    Lines whose numbers are in `without` prove nothing, and are passed over.
    Only the first lines of each signature are reported; `source` is followed by the line number where the text has several lines.
    """
    table, rows = _looked_up()
    present = table.present(text)
    asked = sorted({number for word in present for number in rows[word]})
    hits: list[tuple[int, ErrorText]] = []
    for signature in (signatures()[number] for number in asked):
        if claims or signature.kind == "message":
            numbers = text.numbers_with_any(word for word in signature.words if word in present)[:MAX_CANDIDATES]
            hits.extend(_hits(signature, [number for number in numbers if number not in without], text, source))
    hits.sort(key=lambda hit: hit[0])
    return tuple(error for _, error in hits)


def _hits(signature: Signature, numbers: list[int], text: IndexedText, source: str) -> Iterator[tuple[int, ErrorText]]:
    """Yield the first of some lines that a signature matches, with their numbers."""
    found = 0
    search = signature.compiled.search
    for number in numbers:
        line = text.line(number)[:MAX_LINE].rstrip("\r")
        hit = search(line)
        if hit:
            place = f"{source}, line {number}" if len(text.starts) > 1 else source
            yield (
                number,
                ErrorText(signature.id, line.strip()[:400], place, tuple(group or "" for group in hit.groups())),
            )
            found += 1
            if found == MAX_HITS:
                return


@cache
def _looked_up() -> tuple[WordTable, dict[str, list[int]]]:
    """Return the words of all rows, and for each word the numbers of its rows."""
    rows: dict[str, list[int]] = {}
    for number, signature in enumerate(signatures()):
        for word in signature.words:
            rows.setdefault(word, []).append(number)
    return WordTable(rows), rows
