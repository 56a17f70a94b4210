"""Writes `xpu_doctor/data/required_words.json`: what the patterns of signatures.toml require of a line besides their `words`.

    python tools/update_required_words.py [--check]

Every match of a pattern holds one word of each of the sets that stand here for it, so a line without one need not be tried. They are derived from the
patterns themselves; run it after a pattern was changed. A row whose pattern is another one than here is tried without them, which is slower and no less
right. With `--check` nothing is written, and the exit status is 1 where the file is not up to date.
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
"""Sets of one pattern: the most telling ones."""

_REPEATS = tuple(
    getattr(constants, name) for name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") if hasattr(constants, name)
)
_ATOMIC = getattr(constants, "ATOMIC_GROUP", None)


def required(pattern: str) -> list[frozenset[str]]:
    """Return sets of lower-case words, of each of which every match of a pattern holds one."""
    parsed: Any = parser.parse(pattern)
    return list(_sets(parsed))


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


def telling(signature: Signature) -> list[list[str]]:
    """Return the sets that tell more of a line than that it holds one of the row's own words."""
    more = (
        words
        for words in dict.fromkeys(required(signature.pattern))
        if len(words) <= MOST_WORDS and not all(any(word in own for word in words) for own in signature.words)
    )
    return sorted(map(sorted, sorted(more, key=_worth, reverse=True)[:MOST_SETS]), key=len)


def text() -> str:
    """Return what the file should hold."""
    found = {signature.id: (signature.pattern, telling(signature)) for signature in signatures()}
    rows = (
        f"  {json.dumps(name)}: {json.dumps([fingerprint(pattern), *sets])}"
        for name, (pattern, sets) in sorted(found.items())
        if sets
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
