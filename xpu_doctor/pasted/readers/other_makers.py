"""Reads whether somebody wants a GPU of another maker to work, and Intel's is not what the text is about."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.text.late_pattern import late_pattern

_WORDS = (
    "nvidia", "geforce", "rtx", "gtx", "quadro", "radeon", "amd ", "rx ", "+cu1", "rocm", "with cuda", "cuda gpu", "hip error",
)  # fmt: skip
_OTHER = late_pattern(
    r"""
    \b(?:nvidia|geforce|radeon|amd)[ ](?:gpus?|graphics|cards?|rtx|gtx|geforce|rx|quadro|tesla|[a-z]?\d{3,4})\b
    | \b(?:geforce|rtx|gtx|quadro|radeon(?:[ ]rx)?)[ -]?(?:super[ ]?)?[a-z]?\d{3,4}
    | \brx[ ]?(?:[5-7]\d{3}|9\d{2,3}0)(?:[ ]?(?:xtx?|gre))?\b | \bHIP[ ]error:
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
_BESIDE_A_CARD = late_pattern(r"(?i)iris[ ]xe|uhd|integrated[ ](?:gpu|graphics)|igpu")
"""Intel's graphics in a processor, which most machines with a card of another maker have."""
_WISHED = late_pattern(
    r"(?i)\b(?:buy\w{0,3}|order\w{0,3}|(?:switch(?:ing)?|upgrad(?:e|ing)|mov(?:e|ing)) to|go(?:ing)? for|get(?:ting)?"
    r"|consider\w{0,3}|worth|reason to)\b[^.!?\n]{0,24}$"
)
"""What stands before something that somebody does not have yet."""
_AT_WORK = late_pattern(
    r"""
    \bNVIDIA-SMI[ ]\d | \b[Tt]he[ ]NVIDIA[ ]driver[ ]on[ ]your[ ]system[ ]is[ ]too[ ]old\b | \b(?:CUDA|HIP)[ ]error: | \bNVRM:
    | \btorch\.cuda\.is_available\(\)\W{0,6}(?:(?:is|returns?|gives?|says?|prints?)[ ])?True\b | (?i:\bis[ ]cuda[ ]available\s{0,9}:\s{0,9}true\b)
    """,
    re.VERBOSE,
)
"""What shows that the GPU of the other maker is the one that is used, or that fails."""
_AT_WORK_WORDS = (
    "nvidia-smi",
    "nvidia driver on",
    "cuda error:",
    "hip error:",
    "nvrm:",
    "cuda.is_available",
    "is cuda available",
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
    """Return whether a text has a word of Intel's GPUs, or of what drives them, that somebody has.

    Processors, lists of versions, what is denied and what is only wished for say nothing, nor does a processor's GPU beside a card of another
    maker that is at work.
    """
    body = _OFFERED.sub("", text.body)
    at_work: bool | None = None
    for match in _OF_INTEL.finditer(body):
        line = body.rfind("\n", 0, match.start()) + 1
        before = body[max(line, match.start() - 60) : match.start()]
        if _NOT_MEANT.search(before) or _WISHED.search(before):
            continue
        if _BESIDE_A_CARD.match(match[0]):
            if at_work is None:
                at_work = text.first(_AT_WORK, *_AT_WORK_WORDS) is not None
            if at_work:
                continue
        return True
    return False
