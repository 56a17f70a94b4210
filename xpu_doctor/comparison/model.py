"""What a comparison is made of: its sides, and the differences between them in order."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.diagnosis.diagnose import Diagnosis
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import RankedTerm, Term


class Kind(Term):
    """What differs."""

    VERDICT = "verdict"
    FINDING = "finding"
    LAYER = "layer"
    FACT = "fact"


class State(Term):
    """What one side knows of what differs."""

    KNOWN = "known"
    ABSENT = "absent"
    """It is known that there is no such thing."""
    UNKNOWN = "unknown"


class Weight(RankedTerm):
    """Why a difference stands where it does, from the most telling kind down."""

    JUDGEMENT = "judgement"
    """The doctor judges the sides differently."""
    PROOF = "proof"
    """The fact proves an error or a warning that only some sides have."""
    READ = "read"
    """A rule reads the fact when it decides."""
    OTHER = "other"
    """No rule reads it, or it says where something lies or how large it is."""


@dataclass(frozen=True)
class Side:
    """One of the machines, or one of the days, that are compared."""

    label: str
    """A short name: `A`, `B` ..."""
    snapshot: Snapshot
    diagnosis: Diagnosis
    name: str = ""
    """What the caller calls it, such as the name of a file."""
    created: str = ""
    """When it was examined, UTC, ISO 8601; empty where that is not known."""


@dataclass(frozen=True)
class Value:
    """What one side says of what differs."""

    state: State
    text: str = ""
    """The value as a person reads it; of what is not known the reason; empty where there is no such thing."""


@dataclass(frozen=True)
class Difference:
    """One thing that differs, with the value of each side in their order."""

    path: str
    """A fact by the path of its parts' names, e.g. `distributions.installed[torch].version`; `findings[CODE]`, `ladder[LAYER]`, `verdict`."""
    kind: Kind
    weight: Weight
    values: tuple[Value, ...]
    proves: tuple[str, ...] = ()
    """Codes of the findings of only some sides that this fact proves."""
    read_by: tuple[str, ...] = ()
    """Codes of all rules that read this fact when they decide."""
    odd: tuple[int, ...] = ()
    """Of three and more sides: the places of those that are not with the majority; empty where there is none."""


@dataclass(frozen=True)
class Comparison:
    """All that differs between sides, most telling first."""

    sides: tuple[Side, ...]
    differences: tuple[Difference, ...]
    """What two sides are known to differ in."""
    one_sided: tuple[Difference, ...]
    """What some sides know, and all of these alike, and others do not: no difference of value."""
    compared: int = 0
    """How many facts at least two sides know."""

    @property
    def same(self) -> bool:
        """Whether nothing is known to differ."""
        return not self.differences
