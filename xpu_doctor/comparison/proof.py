"""Which facts prove the findings that only some sides have, as their evidence names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpu_doctor.comparison.judgements import Stand, importance, stands
from xpu_doctor.comparison.model import Side
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Severity


@dataclass(frozen=True)
class Cited:
    """A fact that a finding of only some sides names as its proof."""

    path: str
    """As `Difference.path`."""
    code: str
    rank: tuple[int, ...]
    """The lower, the more telling."""


def cited(sides: Sequence[Side], keys: Sequence[Mapping[str, tuple[str, ...]]]) -> tuple[Cited, ...]:
    """Return the facts that prove errors and warnings of only some sides; `keys` are those of the elements of each side's lists."""
    found = [stands(side.diagnosis) for side in sides]
    rows = [row for code in _of_some(found) for row in _of_code(code, found, keys)]
    return tuple(sorted(rows, key=lambda row: (row.rank, row.path, row.code)))


def _of_some(found: Sequence[Mapping[str, Stand]]) -> list[str]:
    """Return the codes that some sides have and others have not, notes and guesses left out."""
    said = [frozenset(code for code, stand in row.items() if _counts(stand)) for row in found]
    return sorted(frozenset[str]().union(*said) - said[0].intersection(*said))


def _counts(stand: Stand) -> bool:
    return stand.finding.severity is not Severity.INFO and stand.finding.confidence is not Confidence.POSSIBLE


def _of_code(
    code: str, found: Sequence[dict[str, Stand]], keys: Sequence[Mapping[str, tuple[str, ...]]]
) -> Iterator[Cited]:
    for row, named in zip(found, keys, strict=True):
        evidence = row[code].finding.evidence if code in row else ()
        for place, item in enumerate(evidence):
            if path := _path(item, named):
                yield Cited(path, code, (*importance(code, found), place))


def _path(item: Evidence, keys: Mapping[str, tuple[str, ...]]) -> str:
    """Return the path of a fact that is named as proof, with keys in the place of numbers; empty for what is no fact."""
    if item.kind is EvidenceKind.VARIABLE:
        return f"environment.variables[{item.fact}]"
    return with_keys(item.fact, keys) if item.kind is EvidenceKind.FACT else ""


def with_keys(path: str, keys: Mapping[str, tuple[str, ...]]) -> str:
    """Return a path such as `gpus[0].device_id` with the keys of the elements."""
    by_number, by_key = "", ""
    for part in path.replace("[", "\0[").replace(".", "\0.").split("\0"):
        number = part[1:-1] if part.startswith("[") else ""
        named = keys.get(by_number, ())
        by_key += f"[{named[int(number)]}]" if number.isdecimal() and int(number) < len(named) else part
        by_number += part
    return by_key
