"""Intel GPUs by the names that people and programs give them: the family behind a marketing name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class NamedGpu:
    """A GPU that a text names."""

    name: str
    group: str
    """Coarse family: `alchemist`, `battlemage`, `xe-lp`, `gen9` ..."""
    kind: str
    """`integrated` or `discrete`."""
    family: str = ""
    """Key of devices.toml where the name tells it."""
    start: int = 0


# First match wins at one place of the text; the order is from the special to the general.
_NAMES: tuple[tuple[str, str, str, str, str], ...] = (
    ("pvc", "discrete", "pvc", "data center gpu max", r"(?:data center )?gpu max(?: (?:series|\d{4}\w{0,2}))?|\bmax (?:1100|1450|1550)\b|ponte vecchio|\bpvc\b"),
    ("alchemist", "discrete", "ats-m", "data center gpu flex", r"(?:data center )?gpu flex(?: \d{3}\w?)?|\bflex (?:140|170)\b|\bats-m\d*\b|arctic sound"),
    ("battlemage", "discrete", "bmg-g31", "arc pro b65/b70", r"arc(?:\(tm\)|™)? pro b(?:65|70)\b|\bb(?:65|70)\b(?= (?:gpu|pro|graphics|\d*gb|card))|bmg[-_ ]?g31|\b0xe22[0-3]\b|8086:e22[0-3]"),
    ("battlemage", "discrete", "bmg-g21", "arc b-series", r"arc(?:\(tm\)|™)? (?:pro )?b(?:50|60|570|580)\b|\bb(?:570|580)\b|battlemage(?: g21)?|bmg(?:[-_ ]?g21)?\b|8086:e2(?:0b|0c|10|11|12)"),
    ("panther-lake", "integrated", "ptl", "arc b390", r"arc(?:\(tm\)|™)? b(?:370|390)\b|panther lake"),
    ("lunar-lake", "integrated", "lnl", "arc 130v/140v", r"arc(?:\(tm\)|™)? 1[34]0v\b|lunar lake|\blnl\b|core(?:\(tm\)|™)? ultra \d 2\d\dv"),
    ("arrow-lake", "integrated", "arl-h", "arc 130t/140t", r"arc(?:\(tm\)|™)? 1[34]0t\b|arrow lake"),
    ("meteor-lake", "integrated", "mtl-h", "arc graphics", r"meteor lake|\bmtl\b|core(?:\(tm\)|™)? ultra \d 1\d\d[hu]\b"),
    ("alchemist", "discrete", "dg2-g10", "arc a-series", r"arc(?:\(tm\)|™)?[- ](?:graphics )?(?:pro )?a ?\d{2,3}[a-z]?\b|\ba(?:310|350m|370m|380|550m|570m|580|730m|750|770)m?\b|\barc ?(?:310|380|580|750|770)\b|alchemist|\bdg2\b|8086:56[0-9a-c][0-9a-f]"),
    ("xe-lp", "discrete", "dg1", "iris xe max", r"iris(?:\(r\)|®)? xe max|\bdg1\b"),
    ("xe-lp", "integrated", "adl-p", "iris xe", r"iris(?:\(r\)|®)? xe(?: graphics)?|\bxe[- ]lp\b|uhd(?: graphics)? (?:710|730|750|770)\b|tiger ?lake(?:-lp)?|alder ?lake(?:-\w)?(?= (?:gt|uhd|graphics|igpu|\[))|raptor ?lake(?:-\w)?(?= (?:gt|uhd|graphics|igpu|\[))|rocket ?lake"),
    ("gen11", "integrated", "gen11", "iris plus g7", r"iris(?:\(r\)|®)? plus graphics(?: g[47])?|ice ?lake|jasper ?lake|elkhart ?lake"),
    ("gen9", "integrated", "gen9", "uhd 6xx", r"(?:u?hd|iris(?:\(r\)|®)?(?: plus| pro)?)(?: graphics)? (?:p?5[0-9]{2}|p?6[0-5][0-9])\b(?! ?(?:mb|gb|hz))|coffee ?lake|kaby ?lake|skylake|comet ?lake|gemini ?lake|apollo ?lake|whiskey ?lake"),
    ("gen8", "integrated", "gen8", "hd 5xxx", r"hd graphics (?:p?5[3-7]00|6000|p6300|4[0-9]00|[23]000|2500)\b|broadwell|haswell|cherry trail|braswell"),
    ("uhd", "integrated", "", "uhd graphics", r"intel(?:\(r\)|®)? uhd graphics\b(?! ?p?\d)"),
    ("arc-integrated", "integrated", "", "arc graphics", r"\barc(?:\(tm\)|™) graphics\b"),
)

NAME_WORDS = (
    "arc", "gpu max", "max 1", "pvc", "ponte", "gpu flex", "flex 1", "ats-m", "b50", "b57", "b58", "b60", "b65", "b70", "bmg", "battlemage", "lake", "lnl", "mtl",
    "a310", "a350", "a370", "a380", "a550", "a570", "a580", "a730", "a750", "a770", "dg1", "dg2", "alchemist", "iris", "uhd", "hd graphics", "xe-lp", "xe lp",
    "8086:", "0xe22", "ultra", "broadwell", "haswell", "cherry trail", "braswell",
)  # fmt: skip
"""Words in lower case, one of which stands in every line that names a GPU."""
_MERGED = re.compile("|".join(f"(?P<n{number}>{row[4]})" for number, row in enumerate(_NAMES)))


def named_gpus(line: str) -> Iterator[NamedGpu]:
    """Yield the Intel GPUs that a line names, in order."""
    lowered = line.lower()
    if not any(word in lowered for word in NAME_WORDS):
        return
    for match in _MERGED.finditer(lowered):
        group, kind, family, _, _ = _NAMES[int(str(match.lastgroup)[1:])]
        yield NamedGpu(line[match.start() : match.end()], group, kind, family, match.start())


def family_named(name: str) -> str:
    """Return the key of devices.toml for a GPU's name, or empty where the name does not tell one."""
    for gpu in named_gpus(name):
        if gpu.family:
            return gpu.family
    return ""
