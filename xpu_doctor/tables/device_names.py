"""Intel GPUs by the names that people and programs give them: the family behind a marketing name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from xpu_doctor.tables import toml

_PROCESSOR = re.compile(r"(?i)core\b|ultra\b|i[3579]-|n\d{2,3}\b|celeron|pentium|atom|xeon")


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


@cache
def name_words() -> tuple[str, ...]:
    """Return words in lower case, one of which stands in every line that names a GPU."""
    return tuple(dict.fromkeys(word for row in toml("device_names")["name"] for word in row["words"]))


@cache
def _pattern() -> re.Pattern[str]:
    rows = toml("device_names")["name"]
    return re.compile("|".join(f"(?P<n{number}>{row['pattern']})" for number, row in enumerate(rows)))


def named_gpus(line: str) -> Iterator[NamedGpu]:
    """Yield the Intel GPUs that a line names, in order."""
    lowered = line.lower()
    if not any(word in lowered for word in name_words()):
        return
    rows = toml("device_names")["name"]
    for match in _pattern().finditer(lowered):
        row = rows[int(str(match.lastgroup)[1:])]
        name = line[match.start() : match.end()]
        yield NamedGpu(f"GPU of {name}" if _PROCESSOR.match(name) else name, row["group"], row["kind"], row["family"], match.start())


def family_named(name: str) -> str:
    """Return the key of devices.toml for a GPU's name, or empty where the name does not tell one."""
    for gpu in named_gpus(name):
        if gpu.family:
            return gpu.family
    return ""
