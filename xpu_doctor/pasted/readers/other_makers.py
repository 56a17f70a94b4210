"""Reads whether somebody wants a GPU of another maker to work, and no word of Intel's stands in the text."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.text.late_pattern import late_pattern

_WORDS = ("nvidia", "geforce", "rtx", "gtx", "quadro", "radeon", "amd ", "+cu1", "rocm", "with cuda", "cuda gpu")
_OTHER = late_pattern(
    r"""
    \b(?:nvidia|geforce|radeon|amd)[ ](?:gpus?|graphics|cards?|rtx|gtx|geforce|rx|quadro|tesla|[a-z]?\d{3,4})\b
    | \b(?:geforce|rtx|gtx|quadro|radeon(?:[ ]rx)?)[ -]?(?:super[ ]?)?[a-z]?\d{3,4}
    | \bcuda[ ](?:gpus?|devices?|cards?)\b
    | \b(?:py)?torch[ ]with[ ](?:cuda|rocm)\b
    | \b(?:for|on|with|using?|my)[ ]rocm\b | \brocm[ ](?:is[ ]used|gpus?|cards?|devices?|users?)\b | /whl/(?:nightly/|test/)?rocm\d
    | \binstall\b[^\n]{0,200}==\d[\d.]{0,12}\+(?:cu1\d\d|rocm\d)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A GPU of another maker that somebody has, or a torch for one that somebody asks for; names of packages and empty lines of inventories are none."""
_NOT_MEANT = late_pattern(
    r"(?i)\b(?:no|not|non|without|instead of|neither|nor|unlike|only for|e\.g\.)[ -](?:an?[ ])?(?:\w{1,12}[ ]){0,2}$"
)
_OF_INTEL = late_pattern(
    r"""
    (?<!')\bintel\b(?!'|[ ](?:librar|backend|folder|module|import)
      |(?:\(r\))?[ ,]{0,2}(?:core\b|xeon\b|pentium|celeron|cpus?\b|processors?\b|i[3579]\b|mkl|openmp|oneapi[ ]math|amx|haswell|skylake))
    | \barc\b | xpu | sycl | \bone[ -]?api | level[ _-]?zero | \bipex | battlemage | alchemist | \bdg2\b | \bpvc\b
    | (?:lunar|meteor|arrow|panther)[ -]lake | \biris[ ]xe\b | \buhd\b
    | \bintegrated[ ](?:gpu|graphics) | \b[ab][3-7][0578]0m?\b | \bmax[ ]1[15][05]0\b | \bigpu\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OFFERED = late_pattern(r"\(from versions:[^\n)]{0,20000}")
"""What an index has; nobody asked for it."""


def wants_another(text: Text) -> bool:
    """Return whether a text names a GPU of another maker, or asks for a torch for one, as what ought to work."""
    for match in text.matches(_OTHER, *_WORDS):
        line = text.body.rfind("\n", 0, match.start()) + 1
        if not _NOT_MEANT.search(text.body[max(line, match.start() - 40) : match.start()]):
            return True
    return False


def speaks_of_intel(text: Text) -> bool:
    """Return whether a text has a word of Intel's GPUs or of what drives them; processors and lists of versions say nothing."""
    return _OF_INTEL.search(_OFFERED.sub("", text.body)) is not None
