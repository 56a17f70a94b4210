"""The map of nodes: at most so many cells, each one node or some that follow each other by name, with the worst state in it."""

from __future__ import annotations

from typing import NamedTuple

from xpu_doctor.fleet.names import folded, natural
from xpu_doctor.report.fleet.document import FleetDocument

MAX_CELLS = 2000
STATES = ("error", "missing", "warning", "unknown", "differs", "slow", "healthy")
"""What a cell may stand for, the worst first."""
SIGNS = {"error": "x", "missing": "-", "warning": "!", "unknown": "?", "differs": "~", "slow": "s", "healthy": ""}
"""What stands in a cell, so that its colour is not all that tells."""
WORDS = {
    "error": "error", "missing": "missing", "warning": "warning", "unknown": "not diagnosed", "differs": "healthy, unlike the others",
    "slow": "a slow card", "healthy": "healthy, as most are",
}  # fmt: skip


class Cell(NamedTuple):
    """One place on the map."""

    names: str
    state: str
    nodes: int
    odd: int
    """How many of them are in this state."""


def cells(document: FleetDocument) -> list[Cell]:
    """Return the map, in the order of the nodes' names."""
    states = _states(document)
    names = sorted(states, key=natural)
    each = -(-len(names) // MAX_CELLS) or 1
    return [_cell(names[start : start + each], states) for start in range(0, len(names), each)]


def _states(document: FleetDocument) -> dict[str, str]:
    slow = {card.node for card in document.slow_cards}
    states = dict.fromkeys(document.missing, "missing")
    for group in document.groups:
        state = "differs" if group.state == "healthy" and not group.majority else group.state
        for name in group.nodes:
            states[name] = "slow" if state == "healthy" and name in slow else state
    return states


def _cell(names: list[str], states: dict[str, str]) -> Cell:
    found = [states[name] for name in names]
    worst = min(found, key=STATES.index)
    ranges = folded(names)
    said = ranges[0] if len(ranges) == 1 and len(ranges[0]) <= 60 else f"{names[0]} to {names[-1]}"
    return Cell(said, worst, len(names), found.count(worst))
