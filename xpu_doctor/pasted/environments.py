"""Tells whether saved reports are of more than one environment, whose facts would be mixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xpu_doctor.model.unknown import known_or

if TYPE_CHECKING:
    from xpu_doctor.model.snapshot import Snapshot

MOST = 3
"""Environments that a note names."""


def several_environments(snapshots: Sequence[Snapshot], names: Sequence[str]) -> str:
    """Return a note on reports that are of different interpreters or machines, given with their names; empty where none are.

    A host and its container differ by right.
    """
    told = [_identity(snapshot) for snapshot in snapshots]
    differing = [
        part
        for part in range(1, 4)
        if any(one[0] == other[0] and "" != one[part] != other[part] != "" for one in told for other in told)
    ]
    if not differing:
        return ""
    called = [
        f"{name} ({', '.join(each[part] or 'not known' for part in differing)})"
        for name, each in zip(names, told, strict=True)
    ]
    shown = ", ".join(called[:MOST]) + (f" and {len(called) - MOST} more" if len(called) > MOST else "")
    return (
        f"these are reports of different environments: {shown}; what they say is mixed here. "
        "`xpu-doctor compare` lays them side by side; give triage one of them at a time"
    )


def _identity(snapshot: Snapshot) -> tuple[str, str, str, str]:
    """Return the kind of subject, and what tells environments apart, empty where it is not known."""
    machine, python = snapshot.machine, snapshot.python
    place = known_or(python.prefix, "") or known_or(python.executable, "")
    system = known_or(machine.os_name, "") or known_or(machine.os, "")
    return snapshot.subject, place, known_or(machine.cpu, ""), system
