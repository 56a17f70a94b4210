"""What all forms of a fleet say in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xpu_doctor.fleet.model import NO_LOSS, NOT_THERE

if TYPE_CHECKING:
    from xpu_doctor.report.fleet.document import (
        ChangeDocument,
        FactDocument,
        FleetDocument,
        GroupDocument,
        NotRead,
        SlowCardDocument,
    )

MOST, LARGEST = "What most are", "Largest groups"
"""Headings of the groups with which the others are compared."""
STATES = {
    "error": "error", "warning": "warning", "unknown": "not diagnosed", "healthy": "healthy",
}  # fmt: skip
PROBLEMS = {
    "damaged": "damaged", "cut": "cut off", "foreign": "no report of xpu-doctor", "facts": "facts without a diagnosis",
    "newer": "written by a newer xpu-doctor", "large": "too large", "link": "links, which are not followed", "unreadable": "not readable",
    "late": "given up",
}  # fmt: skip


def fact_in_words(fact: FactDocument) -> str:
    """Return a fact of a group, beside what the others have: `kernel: 6.8, the others 6.14`."""
    who = "most others" if fact.elsewhere else "the others"
    if not fact.value:
        what = (
            "there, and different on each" if fact.others == NOT_THERE else f"not {fact.others}, and different on each"
        )
        return f"{fact.label}: {what}" if fact.others != NOT_THERE else f"{fact.label}: {what}, {who} have none"
    said = f"{fact.label}: {fact.value}"
    if not fact.others:
        return said
    return f"{said}, {who} have none" if fact.others == NOT_THERE else f"{said}, {who} {fact.others}"


def what_separates(group: GroupDocument) -> str:
    """Return what tells a group from the others, in one line; empty where only its diagnosis does, or nothing."""
    said = " and ".join(fact_in_words(fact) for fact in group.facts)
    also = group.facts[0].elsewhere if len(group.facts) == 1 else 0
    return f"{said} ({also} in other groups {'has' if also == 1 else 'have'} it, too)" if also else said


def title(document: FleetDocument, group: GroupDocument) -> str:
    """Return what a group is, in one line."""
    kind = document.kinds[group.kind]
    among = f" with {kind.gpus}" if kind.gpus else ""
    of = f"{group.size} of {count(kind.nodes, 'node')}{among}"
    codes = ", ".join(cause.code for cause in group.causes)
    said = what_separates(group) or codes or STATES[group.state]
    if group.majority and not group.facts:
        all_alike = group.size == kind.nodes
        said = f"{codes or STATES[group.state]}, {'all alike' if all_alike else 'as most are' if _are_most(document, group) else 'the largest group'}"
    return f"{of}: {said}"


def _are_most(document: FleetDocument, group: GroupDocument) -> bool:
    return 2 * group.size > document.kinds[group.kind].nodes


def of_most(document: FleetDocument, groups: Sequence[GroupDocument]) -> str:
    """Return the heading of the groups with which the others are compared: where no value is shared by most, it does not say so."""
    return MOST if any(_are_most(document, group) for group in groups) else LARGEST


def headline(document: FleetDocument) -> str:
    """Return what the fleet comes to, in a sentence or two."""
    if not document.nodes:
        return f"No report was read: there is no node to speak of{_lost(document)}."
    states = document.states
    parts = [
        f"{states['error']} with an error" if states["error"] else "",
        f"{states['warning']} with a warning" if states["warning"] else "",
        f"{states['unknown']} not diagnosed" if states["unknown"] else "",
        f"{states['healthy']} healthy" if states["healthy"] else "",
    ]
    differ = sum(group.size for group in document.groups if not group.majority and group.state == "healthy")
    said = f"{count(document.nodes, 'node')}: {', '.join(filter(None, parts))}"
    if differ and states["healthy"]:
        said += f" ({differ} of {'it' if states['healthy'] == 1 else 'them'} unlike the others)"
    said += f"{_lost(document)}."
    return " ".join(filter(None, (said, _slow(document), _missing(document))))


def _lost(document: FleetDocument) -> str:
    """Return how many files may be nodes that are lost, as the end of a sentence; empty where there are none."""
    lost = sum(row.count for row in document.not_read if row.kind not in NO_LOSS)
    return f"; {count(lost, 'file')} could not be read" if lost else ""


def _slow(document: FleetDocument) -> str:
    return f"{count(len(document.slow_cards), 'slow card')}." if document.slow_cards else ""


def _missing(document: FleetDocument) -> str:
    if document.expected is None:
        return ""
    missing = len(document.missing)
    if not missing:
        return f"All {document.expected} expected nodes are there."
    return f"{missing} of {document.expected} expected nodes {'is' if missing == 1 else 'are'} missing."


def slow_in_words(card: SlowCardDocument) -> str:
    """Return what is slow, in one line."""
    return f"{card.node} {card.device} ({card.model}): {card.dtype} {card.tflops:.4g} TFLOP/s, {card.below:.0%} below the median of {card.median_tflops:.4g}"


def change_in_words(row: ChangeDocument) -> str:
    """Return how a node changed, in one line."""
    steps = " -> ".join(f"{step.what} ({step.created or 'no time'})" for step in row.steps)
    return f"{row.node}{' flaps' if row.flaps else ''}: {steps}, {count(row.reports, 'report')}"


def not_read_in_words(row: NotRead, most: int) -> str:
    """Return which files were not read, and why."""
    names = [f"{file.name} ({file.reason})" for file in row.examples[:most]]
    rest = row.count - len(names)
    return f"{row.count} {PROBLEMS.get(row.kind, row.kind)}: {'; '.join(names)}" + (
        f"; and {rest} more" if rest else ""
    )


def few_speeds(document: FleetDocument) -> str:
    """Return of which models too few nodes are known to say which card is slow; empty where of none."""
    models = dict.fromkeys(row.model for row in document.speeds if row.median_tflops is None)
    return f"Which cards are slow is not known of {', '.join(models)}: too few nodes were timed." if models else ""


def named(ranges: Sequence[str], most: int | None) -> str:
    """Return names in a row, and how many more there are."""
    shown = ranges if most is None else ranges[:most]
    rest = len(ranges) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def count(number: int, one: str) -> str:
    """Return a number with the word for what is counted."""
    return f"{number} {one if number == 1 else one + 's'}"
