"""Puts nodes into groups: by kind of machine, by diagnosis, then by what separates them from most others. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xpu_doctor.fleet.heap import Candidate, Heap, Seen, kinds_of
from xpu_doctor.fleet.model import NOT_THERE, Cause, MachineKind, NodeState, Separation
from xpu_doctor.fleet.weights import (
    CITED,
    SHARES,
    is_cited,
    list_of,
    measured_alike,
    nature_of,
    order_of,
    tells_outliers,
)
from xpu_doctor.model.terms import OverallVerdict

MIN_NODES = 3
"""Nodes of a kind below which none is an outlier."""
FEW_VALUES = 8
"""Different values of a fact that need no majority."""
MIN_LIFT = 1.5
"""How much more frequent a fact is among the nodes with a diagnosis than among the others, to be what separates them."""
MAX_ALSO = 4
MAX_GROUPS = 300
"""Groups of one diagnosis; what is left then differs in so many ways that it is one group."""
ANY = ""
"""Stands for every value of a fact but that of most nodes."""


@dataclass
class Draft:
    """A group, with the numbers of the profiles that its nodes have."""

    kind: int
    verdict: str
    causes: tuple[Cause, ...]
    profiles: list[int]
    separations: tuple[Separation, ...] = ()
    also: tuple[Separation, ...] = ()
    majority: bool = False
    size: int = 0


def grouped(heap: Heap) -> tuple[list[Draft], list[MachineKind]]:
    """Return the groups of a fleet, the outliers first, and the kinds of machines; it does not matter in which order profiles came."""
    heap.seen.sort(key=lambda each: (heap.diagnoses[each.diagnosis], each.models, each.number))
    kinds = kinds_of(heap.seen)
    drafts: list[Draft] = []
    rows: list[MachineKind] = []
    for place, (name, members) in enumerate(kinds):
        rows.append(MachineKind(name if len(kinds) > 1 else "", sum(each.nodes for each in members)))
        drafts += _Kind(heap, members).drafts(place)
    return sorted(drafts, key=_order), rows


def _order(draft: Draft) -> tuple[object, ...]:
    """Return by what a group comes before another: outliers, then the worse, the larger, and the one whose name comes first."""
    facts = tuple((order_of(fact.path), fact.value) for fact in draft.separations)
    return (
        draft.majority,
        state_of(draft.verdict, draft.causes).rank,
        -draft.size,
        draft.kind,
        draft.causes,
        draft.verdict,
        facts,
    )


def state_of(verdict: str, causes: Iterable[Cause]) -> NodeState:
    """Return what a diagnosis comes to."""
    if verdict in (OverallVerdict.UNDIAGNOSED, OverallVerdict.TOOL_FAILED):
        return NodeState.UNKNOWN
    sure = {cause.severity for cause in causes if cause.confidence != "possible"}
    if "error" in sure:
        return NodeState.ERROR
    return NodeState.WARNING if "warning" in sure or causes else NodeState.HEALTHY


class _Kind:
    """The nodes of one kind of machine, compared with each other."""

    def __init__(self, heap: Heap, members: list[Seen]) -> None:
        self.heap = heap
        self.members = members
        self.nodes = sum(each.nodes for each in members)
        self.usual = self._usual()
        for each in members:
            each.odd = frozenset(self._odd(each)) if self.nodes >= MIN_NODES else frozenset()
        self.having: Counter[Candidate] = Counter()
        """How many nodes have each odd fact."""
        for each in members:
            for candidate in each.odd:
                self.having[candidate] += each.nodes
        by_path: Counter[str] = Counter()
        for (path, _), count in self.having.items():
            by_path[path] += count
        self.having.update({(path, ANY): count for path, count in by_path.items()})

    def _usual(self) -> dict[str, str]:
        """Return the value that most nodes have of each fact; a fact that is different almost everywhere is left out."""
        values: dict[str, Counter[str]] = {}
        lists: Counter[str] = Counter()
        counts: Counter[int] = Counter()
        for each in self.members:
            for name in each.lists:
                lists[name] += each.nodes
            for number in each.facts:
                counts[number] += each.nodes
        for number, count in counts.items():
            path, value = self.heap.facts[number]
            values.setdefault(path, Counter())[value] += count
        result = {}
        for path, found in values.items():
            if (whole := list_of(path)) and lists[whole] > found.total():
                found[NOT_THERE] += lists[whole] - found.total()
            value, count = min(found.items(), key=lambda row: (-row[1], row[0]))
            if count * 2 >= found.total() or len(found) <= FEW_VALUES:
                result[path] = value
        self._present = {path for path, value in result.items() if list_of(path) and value != NOT_THERE}
        return result

    def _odd(self, each: Seen) -> Iterator[Candidate]:
        """Yield in what a profile differs from most."""
        there = set()
        for number in each.facts:
            path, value = self.heap.facts[number]
            there.add(path)
            usual = self.usual.get(path)
            if usual is not None and value != usual and not measured_alike(path, value, usual):
                yield (path, value)
        yield from ((path, NOT_THERE) for path in self._present if path not in there and list_of(path) in each.lists)

    # ------------------------------------------------------------------------------------------ groups

    def drafts(self, kind: int) -> list[Draft]:
        """Return the groups of this kind."""
        buckets: dict[int, list[Seen]] = {}
        for each in self.members:
            buckets.setdefault(each.diagnosis, []).append(each)
        sizes = {key: sum(each.nodes for each in bucket) for key, bucket in buckets.items()}
        base = min(
            sizes, key=lambda key: (-sizes[key], -state_of(*self.heap.diagnoses[key]).rank, self.heap.diagnoses[key])
        )
        drafts = []
        for key, bucket in buckets.items():
            for members, chosen in self._covered(bucket, key == base):
                draft = self._draft(kind, key, members, chosen)
                drafts.append(draft)
        plain = [draft for draft in drafts if not draft.separations and draft.causes == self.heap.diagnoses[base][1]]
        most = max(plain or drafts, key=lambda draft: draft.size)
        most.majority = True
        if not plain:
            most.separations = most.also = ()
        return drafts

    def _covered(self, bucket: list[Seen], is_base: bool) -> Iterator[tuple[list[Seen], Candidate | None]]:
        """Yield parts of the nodes with one diagnosis: those that share the most telling fact, then of the rest, to the end."""
        cited = frozenset[str]().union(*(each.cited for each in bucket)) if not is_base else frozenset()
        allowed = self._separating(bucket, is_base)
        left, made = bucket, 0
        while left:
            best = self._best(left, allowed, cited) if made < MAX_GROUPS else None
            if best is None:
                yield left, None
                return
            part = [each for each in left if _has(each, best)]
            yield part, best
            made += 1
            left = [each for each in left if not _has(each, best)]

    def _separating(self, bucket: list[Seen], is_base: bool) -> set[str]:
        """Return the paths, and of single values the candidates, that may separate nodes of a diagnosis."""
        inside: Counter[str] = Counter()
        for each in bucket:
            for path in {path for path, _ in each.odd}:
                inside[path] += each.nodes
        if is_base:
            return {path for path in inside if tells_outliers(path)}
        size = sum(each.nodes for each in bucket)
        others = self.nodes - size
        return {
            path
            for path, count in inside.items()
            if others == 0 or count / size >= MIN_LIFT * (self.having[(path, ANY)] - count) / others
        }

    def _best(self, left: list[Seen], allowed: set[str], cited: frozenset[str]) -> Candidate | None:
        """Return the fact that tells most of these nodes; None where none tells anything."""
        counts: Counter[Candidate] = Counter()
        for each in left:
            for candidate in each.odd:
                if candidate[0] in allowed:
                    counts[candidate] += each.nodes
        if not counts:
            return None
        values: dict[str, list[int]] = {}
        for (path, _), count in counts.items():
            values.setdefault(path, []).append(count)
        for path, found in values.items():
            if len(found) > 3 and sum(found) >= 2 * max(found):
                counts[(path, ANY)] = sum(found)
        return min(
            counts,
            key=lambda each: (-counts[each] * self._share(each, counts[each], cited), order_of(each[0]), each[1]),
        )

    def _share(self, candidate: Candidate, inside: int, cited: frozenset[str]) -> float:
        """Return what a node counts for a fact: by its nature, by whether it proves the diagnosis, and by how many others have it too."""
        path = candidate[0]
        precision = inside / max(inside, self.having[candidate])
        return SHARES[nature_of(path)] * (CITED if is_cited(path, cited) else 1.0) * precision

    # ------------------------------------------------------------------------------------------ what separates a group

    def _draft(self, kind: int, diagnosis: int, members: list[Seen], chosen: Candidate | None) -> Draft:
        verdict, causes = self.heap.diagnoses[diagnosis]
        size = sum(each.nodes for each in members)
        draft = Draft(kind, verdict, causes, [each.number for each in members], size=size)
        if chosen is None:
            return draft
        cited = frozenset[str]().union(*(each.cited for each in members)) if causes else frozenset()
        common = frozenset.intersection(*(each.odd for each in members))
        order = sorted(common | {chosen}, key=lambda each: self._telling(each, size, cited))
        first = order[0]
        chosen_facts = [first]
        if self.having[first] > size and (second := self._narrowing(first, order[1:], members)):
            chosen_facts.append(second)
        draft.separations = tuple(self._separation(each, size) for each in chosen_facts)
        rest = [each for each in order if each not in chosen_facts and each[1] != ANY]
        draft.also = tuple(self._separation(each, size) for each in rest[:MAX_ALSO])
        return draft

    def _telling(self, candidate: Candidate, size: int, cited: frozenset[str]) -> tuple[object, ...]:
        """Return by what one of the facts that a whole group has comes before another: causes, then what fewest others have."""
        path, value = candidate
        nature, place, name = order_of(path)
        return (nature, self.having[candidate] - size, not is_cited(path, cited), value == ANY, place, name, value)

    def _narrowing(self, first: Candidate, others: Sequence[Candidate], members: list[Seen]) -> Candidate | None:
        """Return the fact that together with the first one holds for the fewest others; None where none makes them fewer."""
        inside = {each.number for each in members}
        outside = [each for each in self.members if each.number not in inside and _has(each, first)]
        least, best = sum(each.nodes for each in outside), None
        for candidate in others:
            if candidate[0] == first[0] or not tells_outliers(candidate[0]):
                continue
            count = sum(each.nodes for each in outside if _has(each, candidate))
            if count < least:
                least, best = count, candidate
        return best

    def _separation(self, candidate: Candidate, size: int) -> Separation:
        path, value = candidate
        return Separation(path, value, self.usual.get(path, ""), size, self.having[candidate] - size)


def _has(each: Seen, candidate: Candidate) -> bool:
    path, value = candidate
    return any(path == other for other, _ in each.odd) if value == ANY else candidate in each.odd
