"""What is read of one report, and what a fleet comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from xpu_doctor.model.terms import RankedTerm, Term

NOT_THERE = "not there"
"""The value of a thing of a list that a node does not have."""
Fact = tuple[str, str]
"""Path of a fact, with a name in the place of a number, and its value as a person reads it."""


class NodeState(RankedTerm):
    """What a node comes to by its newest report, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    UNKNOWN = "unknown"
    """It could not be diagnosed."""
    HEALTHY = "healthy"


class ProblemKind(Term):
    """Why a file gave no node."""

    DAMAGED = "damaged"
    CUT = "cut"
    FOREIGN = "foreign"
    """It is no report of xpu-doctor."""
    FACTS = "facts"
    """It holds facts without a diagnosis: what `xpu-doctor snapshot` writes."""
    NEWER = "newer"
    LARGE = "large"
    LINK = "link"
    UNREADABLE = "unreadable"
    LATE = "late"
    """Reading it took too long, or ended the process that read it."""


NO_LOSS = frozenset({ProblemKind.FOREIGN, ProblemKind.LINK})
"""Why a file gave no node where no node is lost by it."""


class Problem(NamedTuple):
    """A file, or a part of one, that gave no node."""

    label: str
    kind: str
    reason: str


class Cause(NamedTuple):
    """A root cause of a node."""

    code: str
    severity: str
    confidence: str
    subject: str
    """Without what tells one card, or one node, from another."""


class Remedy(NamedTuple):
    """A way to fix a cause."""

    title: str
    commands: tuple[str, ...]
    risk: str


class Told(NamedTuple):
    """What one report says of a cause, in its own words."""

    code: str
    severity: str
    confidence: str
    subject: str
    summary: str
    page: str
    remedies: tuple[Remedy, ...]


class Profile(NamedTuple):
    """All that nodes have in common: verdict, causes and facts, without names, times, addresses and speeds."""

    verdict: str
    causes: tuple[Cause, ...]
    facts: tuple[Fact, ...]
    known_lists: tuple[str, ...]
    """Paths of lists that are known, so that what they do not name is not there."""
    cited: tuple[str, ...]
    """Facts that prove the causes, by their paths with empty brackets; a variable by its own path."""


class Timed(NamedTuple):
    """A timed matmul of one card."""

    model: str
    dtype: str
    device: str
    tflops: float


class Row(NamedTuple):
    """What is kept of one report."""

    label: str
    node: str
    created: str
    content: bytes
    """Digest of the whole report, to tell a copy."""
    profile: bytes
    """Digest of its profile."""
    detail: str
    """Subjects of its causes as they were, where they name a card or a device."""
    speeds: tuple[Timed, ...]


@dataclass(frozen=True)
class Separation:
    """A fact that a group has and others have not."""

    path: str
    value: str
    """Empty where the group has any value but that of the others."""
    others: str
    """The value that most others have; empty where it is not known of any."""
    holds: int
    """Nodes of the group of which it is true: all."""
    elsewhere: int
    """Other nodes of its kind of which it is true as well."""


@dataclass(frozen=True)
class Group:
    """Nodes with the same diagnosis that differ from the others in the same way."""

    kind: int
    """Place of the kind of machine that its nodes are of."""
    state: NodeState
    verdict: str
    causes: tuple[Cause, ...]
    separations: tuple[Separation, ...]
    """The shortest first; empty where the diagnosis alone tells the group apart, or nothing does."""
    nodes: tuple[str, ...]
    """In the order of people."""
    majority: bool
    """Whether its nodes are as most of their kind are."""
    told: tuple[Told, ...] = ()
    """The causes in the words of the report of the first node."""
    also: tuple[Separation, ...] = ()
    """What else all its nodes have in common, and most others do not."""
    details: tuple[tuple[str, str], ...] = ()
    """Nodes with the cards or devices that are at fault."""


@dataclass(frozen=True)
class MachineKind:
    """Nodes with the same models of GPUs, enough of them to be compared with each other."""

    name: str
    """The GPUs that most of them have; empty where there is only one kind."""
    nodes: int


@dataclass(frozen=True)
class SpeedModel:
    """How fast the cards of one model multiply matrices of one data type."""

    model: str
    dtype: str
    cards: int
    nodes: int
    median: float | None
    """Teraflops; None where there are too few nodes to say what is usual."""
    mad: float | None
    """Median absolute deviation from that."""


@dataclass(frozen=True)
class SlowCard:
    """A card that is much slower than others of its model."""

    node: str
    device: str
    model: str
    dtype: str
    tflops: float
    median: float
    score: float
    """How many robust standard deviations it lies below the median."""


@dataclass(frozen=True)
class Change:
    """A node that was examined more than once, and did not come to the same each time."""

    node: str
    runs: tuple[tuple[str, str], ...]
    """When, and what it came to: only the runs in which that changed."""
    total: int
    """How many runs there are."""

    @property
    def flaps(self) -> bool:
        """Whether it came back to what it had been."""
        return len({what for _, what in self.runs}) < len(self.runs)


@dataclass(frozen=True)
class Fleet:
    """All that a heap of reports comes to."""

    groups: tuple[Group, ...]
    """Outliers first, then what most nodes are."""
    kinds: tuple[MachineKind, ...]
    speeds: tuple[SpeedModel, ...]
    slow: tuple[SlowCard, ...]
    changes: tuple[Change, ...]
    problems: dict[str, int]
    """Files that gave no node, by why."""
    problem_examples: tuple[Problem, ...]
    reports: int
    """Reports that were read."""
    duplicates: int
    """Of these, copies of another one."""
    nodes: int
    oldest: str
    newest: str
    """When the first and the last of the newest reports were made."""
    stale: tuple[tuple[str, str], ...] = ()
    """Nodes whose newest report is more than a day older than most, and when it was made."""
    expected: int | None = None
    missing: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    slow_few: int = field(default=0)
    """Models and data types with too few nodes to say what is usual."""
