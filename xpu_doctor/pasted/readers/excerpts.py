"""Tells whether somebody left lines out of what a program printed: an excerpt proves what it shows, never what is absent."""

from __future__ import annotations

import re
from itertools import islice

from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.text.late_pattern import late_pattern

MAX_LINES = 200
"""Lines of a block that are looked at for an omission."""
_ELIDED = late_pattern(
    r"""
    ^[>|\s\xa0*#/-]{0,40}
    (?:
        [\[(<{]{0,2}\s{0,4}(?:\.\s?){2,9}\s{0,4}[\])>}]{0,2}
        | [\[(<{]{0,2}\s{0,4}\u2026{1,9}\s{0,4}[\])>}]{0,2}
        | [\[(<{-]{1,9}\s{0,4}
          (?:snip\w{0,5}|cut|truncated|omitted|shortened|excerpt|redacted|removed|skipped|(?:some\s|many\s|other\s)?(?:output|rest|lines?)\s(?:omitted|truncated|cut|snipped)
            | (?:\w{1,20}\s)?(?:more|other)\s(?:lines?|devices?|entries))
          \b[^\n]{0,40}
        | (?:snip(?:ped|pet)?|truncated|(?:rest|output|remainder|lines?)\s(?:was\s|is\s|were\s)?(?:omitted|truncated|cut|snipped|removed))\W{0,9}
    )
    \s{0,40}$
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_elided(line: str) -> bool:
    """Return whether a line says that lines were left out here: `...`, `[...]`, `<snip>`, `(output truncated)`."""
    return len(line) <= 200 and bool(_ELIDED.match(line))


def is_elided_around(text: Text, first: int, last: int) -> bool:
    """Return whether lines were left out among those with these numbers, or right before or after them."""
    numbers = range(max(first - 1, 1), min(last + 1, len(text.searched.starts)) + 1)
    return any(is_elided(text.searched.line(number)) for number in islice(numbers, MAX_LINES))
