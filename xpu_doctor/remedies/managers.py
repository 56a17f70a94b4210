"""Which commands are printed for which manager."""

from __future__ import annotations

from dataclasses import replace

from xpu_doctor.model.unknown import denied, known_or
from xpu_doctor.remedies.patient import Patient
from xpu_doctor.remedies.plans import Plan, Wanted
from xpu_doctor.remedies.projects import by_hatch, by_pdm, by_pipenv, by_pixi, by_poetry, by_uv_project
from xpu_doctor.remedies.sequences import by_pip, by_uv, new_environment

PROJECTS = {"uv-project": by_uv_project, "poetry": by_poetry, "pdm": by_pdm, "pipenv": by_pipenv, "pixi": by_pixi}
"""Managers whose own commands change the environment, where the folder of the project is known."""


def plan(patient: Patient, target: Wanted) -> Plan:
    """Return the commands that put the wanted torch into an environment, or into a new one where it must be left as it is."""
    if _by_project(patient):
        return PROJECTS[patient.manager](patient, target)
    if patient.apart:
        return new_environment(patient, target)
    made = _direct(patient, target)
    if patient.manager in ("pip", "conda", "uv"):
        return made
    if patient.manager == "hatch":
        return by_hatch(patient, made)
    why = f"{_owner(patient.manager)} manages this environment and may undo this at its next install: put the same index into its settings. {made.why}"
    return replace(made, manager=f"{made.manager} ({patient.manager})", why=why.strip())


def stands_apart(patient: Patient) -> bool:
    """Return whether the commands make an environment of their own and leave the one examined as it is."""
    return bool(patient.apart) and not _by_project(patient)


def _by_project(patient: Patient) -> bool:
    """Return whether the manager's own commands are printed: it has a project, and something there that a requirement can be added to."""
    if patient.manager not in PROJECTS or not patient.project or known_or(patient.installer.virtual_root, False):
        return False
    return not (patient.apart and patient.manager == "pipenv")


def _direct(patient: Patient, target: Wanted) -> Plan:
    """Pip, or uv where the environment is uv's or has no pip and uv is there."""
    without_pip = patient.manager in ("hatch", "pdm") and denied(patient.installer.has_pip)
    if patient.manager in ("uv", "uv-project") or (without_pip and known_or(patient.installer.uv, "") == "command"):
        return by_uv(patient, target)
    return by_pip(patient, target)


def _owner(manager: str) -> str:
    return "uv" if manager == "uv-project" else manager
