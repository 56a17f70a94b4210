"""Which values are alike: a placeholder by its kind, what somebody said without times, addresses and temporary names, a measure by a factor."""

from __future__ import annotations

import ntpath
import posixpath
import re
from collections.abc import Hashable, Sequence
from typing import Any

from xpu_doctor.model.natures import FACTORS, Nature, row_of

_PLACEHOLDER = re.compile(r"<([a-z]{2,20})\d{1,9}>")
"""What redaction puts in the place of a name: which number it gets says nothing."""
_TEMPORARY = re.compile(r"(?i)((?:^|[\s\"'=:])(?:/private)?(?:/var)?/(?:tmp|temp)/|\\temp\\)[^\s\"'/\\:,;]+")
_SAID = (
    (re.compile(r"\b0x[0-9a-fA-F]{5,16}\b"), "0x?"),
    (
        re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)?"),
        "(date)",
    ),
    (re.compile(r"\b\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?"), "(time)"),
    (re.compile(r"\[\s{0,12}\d{1,10}\.\d{3,6}\]"), "[(time)]"),
    (re.compile(r"(?i)\b(pid|process|thread|tid)([ =:#]{1,3})\d{1,10}"), r"\1\2?"),
    (re.compile(r"\b\d{1,9}(?:\.\d{1,9})?(?= ?(?:s|ms|us|seconds?|minutes?)\b)"), "?"),
    (re.compile(r"\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b"), "(PCI address)"),
    (re.compile(r"\s+"), " "),
)
"""What differs in two runs of one program that say the same."""
SAID = frozenset({
    "text", "reason", "traceback", "output", "error", "detail", "warnings", "loader_error", "predicted_error", "died", "groups",
    "fallback_warnings", "left_behind", "exception", "init_result",
})  # fmt: skip
"""Fields that hold what a program said."""


def like(value: Any, pattern: str) -> Hashable:
    """Return what stands for a value in a comparison: two values are alike where this is equal; `pattern` is the path of the fact."""
    if isinstance(value, str):
        if row_of(pattern).nature is Nature.PLACE:
            value = _straight(value)
        return alike_text(value, said=pattern.removesuffix("[]").rpartition(".")[2] in SAID)
    if isinstance(value, bool):
        return str(value)  # True is no 1
    return value if isinstance(value, (int, float)) or value is None else repr(value)


def _straight(path: str) -> str:
    """Return an absolute path of any system without `.` and `..`; any other text as it is."""
    if path.startswith("/"):
        return posixpath.normpath(path)
    return ntpath.normpath(path) if ntpath.isabs(path) else path


def alike_text(text: str, *, said: bool) -> str:
    """Return a text without what makes no difference."""
    text = _TEMPORARY.sub(r"\1?", _PLACEHOLDER.sub(r"<\1>", text))
    if said:
        for pattern, stands in _SAID:
            text = pattern.sub(stands, text)
    return text.strip() if said else text


def are_measured_alike(values: Sequence[Any], pattern: str) -> bool:
    """Return whether a fact is a measure, and its values are near enough to each other to say the same."""
    factor = FACTORS.get(pattern)
    if factor is None or not all(isinstance(value, (int, float)) for value in values):
        return False
    least, most = min(map(abs, values)), max(map(abs, values))
    return bool(most <= least * factor)
