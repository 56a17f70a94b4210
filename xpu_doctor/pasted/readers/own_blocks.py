"""The doctor's comparisons and annotations within a text: they repeat what reports say, and are no symptom."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xpu_doctor.text.late_pattern import late_pattern

COMPARISON = "comparison"
ANNOTATIONS = "annotations"
MAX_LINES = 3000
"""Lines that a comparison has at most."""
TELLING = ("title=xpu-doctor%3A", "## xpu-doctor compare", "that both know", "at least two know")
"""One of these is in every one of them."""

_QUOTE = late_pattern(r"(?:>[ \t]?){0,20}")
_FENCE = late_pattern(r"(?:`{3,9}|~{3,9})\w{0,20}[ \t]{0,20}$")
_ANNOTATION = late_pattern(r"[ \t]{0,20}(?:[\d:.TZ-]{20,40} )?::(?:error|warning|notice) title=xpu-doctor%3A ")
_MARKDOWN = "## xpu-doctor compare"
_TEXT = late_pattern(
    r"(?:Of the|The) \d{1,9} facts? that (?:both|at least two) know"
    r"|Nothing differs in the \d{1,9} facts? that (?:both|at least two) know"
    r"|Nothing could be compared: there is no fact that (?:both|at least two) know"
)
_PART_OF_TEXT = late_pattern(
    r"The judgement differs:|What differs, the most telling|Not known everywhere, and so|\d{1,9} more facts? differ"
)
_PART_OF_MARKDOWN = late_pattern(
    r"\*\*|- \*\*[A-Z]{1,3}\*\* |> |### (?:The judgement differs|What differs, the most)|\| |</?details>|- not known in "
)


def own_blocks(body: str) -> dict[str, set[int]]:
    """Return the numbers of the lines, from 0, of each kind of block that a text holds."""
    if not any(word in body for word in TELLING):
        return {}
    lines = body.split("\n")
    found: dict[str, set[int]] = {}
    at = 0
    while at < len(lines):
        kind, end = _block(lines, at)
        if kind:
            found.setdefault(kind, set()).update(range(at, end))
        at = max(end, at + 1)
    return found


def _block(lines: Sequence[str], at: int) -> tuple[str, int]:
    """Return the kind of the block that begins at a line, and where it ends; no kind where none begins."""
    match = _QUOTE.match(lines[at])
    quote = match[0] if match else ""
    bare = lines[at].removeprefix(quote)
    if _ANNOTATION.match(bare):
        return ANNOTATIONS, at + 1
    if bare.rstrip() == _MARKDOWN:
        return COMPARISON, _end(lines, at, quote, _PART_OF_MARKDOWN)
    following = lines[at + 1].removeprefix(quote) if at + 1 < len(lines) else ""
    if _TEXT.match(f"{bare.rstrip()} {following}"):
        return COMPARISON, _end(lines, at, quote, _PART_OF_TEXT)
    return "", at


def _end(lines: Sequence[str], at: int, quote: str, part: re.Pattern[str]) -> int:
    """Return where a block ends of which every paragraph but the first begins with a `part`."""
    last, inside = at, True
    for number in range(at, min(at + MAX_LINES, len(lines))):
        line = lines[number].removeprefix(quote)
        if not line.strip(" \t>"):
            inside = False
        elif _FENCE.match(line) or not (inside or part.match(line)):
            break
        else:
            last, inside = number, True
    return last + 1
