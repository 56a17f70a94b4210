"""Writes `xpu_doctor/data/required_words.json`: what the patterns of signatures.toml require of a line besides their `words`.

    python tools/update_required_words.py [--check]

A pattern has alternatives, and every match holds one word of each of the sets that stand here for one of them, so a line that holds that of none
need not be tried. They are derived from the patterns themselves; run it after a pattern was changed. A row whose pattern is another one than here is
tried without them, which is slower and no less right. With `--check` nothing is written, and the exit status is 1 where the file is not up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    from re import _constants as constants  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_constants as constants
    import sre_parse as parser

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import xpu_doctor  # noqa: E402
from xpu_doctor.tables.required_words import fingerprint  # noqa: E402
from xpu_doctor.tables.signatures import Signature, signatures  # noqa: E402

TARGET = Path(xpu_doctor.__file__).parent / "data" / "required_words.json"
SHORTEST = 3
"""Letters of a word that is worth a look."""
MOST_WORDS = 24
"""Words of a set that is worth a look."""
MOST_SETS = 3
"""Sets of one alternative: the most telling ones."""

_REPEATS = tuple(
    getattr(constants, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(constants, name)
)
_ATOMIC = getattr(constants, "ATOMIC_GROUP", None)


def required(pattern: str) -> list[list[frozenset[str]]]:
    """Return for each alternative of a pattern sets of lower-case words, of each of which every match of that alternative holds one."""
    parsed: Any = parser.parse(pattern)
    return [list(_sets(items)) for items in _alternatives(list(parsed))]


def _alternatives(items: list[tuple[Any, Any]]) -> list[list[tuple[Any, Any]]]:
    """Return what a pattern may consist of: itself, once with each branch in place of where it branches first."""
    for place, (kind, value) in enumerate(items):
        if kind is constants.SUBPATTERN and len(items) == 1:
            return _alternatives(list(value[-1]))
        if kind is constants.BRANCH:
            before, after = items[:place], items[place + 1 :]
            return [[*before, *branch, *after] for branch in value[1]]
    return [items]


def _sets(items: Iterable[tuple[Any, Any]]) -> Iterator[frozenset[str]]:
    """Yield the sets that a sequence of parts requires: letters in a row are one word."""
    run = ""
    for kind, value in items:
        letter = _letter(kind, value)
        if letter:
            run += letter
            continue
        if kind is constants.AT:  # takes no room, so what stands around it is a row
            continue
        yield from _word(run)
        run = ""
        yield from _inside(kind, value)
    yield from _word(run)


def _letter(kind: Any, value: Any) -> str:
    """Return the lower-case letter that a part stands for, empty where it may be several or is a blank other than a space."""
    letters = ""
    if kind is constants.LITERAL:
        letters = chr(value)
    elif kind is constants.IN and all(item is constants.LITERAL for item, _ in value):
        letters = "".join(chr(letter) for _, letter in value)
    lowered = set(letters.lower())
    letter = lowered.pop() if len(lowered) == 1 else ""
    return letter if letter == " " or not letter.isspace() else ""


def _word(run: str) -> Iterator[frozenset[str]]:
    word = run.strip()
    if len(word) >= SHORTEST:
        yield frozenset({word})


def _inside(kind: Any, value: Any) -> Iterator[frozenset[str]]:
    """Yield the sets that a part with parts of its own requires."""
    if kind is constants.SUBPATTERN:
        yield from _sets(value[-1])
    elif kind is _ATOMIC:
        yield from _sets(value)
    elif kind in _REPEATS and value[0] > 0:
        yield from _sets(value[2])
    elif kind is constants.ASSERT:
        yield from _sets(value[1])
    elif kind is constants.BRANCH:
        each = [max(_sets(branch), key=_worth, default=None) for branch in value[1]]
        if None not in each:
            yield frozenset().union(*each)  # type: ignore[arg-type]


def _worth(words: frozenset[str]) -> tuple[int, int]:
    """Return how much a set tells: by its shortest word, and by how few there are."""
    return min(map(len, words)), -len(words)


def telling(signature: Signature) -> list[list[list[str]]]:
    """Return for each alternative of a row's pattern what it tells besides that a line holds one of the row's own words; none where one tells nothing."""
    alternatives = [_most_telling(sets, signature.words) for sets in required(signature.pattern)]
    unique = list({json.dumps(sets): sets for sets in alternatives}.values())
    return unique if all(unique) else []


def _most_telling(sets: Iterable[frozenset[str]], own: Iterable[str]) -> list[list[str]]:
    more = (
        words
        for words in dict.fromkeys(sets)
        if len(words) <= MOST_WORDS and not all(any(word in each for word in words) for each in own)
    )
    return sorted(map(sorted, sorted(more, key=_worth, reverse=True)[:MOST_SETS]), key=len)


def text() -> str:
    """Return what the file should hold."""
    found = {signature.id: (signature.pattern, telling(signature)) for signature in signatures()}
    rows = (
        f"  {json.dumps(name)}: {json.dumps([fingerprint(pattern), *alternatives])}"
        for name, (pattern, alternatives) in sorted(found.items())
        if alternatives
    )
    return "{\n" + ",\n".join(rows) + "\n}\n"


def main() -> int:
    """Write the file, or say whether it is up to date."""
    made = text()
    if "--check" in sys.argv[1:]:
        return int(TARGET.read_text(encoding="utf-8") != made)
    TARGET.write_text(made, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
