"""Tells lines that a program printed, or of a program, from what people write. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import IndexedText

LONGEST = 2000
"""Characters of a line that are looked at."""

_PRINTED = late_pattern(
    r"""
    ^[>\s]{0,20}(?:
      [-*][ ]\[[ xX]\][ ] | [\w.-]{1,40}-\d{1,3}\s{1,8}\|[ ] |
      \W{0,3}\d{1,4}[-:/.]\d\d[-:/.]\d\d | \W{0,4}(?:INFO|DEBUG|WARN(?:ING)?|ERROR|TRACE|NOTE|Note|Warning)\b | [WEI]\d{3,4}[ ]
      | \*[ ]\[\d | \[(?:pip3?|conda|uv|rank\d|W|E|I)\b | [\w./\\:-]{1,200}:\d{1,6}:[ ]
      | File[ ]" | [\w.]{0,80}(?:Error|Exception):[ ] | >>>[ ] | [$%][ ] | [│╭╰❱] | \|(?![^\n]{1,400}\|\s{0,4}$)
      | [A-Za-z ()]{2,40}:\s{1,40}(?:N/A|None|True|False|Could[ ]not[ ]collect)\b
    )
    | \b(?:User|Future|Deprecation|Runtime)Warning\b | [ ]-[ ](?:INFO|DEBUG|WARNING|ERROR)[ ]-[ ] | \b(?:INFO|DEBUG|WARNING)[ ]{2,8}\S
    | \b(?:pid=\d|level=\w|msg=\") | ^\s{0,20}(?:import|from|def|class|return|raise|except|if|for|with|print|assert)\b.{0,160}[(:=]
    """,
    re.VERBOSE,
)
"""A line that a program printed, or of a program: what it says of failing is no complaint of a person."""


def written(text: IndexedText, numbers: Iterable[int]) -> list[int]:
    """Return the numbers of those lines, of some, that no program printed and that are of no program; digits make no difference."""
    printed: dict[int, bool] = {}
    kept: list[int] = []
    for number in numbers:
        like = text.like_of(number)
        if like not in printed:
            printed[like] = _PRINTED.search(text.line(number)[:LONGEST]) is not None
        if not printed[like]:
            kept.append(number)
    return kept
