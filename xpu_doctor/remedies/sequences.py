"""The commands of pip and uv, in the order in which a failure loses nothing: first what can fail for outside reasons, then what takes away."""

from __future__ import annotations

from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.embedded import WHY, pip_for_embedded
from xpu_doctor.remedies.packages import deletions, uv
from xpu_doctor.remedies.patient import Patient
from xpu_doctor.remedies.plans import (
    DELETE_WHEELS,
    NEW_FOLDER,
    WHEELS,
    Plan,
    Wanted,
    each,
    explained,
    how_to_get_uv,
    new_python,
    replaced,
)
from xpu_doctor.remedies.settings import pip_isolation, uv_isolation


def by_pip(patient: Patient, target: Wanted) -> Plan:
    """Download, take out, put in: nothing is taken out before all wheels lie on the disk."""
    shut = pip_isolation(patient.installer, patient.os)
    pip = (patient.python, "-m", "pip", *shut.options)
    pre = ("--pre",) if target.pre else ()
    first, why, admin = bring_pip(patient)
    taking = [*_conda_remove(patient), *_uninstalls(patient), *deletions(patient.python, patient.os, patient.folders)]
    if patient.conda:
        why = [
            *why,
            "conda has no XPU build of torch: take its packages out first, then use pip inside the environment.",
        ]
    if not taking and not patient.hidden:
        install = (*pip, "install", "--no-cache-dir", *pre, *target.specs, "--index-url", target.index, *shut.kept)
        commands = (*first, Command(install, variables=shut.variables))
        return Plan(commands, _named(patient), explained(why, shut), admin)
    get = (
        *pip,
        "download",
        "--no-cache-dir",
        "--dest",
        WHEELS,
        *pre,
        *target.specs,
        "--index-url",
        target.index,
        *shut.kept,
    )
    local = (*pip, "install", "--no-cache-dir", "--no-index", "--find-links", WHEELS, *pre)
    putting = [(*local, *target.specs)]
    if patient.hidden:
        putting = [(*local, "--ignore-installed", *target.specs)]
        if not patient.runtime_hidden:
            putting = [(*local, "--ignore-installed", "--no-deps", *target.specs), (*local, *target.specs)]
    why.append(DELETE_WHEELS)
    if patient.rounds:
        why.append("Without the uninstall pip sees that a torch is there and does nothing.")
    commands = (
        *first,
        Command(get, variables=shut.variables),
        *taking,
        *(Command(item, variables=shut.variables) for item in putting),
    )
    return Plan(commands, _named(patient), explained(why, shut), admin)


def _named(patient: Patient) -> str:
    return "conda" if patient.manager == "conda" else "pip"


def _conda_remove(patient: Patient) -> list[Command]:
    program = patient.installer.conda or "conda"
    return [Command((program, "remove", "--yes", "--prefix", patient.prefix, *patient.conda))] if patient.conda else []


def _uninstalls(patient: Patient) -> list[Command]:
    return [Command((patient.python, "-m", "pip", "uninstall", "-y", *names)) for names in patient.rounds]


def bring_pip(patient: Patient) -> tuple[list[Command], list[str], bool]:
    """Return the commands that bring pip where it is missing, what to know of them, and whether they need an administrator."""
    if known_or(patient.installer.has_pip, True):
        return [], [], False
    if patient.embedded:
        return pip_for_embedded(patient.python), [WHY], False
    bring = Command((patient.python, "-m", "ensurepip", "--upgrade"))
    first, why, admin = bring_ensurepip(patient.ensurepip, patient.debian)
    return [*first, bring], ["pip is not installed there yet.", *why], admin


def bring_ensurepip(there: bool, debian: str) -> tuple[list[Command], list[str], bool]:
    """Return the command that completes Debian's Python where its part `ensurepip` is missing."""
    if there:
        return [], [], False
    if debian:
        return (
            [Command(("sudo", "apt-get", "install", "-y", debian))],
            [f"Debian keeps the part of Python that brings pip in {debian}."],
            True,
        )
    return (
        [],
        ["This Python lacks the module ensurepip: install the package of its vendor that brings it first."],
        False,
    )


def by_uv(patient: Patient, target: Wanted) -> Plan:
    """uv downloads everything before it replaces a package; only what it cannot replace itself is taken out before, after a trial."""
    shut = uv_isolation(patient.installer)
    own = uv(patient.installer, patient.python)
    pre = ("--prerelease", "allow") if target.pre else ()
    again, out = replaced(patient, target)
    where = ("--python", patient.python, "--no-cache", *shut.kept, "--default-index", target.index)
    install = (*own, "pip", "install", *where, *pre, *each("--reinstall-package", again), *target.specs)
    taking = [Command((*own, "pip", "uninstall", "--python", patient.python, *out))] if out else []
    taking += deletions(patient.python, patient.os, patient.folders)
    trial = (
        [Command((*own, "pip", "install", "--dry-run", *install[len(own) + 2 :]), unset=shut.unset)] if taking else []
    )
    return Plan((*trial, *taking, Command(install, unset=shut.unset)), "uv", explained(how_to_get_uv(patient), shut))


def new_environment(patient: Patient, target: Wanted) -> Plan:
    """Return a virtual environment in a folder of its own, by venv, or by uv where venv is not whole and uv is there."""
    new = new_python(patient.os)
    if not patient.ensurepip and known_or(patient.installer.uv, "") == "command":
        return _new_environment_by_uv(patient, target)
    shut = pip_isolation(patient.installer, patient.os)
    maker = ("py",) if patient.embedded else (patient.python,)  # the embeddable Python has no venv
    first, why, admin = ([], [], False) if patient.embedded else bring_ensurepip(patient.ensurepip, patient.debian)
    pre = ("--pre",) if target.pre else ()
    install = (
        new,
        "-m",
        "pip",
        *shut.options,
        "install",
        "--no-cache-dir",
        *pre,
        *target.specs,
        "--index-url",
        target.index,
        *shut.kept,
    )
    made = (*first, Command((*maker, "-m", "venv", NEW_FOLDER)), Command(install, variables=shut.variables))
    return Plan(made, "pip", explained([patient.apart, *why], shut), admin)


def _new_environment_by_uv(patient: Patient, target: Wanted) -> Plan:
    shut = uv_isolation(patient.installer)
    pre = ("--prerelease", "allow") if target.pre else ()
    where = ("--python", new_python(patient.os), "--no-cache", *shut.kept, "--default-index", target.index)
    commands = (
        Command(("uv", "venv", "--python", patient.python, NEW_FOLDER), unset=shut.unset),
        Command(("uv", "pip", "install", *where, *pre, *target.specs), unset=shut.unset),
    )
    return Plan(commands, "uv", explained([patient.apart], shut))
