"""The profiles of a fleet while groups are made of them: facts as numbers, and the kinds of machines."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from xpu_doctor.fleet.facts import MODELS
from xpu_doctor.fleet.model import Cause, Fact, Profile

MIN_KIND_NODES = 5
MIN_KIND_SHARE = 0.1
"""Nodes with the same models of GPUs that are a kind of their own: so many, and such a part of all."""

Diagnosis = tuple[str, tuple[Cause, ...]]
Candidate = tuple[str, str]
"""A path, and a value that most nodes do not have, or `ANY`."""


@dataclass
class Seen:
    """A profile as it is kept while groups are made: facts by number."""

    number: int
    nodes: int
    facts: array[int]
    lists: frozenset[str]
    diagnosis: int
    models: str
    cited: frozenset[str]
    odd: frozenset[Candidate] = frozenset()
    """In what it differs from most nodes of its kind."""


@dataclass
class Heap:
    """All profiles of a fleet; facts that several have are kept once."""

    seen: list[Seen] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)
    diagnoses: list[Diagnosis] = field(default_factory=list)
    _numbers: dict[Fact, int] = field(default_factory=dict)
    _of_diagnosis: dict[Diagnosis, int] = field(default_factory=dict)
    _same: dict[frozenset[str], frozenset[str]] = field(default_factory=dict)

    def add(self, number: int, nodes: int, profile: Profile) -> None:
        """Add a profile that so many nodes have."""
        diagnosis = (profile.verdict, profile.causes)
        if diagnosis not in self._of_diagnosis:
            self._of_diagnosis[diagnosis] = len(self.diagnoses)
            self.diagnoses.append(diagnosis)
        facts = array("I", (self._number(fact) for fact in profile.facts if fact[0] != MODELS))
        models = next((value for path, value in profile.facts if path == MODELS), "")
        lists, cited = (
            self._same.setdefault(each, each) for each in map(frozenset, (profile.known_lists, profile.cited))
        )
        self.seen.append(Seen(number, nodes, facts, lists, self._of_diagnosis[diagnosis], models, cited))

    def _number(self, fact: Fact) -> int:
        number = self._numbers.get(fact)
        if number is None:
            number = self._numbers[fact] = len(self.facts)
            self.facts.append(fact)
        return number


def kinds_of(seen: Sequence[Seen]) -> list[tuple[str, list[Seen]]]:
    """Return the kinds of machines, the most frequent first; what is too rare to be a kind is compared with that one."""
    counts: Counter[str] = Counter()
    for each in seen:
        counts[each.models] += each.nodes
    least = max(MIN_KIND_NODES, MIN_KIND_SHARE * sum(counts.values()))
    large = sorted((-count, name) for name, count in counts.items() if count >= least and name not in ("", "none"))
    names = [name for _, name in large] or [""]
    rows: dict[str, list[Seen]] = {name: [] for name in names}
    for each in seen:
        rows[each.models if each.models in rows else names[0]].append(each)
    return [(name, members) for name, members in rows.items() if members]
