"""The JSON document that `fleet --json` prints: schema 1, its own types, apart from the internal ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

from xpu_doctor.fleet.model import NO_LOSS, Fleet, Group, NodeState, Separation, SlowCard, SpeedModel, Told
from xpu_doctor.fleet.names import folded
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.report.document import Tool
from xpu_doctor.report.fleet.labels import label_of_fact, shown_value

FLEET_SCHEMA = 1
"""Fields are only added within a number."""
FAIL_ON = ("error", "warning", "missing", "outlier", "never")
"""What makes the exit code 1, as the command line takes it."""


@dataclass(frozen=True)
class FactDocument:
    """A fact that the nodes of a group have and most others have not."""

    path: str
    """A fact by its path in the snapshot, with names for numbers; `firmware[GuC]` is read from the kernel's log."""
    label: str
    """The same in words."""
    value: str
    """What the group has; empty where that is any value but that of the others."""
    others: str
    """What most others have; empty where that is not known."""
    elsewhere: int
    """Nodes of the same kind outside of the group of which it is true as well."""


@dataclass(frozen=True)
class FleetRemedy:
    """A way to fix a cause, as the report of the group's first node has it."""

    title: str
    commands: list[str]
    risk: str


@dataclass(frozen=True)
class FleetCause:
    """A root cause, in the words of the report of the group's first node."""

    code: str
    severity: str
    confidence: str
    subject: str
    summary: str
    page: str
    remedies: list[FleetRemedy]


@dataclass(frozen=True)
class NodeDetail:
    """Which card or device of a node is at fault."""

    node: str
    subject: str


@dataclass(frozen=True)
class GroupDocument:
    """Nodes with one diagnosis that differ from the others in the same way; every node is in exactly one group."""

    number: int
    state: str
    """`error`, `warning`, `unknown` (it could not be diagnosed) or `healthy`."""
    majority: bool
    """Whether its nodes are as most of their kind are."""
    size: int
    kind: int
    """Number of the kind of machine, counted from 0."""
    causes: list[FleetCause]
    facts: list[FactDocument]
    """The shortest that separates it from the others, and a second one where the first alone holds for others too."""
    also: list[FactDocument]
    """What else all its nodes have in common and most others have not."""
    nodes: list[str]
    ranges: list[str]
    """The same in few words: `node[001-004,007]`."""
    details: list[NodeDetail]


@dataclass(frozen=True)
class KindDocument:
    """A kind of machine: nodes are compared with those of the same kind."""

    gpus: str
    """Models of its GPUs; empty where the fleet has one kind only."""
    nodes: int


@dataclass(frozen=True)
class SpeedUsual:
    """How fast cards of a model multiply matrices of a data type."""

    model: str
    dtype: str
    cards: int
    nodes: int
    median_tflops: float | None
    """None where there are too few nodes to say what is usual."""
    mad_tflops: float | None
    """Median absolute deviation from it."""


@dataclass(frozen=True)
class SlowCardDocument:
    """A card that is much slower than others of its model."""

    node: str
    device: str
    model: str
    dtype: str
    tflops: float
    median_tflops: float
    below: float
    """By which part of the median it falls short."""
    score: float
    """By how many robust standard deviations."""


@dataclass(frozen=True)
class StepOfNode:
    """What a node came to from one time on."""

    created: str
    what: str
    """Codes of the root causes, or the verdict."""


@dataclass(frozen=True)
class ChangeDocument:
    """A node with several reports that do not come to the same."""

    node: str
    reports: int
    flaps: bool
    """Whether it came back to what it had been."""
    steps: list[StepOfNode]


@dataclass(frozen=True)
class StaleDocument:
    """A node whose newest report is more than a day older than most."""

    node: str
    created: str


@dataclass(frozen=True)
class NotRead:
    """Files that gave no node, by why."""

    kind: str
    """`damaged`, `cut`, `foreign` (no report), `facts` (without a diagnosis), `newer`, `large`, `link`, `unreadable` or `late`."""
    count: int
    examples: list[NotReadFile]


@dataclass(frozen=True)
class NotReadFile:
    """A file that gave no node."""

    name: str
    reason: str


@dataclass(frozen=True)
class FleetDocument:
    """The whole fleet."""

    schema: int
    tool: Tool
    created: str
    """UTC, ISO 8601."""
    exit_code: int
    """0, 1 (what `fail_on` names is there), 3 (not all is known) as docs/reference/exit-codes.md says."""
    fail_on: list[str]
    nodes: int
    reports: int
    duplicates: int
    """Reports that are copies of another one of the same node."""
    states: dict[str, int]
    """Nodes by state, by their newest report."""
    outliers: int
    """Nodes that are not as most of their kind are."""
    kinds: list[KindDocument]
    groups: list[GroupDocument]
    """Outliers first, the worst and then the largest of them before the others; then what most nodes are."""
    slow_cards: list[SlowCardDocument]
    speeds: list[SpeedUsual]
    changes: list[ChangeDocument]
    stale: list[StaleDocument]
    expected: int | None
    """How many nodes `--expect-nodes` names; None where it is not given."""
    missing: list[str]
    """Expected nodes without a report."""
    unexpected: list[str]
    """Nodes that nobody expected, where a list was given."""
    not_read: list[NotRead]
    oldest: str
    newest: str
    """When the first and the last of the reports that count were made; empty where none says it."""
    notes: list[str] = field(default_factory=list)
    redacted: dict[str, int] | None = None
    """How many different values of each kind were hidden; None where nothing was, because --no-redact was given."""


def fleet_document(
    fleet: Fleet, *, version: str, created: str, fail_on: Sequence[str] = ("error",), notes: Sequence[str] = ()
) -> FleetDocument:
    """Return a fleet in the shape of the document, with everything in it as it was found."""
    states = {str(state): 0 for state in NodeState}
    for group in fleet.groups:
        states[str(group.state)] += len(group.nodes)
    return FleetDocument(
        schema=FLEET_SCHEMA,
        tool=Tool("xpu-doctor", version),
        created=created,
        exit_code=int(exit_code(fleet, fail_on)),
        fail_on=list(fail_on),
        nodes=fleet.nodes,
        reports=fleet.reports,
        duplicates=fleet.duplicates,
        states=states,
        outliers=sum(len(group.nodes) for group in fleet.groups if not group.majority),
        kinds=[KindDocument(kind.name, kind.nodes) for kind in fleet.kinds],
        groups=[_group(number, group) for number, group in enumerate(fleet.groups, 1)],
        slow_cards=[_slow(card) for card in fleet.slow],
        speeds=[_usual(row) for row in fleet.speeds],
        changes=[
            ChangeDocument(row.node, row.total, row.flaps, [StepOfNode(*step) for step in row.runs])
            for row in fleet.changes
        ],
        stale=[StaleDocument(*row) for row in fleet.stale],
        expected=fleet.expected,
        missing=list(fleet.missing),
        unexpected=list(fleet.unexpected),
        not_read=_not_read(fleet),
        oldest=fleet.oldest,
        newest=fleet.newest,
        notes=list(notes),
    )


def exit_code(fleet: Fleet, fail_on: Sequence[str]) -> ExitCode:
    """Return what the command line says of a fleet."""
    if "never" in fail_on:
        return ExitCode.OK
    states = {group.state for group in fleet.groups}
    reached = (
        ("error" in fail_on or "warning" in fail_on) and NodeState.ERROR in states,
        "warning" in fail_on and NodeState.WARNING in states,
        "missing" in fail_on and fleet.missing,
        "outlier" in fail_on and (fleet.slow or any(not group.majority for group in fleet.groups)),
    )
    if any(reached):
        return ExitCode.FINDINGS
    lost = fleet.problems.keys() - NO_LOSS
    if NodeState.UNKNOWN in states or fleet.missing or lost or not fleet.nodes:
        return ExitCode.UNDIAGNOSED
    return ExitCode.OK


def _group(number: int, group: Group) -> GroupDocument:
    return GroupDocument(
        number=number,
        state=str(group.state),
        majority=group.majority,
        size=len(group.nodes),
        kind=group.kind,
        causes=[_cause(told) for told in group.told],
        facts=[_fact(row) for row in group.separations],
        also=[_fact(row) for row in group.also],
        nodes=list(group.nodes),
        ranges=folded(group.nodes),
        details=[NodeDetail(*row) for row in group.details],
    )


def _cause(told: Told) -> FleetCause:
    remedies = [FleetRemedy(row.title, list(row.commands), row.risk) for row in told.remedies]
    return FleetCause(told.code, told.severity, told.confidence, told.subject, told.summary, told.page, remedies)


def _fact(row: Separation) -> FactDocument:
    path = row.path
    return FactDocument(
        path, label_of_fact(path), shown_value(path, row.value), shown_value(path, row.others), row.elsewhere
    )


def _slow(card: SlowCard) -> SlowCardDocument:
    below = 1 - card.tflops / card.median
    return SlowCardDocument(
        card.node, card.device, card.model, card.dtype, card.tflops, round(card.median, 4), round(below, 4), round(card.score, 2)
    )  # fmt: skip


def _usual(row: SpeedModel) -> SpeedUsual:
    median, mad = (None if value is None else round(value, 4) for value in (row.median, row.mad))
    return SpeedUsual(row.model, row.dtype, row.cards, row.nodes, median, mad)


def _not_read(fleet: Fleet) -> list[NotRead]:
    return [
        NotRead(kind, count, [NotReadFile(row.label, row.reason) for row in fleet.problem_examples if row.kind == kind])
        for kind, count in fleet.problems.items()
    ]
