"""What the launchers of parallel programs tell each process: its rank, its rank on the node, the name of the node, the job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import ClassVar

from xpu_doctor.tables.rows import Name, Row, rows

OWN_NODE = "XPU_DOCTOR_NODE"
"""The variable by which whoever starts the doctor names the node."""


class Launcher(Row, frozen=True, kw_only=True):
    """One launcher; an empty variable stands for what it does not tell."""

    table: ClassVar[str] = "launchers.launcher"
    name: Name
    local_rank: str = ""
    """Variable that numbers the processes of one node from 0."""
    rank: str = ""
    """Variable that numbers all processes of the job from 0."""
    node: str = ""
    """Variable that names the node as the launcher knows it."""
    job: str = ""
    """Variable that tells this job from others on the node."""


def local_rank(variables: Mapping[str, str]) -> int | None:
    """Return the number of this process among those of its node, None where no launcher tells it."""
    return _number(variables, tuple(row.local_rank for row in rows(Launcher)))


def rank(variables: Mapping[str, str]) -> int | None:
    """Return the number of this process in its job, None where no launcher tells it."""
    return _number(variables, rank_variables())


def rank_variables() -> tuple[str, ...]:
    """Return the variables that hold a rank, the innermost launcher's first."""
    return tuple(row.rank for row in rows(Launcher) if row.rank)


def job(variables: Mapping[str, str]) -> str:
    """Return what tells this job from others on the node, or empty."""
    return _first(variables, tuple(row.job for row in rows(Launcher)))


def node_name(variables: Mapping[str, str]) -> str:
    """Return the name of this machine: as its caller or the innermost launcher gives it, else as the system does.

    What an outer launcher said is inherited: MPICH takes the variables of the node on which mpiexec runs to all others.
    """
    named = _first(variables, (OWN_NODE, *(row.node for row in _innermost(variables))))
    return named or (os.uname().nodename if hasattr(os, "uname") else variables.get("COMPUTERNAME", ""))


def _innermost(variables: Mapping[str, str]) -> tuple[Launcher, ...]:
    """Return the launchers up to the first one that counts this process."""
    found: list[Launcher] = []
    for row in rows(Launcher):
        found.append(row)
        if any(name and name in variables for name in (row.local_rank, row.rank)):
            break
    return tuple(found)


def _first(variables: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if name and (value := variables.get(name, "").strip())), "")


def _number(variables: Mapping[str, str], names: tuple[str, ...]) -> int | None:
    values = (variables.get(name, "") for name in names if name)
    return next((int(value) for value in values if value.isascii() and value.isdigit() and len(value) < 10), None)
