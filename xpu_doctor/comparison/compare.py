"""From sides to a comparison: all that differs, most telling first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence

from xpu_doctor.comparison.facts import Found, Walk
from xpu_doctor.comparison.judgements import Judged, judged
from xpu_doctor.comparison.model import Comparison, Difference, Kind, Side, State, Weight
from xpu_doctor.comparison.proof import Cited, cited
from xpu_doctor.model.natures import Nature, row_of
from xpu_doctor.model.terms import Origin

_Row = tuple[Difference, tuple[Hashable, ...], tuple[int, ...]]
"""A difference, what is equal for sides that are alike, and by what it comes before others of its weight."""


def compare(sides: Sequence[Side], readers: Mapping[str, tuple[str, ...]]) -> Comparison:
    """Return what differs between two or more sides; `readers` are the rules that read each fact, by its path with empty brackets.

    Raises:
        ValueError: there are fewer than two sides.
    """
    if len(sides) < 2:
        raise ValueError("two sides are needed")
    walk = Walk([side.snapshot for side in sides])
    facts = list(walk.found())
    proofs = cited(sides, walk.keys)
    rows: list[_Row] = [(_judgement(item), item.groups, (place,)) for place, item in enumerate(judged(sides))]
    rows += [(_fact(item, proofs, readers), item.groups, _order(item, proofs)) for item in facts]
    rows.sort(key=lambda row: (row[0].weight.rank, row[2], row[0].path))
    differing = [(difference, groups) for difference, groups, _ in rows if _differs(groups)]
    pasted = {place for place, side in enumerate(sides) if side.snapshot.origin == Origin.PASTED}
    one_sided = (difference for difference, groups, _ in rows if not _differs(groups))
    return Comparison(
        tuple(sides),
        tuple(difference for difference, _ in differing),
        tuple(difference for difference in one_sided if not _unknown(difference) <= pasted),
        walk.compared,
    )


def _differs(groups: Sequence[Hashable]) -> bool:
    return len({group for group in groups if group is not None}) > 1


def _unknown(difference: Difference) -> set[int]:
    """Return the places of the sides that do not know it."""
    return {place for place, value in enumerate(difference.values) if value.state is State.UNKNOWN}


def _judgement(item: Judged) -> Difference:
    return Difference(item.path, item.kind, Weight.JUDGEMENT, item.values, odd=odd_ones(item.groups))


def _fact(item: Found, proofs: Sequence[Cited], readers: Mapping[str, tuple[str, ...]]) -> Difference:
    proves = tuple(dict.fromkeys(proof.code for proof in _about(item, proofs)))
    read_by = readers.get(item.pattern) or readers.get(item.pattern.removesuffix("[]"), ())
    weight = Weight.PROOF if proves else Weight.READ if read_by and not _is_minor(item) else Weight.OTHER
    return Difference(item.path, Kind.FACT, weight, item.values, proves, read_by, odd_ones(item.groups))


def _is_minor(item: Found) -> bool:
    return row_of(item.pattern).nature in (Nature.PLACE, Nature.SIZE)


def _order(item: Found, proofs: Sequence[Cited]) -> tuple[int, ...]:
    """Return by what a fact comes before others of its weight: as the findings name it, else causes first and as the table has it."""
    row = row_of(item.pattern)
    if about := _about(item, proofs):
        return (int(_is_minor(item)), *min(proof.rank for proof in about), row.place)
    return (row.nature.rank, row.place)


def _about(item: Found, proofs: Sequence[Cited]) -> list[Cited]:
    """Return where findings name a fact: itself, and unless it is a size also what it is a part of, or what is a part of it; a place proves nothing."""
    if row_of(item.pattern).nature is Nature.PLACE:
        return []
    if _is_minor(item):
        return [proof for proof in proofs if proof.path == item.path]
    return [proof for proof in proofs if _is_within(item.path, proof.path) or _is_within(proof.path, item.path)]


def _is_within(path: str, whole: str) -> bool:
    return path == whole or path.startswith((f"{whole}.", f"{whole}["))


def odd_ones(groups: Sequence[Hashable]) -> tuple[int, ...]:
    """Return the places that are not with the majority, where more than half of three or more that know are alike."""
    known = [group for group in groups if group is not None]
    if len(known) < 3:
        return ()
    most, count = Counter(known).most_common(1)[0]
    if count * 2 <= len(known) or count == len(known):
        return ()
    return tuple(place for place, group in enumerate(groups) if group is not None and group != most)
