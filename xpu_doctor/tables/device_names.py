"""Intel GPUs by the names that people and programs give them: the family behind a marketing name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import ClassVar

from xpu_doctor.tables.devices import GpuKind
from xpu_doctor.tables.rows import FamilyKey, PatternText, Row, rows
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import WordTable

_PROCESSOR = re.compile(r"(?i)core\b|ultra\b|i[3579]-|n\d{2,3}\b|celeron|pentium|atom|xeon")


class GpuName(Row, frozen=True, kw_only=True):
    """Names of GPUs; the first row that matches at a place counts."""

    table: ClassVar[str] = "device_names.name"
    group: str
    """Coarse family: `alchemist`, `battlemage`, `xe-lp`, `gen9` ..."""
    kind: GpuKind
    family: FamilyKey = ""
    """Key of devices.toml where the name tells it."""
    words: tuple[str, ...]
    """Lower-case literals, one of which stands in every line that the pattern matches."""
    pattern: PatternText
    """IndexedText in the line in lower case."""


@dataclass(frozen=True)
class NamedGpu:
    """A GPU that a text names."""

    name: str
    group: str
    """Coarse family: `alchemist`, `battlemage`, `xe-lp`, `gen9` ..."""
    kind: GpuKind
    family: str = ""
    """Key of devices.toml where the name tells it."""
    start: int = 0


@cache
def name_words() -> WordTable:
    """Return words in lower case, one of which stands in every line that names a GPU."""
    return WordTable(word for row in rows(GpuName) for word in row.words)


@cache
def _rows() -> tuple[tuple[tuple[str, ...], re.Pattern[str], str, GpuKind, str], ...]:
    """Words, pattern, group, kind and family of each row."""
    return tuple((row.words, late_pattern(row.pattern), row.group, row.kind, row.family) for row in rows(GpuName))


def named_gpus(line: str) -> Iterator[NamedGpu]:
    """Yield the Intel GPUs that a line names, in order; where names overlap, the first and then the one of the earlier row counts."""
    lowered = line.lower()
    found = [
        (match.start(), number, match.end(), group, kind, family)
        for number, (words, pattern, group, kind, family) in enumerate(_rows())
        if any(word in lowered for word in words)
        for match in pattern.finditer(lowered)
    ]
    end = 0
    for start, _, ends, group, kind, family in sorted(found):
        if start >= end:
            end = ends
            name = line[start:ends]
            yield NamedGpu(f"GPU of {name}" if _PROCESSOR.match(name) else name, group, kind, family, start)


@lru_cache(maxsize=256)
def family_named(name: str) -> str:
    """Return the key of devices.toml for a GPU's name, or empty where the name does not tell one."""
    for gpu in named_gpus(name):
        if gpu.family:
            return gpu.family
    return ""
