"""The known faults of one version, read from the conditions of their rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from xpu_doctor.catalogue.knowledge.entry import KnownFact, fact
from xpu_doctor.diagnosis.conditions import Condition, condition, condition_holds
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.tables.known_faults import FaultRow
from xpu_doctor.tables.rows import rows
from xpu_doctor.tables.signatures import by_id

_FACTS = {
    "level_zero.drivers[0].build": "driver build",
    "pasted.driver_version": "driver",
    "pasted.windows_driver": "Windows driver",
    "pasted.compiling": "torch.compile at work",
    "pasted.used_works": "word that it works with this",
    "pasted.ipex": "the Intel Extension",
    "xpu.available": "a GPU that torch finds",
    "pasted.gpu_families": "GPU",
    "pasted.gpu_count": "number of GPUs",
    "torch.version": "torch",
    "kernel.version": "Linux",
    "machine.os": "system",
}
_BOUNDS = frozenset({"<", "<=", ">", ">="})

_GROUP = re.compile(r"[ :]{0,2}\(?\{\d\}\)?")
"""Where a meaning takes in what a message says."""


def faults_of(snapshot: Snapshot, path: str, today: str, device: str = "") -> Iterator[KnownFact]:
    """Yield the faults whose conditions on one fact hold of a snapshot that holds only that fact.

    Where `device` names a GPU, those that were seen on other ones alone are left out.
    """
    for row in rows(FaultRow):
        about = [text for text in row.when if condition(text).path == path]
        elsewhere = device and row.seen_on and not any(name.lower() in device.lower() for name in row.seen_on)
        if about and not elsewhere and all(condition_holds(text, snapshot, frozenset()) for text in about):
            others = "; ".join(_all_in_words([condition(text) for text in row.when if text not in about]))
            seen = f" (seen with: {others})" if others else ""
            yield fact(f"{row.confidence.value} fault", f"{row.summary}{seen}. Use {row.fixed}", row, today)


def _all_in_words(conditions: Sequence[Condition]) -> Iterator[str]:
    """Yield conditions as a person reads them; two bounds of one fact are a range."""
    bounds: dict[str, list[Condition]] = {}
    for asked in conditions:
        if asked.kind in _BOUNDS and not asked.negated:
            bounds.setdefault(asked.path, []).append(asked)
    told: set[str] = set()
    for asked in conditions:
        of_path = bounds.get(asked.path, []) if asked.kind in _BOUNDS and not asked.negated else []
        if len(of_path) != 2:
            yield in_words(asked)
        elif asked.path not in told:
            told.add(asked.path)
            yield _range(*sorted(of_path, key=lambda bound: bound.kind.startswith("<")))


def _range(low: Condition, high: Condition) -> str:
    """Return a lower and an upper bound of one fact in words."""
    name = _FACTS.get(low.path, low.path)
    first, last = low.wanted[0], high.wanted[0]
    if (low.kind, high.kind) == (">=", "<="):
        return f"{name} {first}" if first == last else f"{name} {first} to {last}"
    return f"{name} {'' if low.kind == '>=' else 'after '}{first} {'to' if high.kind == '<=' else 'up to, without,'} {last}"


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
    if asked.wanted == ("true",):
        return f"{no}{name}"
    return f"{no}{name} {'' if asked.kind == '=' else asked.kind + ' '}{' or '.join(asked.wanted)}"
