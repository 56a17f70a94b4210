"""The known faults of one version, read from the conditions of their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.catalogue.knowledge.entry import KnownFact, fact
from xpu_doctor.diagnosis.conditions import Condition, condition, condition_holds
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.tables.known_faults import FaultRow
from xpu_doctor.tables.rows import rows
from xpu_doctor.tables.signatures import by_id

_FACTS = {
    "level_zero.drivers[0].build": "driver build",
    "pasted.driver_version": "driver",
    "pasted.gpu_families": "GPU",
    "pasted.gpu_count": "number of GPUs",
    "torch.version": "torch",
    "kernel.version": "Linux",
    "machine.os": "system",
}


_GROUP = re.compile(r"[ :]{0,2}\(?\{\d\}\)?")
"""Where a meaning takes in what a message says."""


def faults_of(snapshot: Snapshot, path: str, today: str) -> Iterator[KnownFact]:
    """Yield the faults whose conditions on one fact hold of a snapshot that holds only that fact."""
    for row in rows(FaultRow):
        about = [text for text in row.when if condition(text).path == path]
        if about and all(condition_holds(text, snapshot, frozenset()) for text in about):
            others = "; ".join(in_words(condition(text)) for text in row.when if text not in about)
            seen = f" (seen with: {others})" if others else ""
            yield fact(f"{row.confidence.value} fault", f"{row.summary}{seen}. Use {row.fixed}", row, today)


def in_words(asked: Condition) -> str:
    """Return a condition as a person reads it."""
    no = "no " if asked.negated else ""
    if asked.kind == "signature":
        meanings = [_GROUP.sub("", by_id()[name].meaning) if name in by_id() else name for name in asked.wanted]
        return no + " or ".join(f'"{meaning}"' for meaning in meanings)
    name = _FACTS.get(asked.path, asked.path)
    if asked.path == "machine.wsl":
        return f"{no}WSL2"
    if asked.kind == "known":
        return f"{no}{name} known"
    return f"{no}{name} {'' if asked.kind == '=' else asked.kind + ' '}{' or '.join(asked.wanted)}"
