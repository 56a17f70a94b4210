"""The commands of each manager, in the order in which a failure loses nothing: first what can fail for outside reasons, then what takes away."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import Command
from xpu_doctor.remedies.packages import deletions, uv
from xpu_doctor.remedies.patient import TRIO, TRITONS, Patient
from xpu_doctor.remedies.settings import Isolation, option_of, pip_isolation, uv_isolation

INDEX_NAME = "pytorch-xpu"
NEW_FOLDER = "torch-xpu"
WHEELS = "torch-xpu-wheels"
UV_GUIDE = "https://docs.astral.sh/uv/getting-started/installation/"


@dataclass(frozen=True)
class Wanted:
    """What to install: requirements, the index that has them, and why these."""

    specs: tuple[str, ...]
    index: str
    pre: bool = False
    why: str = ""
    triton: str = ""
    """Requirement of the triton package, for managers that must be told."""

    @property
    def direct(self) -> tuple[str, ...]:
        """The requirements with that of triton, which some managers take from an index only where it is named."""
        return (*self.specs, self.triton or "triton-xpu")


@dataclass(frozen=True)
class Plan:
    """The commands of a remedy, the manager that they are for, and what to know about them."""

    commands: tuple[Command, ...]
    manager: str
    why: str
    admin: bool = False


def plan(patient: Patient, target: Wanted) -> Plan:
    """Return the commands that put the wanted torch into an environment, or into a new one where it must be left as it is."""
    projects = {"uv-project": _uv_project, "poetry": _poetry}
    if (
        patient.manager in projects
        and patient.project
        and not (patient.manager == "uv-project" and known_or(patient.installer.virtual_root, False))
    ):
        return projects[patient.manager](patient, target)
    if patient.apart:
        return _new_environment(patient, target)
    made = _uv(patient, target) if patient.manager in ("uv", "uv-project") else _pip(patient, target)
    if patient.manager in ("pip", "conda", "uv"):
        return made
    why = f"{_owner(patient.manager)} manages this environment and may undo this at its next install: put the same index into its settings. {made.why}"
    return replace(made, manager=f"{made.manager} ({patient.manager})", why=why.strip())


def stands_apart(patient: Patient) -> bool:
    """Return whether the commands make an environment of their own and leave the one examined as it is."""
    return bool(patient.apart) and not (patient.manager in ("uv-project", "poetry") and patient.project)


def new_python(os: str) -> str:
    """Return the interpreter of the environment that commands make."""
    return f"{NEW_FOLDER}\\Scripts\\python.exe" if os == "windows" else f"{NEW_FOLDER}/bin/python"


def _owner(manager: str) -> str:
    return "poetry or uv" if manager in ("poetry", "uv-project") else manager


def _pip(patient: Patient, target: Wanted) -> Plan:
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
    why.append(
        f"All wheels are downloaded into the folder {WHEELS} before anything is taken out; delete that folder afterwards."
    )
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


def _uv(patient: Patient, target: Wanted) -> Plan:
    """uv downloads everything before it replaces a package; only what it cannot replace itself is taken out before, after a trial."""
    shut = uv_isolation(patient.installer)
    own = uv(patient.installer, patient.python)
    pre = ("--prerelease", "allow") if target.pre else ()
    again, out = _replaced(patient, target)
    where = ("--python", patient.python, "--no-cache", *shut.kept, "--default-index", target.index)
    install = (*own, "pip", "install", *where, *pre, *_each("--reinstall-package", again), *target.specs)
    taking = [Command((*own, "pip", "uninstall", "--python", patient.python, *out))] if out else []
    taking += deletions(patient.python, patient.os, patient.folders)
    trial = (
        [Command((*own, "pip", "install", "--dry-run", *install[len(own) + 2 :]), unset=shut.unset)] if taking else []
    )
    return Plan((*trial, *taking, Command(install, unset=shut.unset)), "uv", explained(how_to_get_uv(patient), shut))


def _replaced(patient: Patient, target: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that uv is to install anew, and those that must be out before: packages which share their folder with a new one."""
    triton = (target.triton or "triton-xpu").split("==")[0]
    tritons = [name for name in patient.uninstall if name in TRITONS]
    clash = any(name != triton for name in tritons)
    others = [name for name in patient.uninstall if name not in (*TRIO, *TRITONS)]
    again = tuple(name for name in patient.uninstall if name in TRIO or (name == triton and not clash))
    return again, (*(tritons if clash else ()), *others)


def _each(option: str, names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for name in names for word in (option, name))


def _uv_project(patient: Patient, target: Wanted) -> Plan:
    """Lock first, which asks the index and is undone where it fails; then what uv cannot replace itself; then sync."""
    shut = uv_isolation(patient.installer)
    pre = ("--prerelease", "allow") if target.pre else ()
    own = uv(patient.installer, patient.python)
    member = ("--package", patient.installer.package) if patient.installer.package else ()
    where = ("--project", patient.project, *member, "--no-cache")
    again, out = _replaced(patient, target)
    add = (*own, "add", *where, "--index", f"{INDEX_NAME}={target.index}", *pre)
    triton = target.direct[-1].split("==")[0]
    taking = [Command((*own, "pip", "uninstall", "--python", patient.python, *out))] if out else []
    taking += deletions(patient.python, patient.os, patient.folders)
    if taking:
        sync = (*own, "sync", *where, "--inexact", *_each("--reinstall-package", again))
        commands = (
            Command((*add, "--no-sync", *target.direct), unset=shut.unset),
            *taking,
            Command(sync, unset=shut.unset),
        )
    else:
        commands = (Command((*add, *_each("--reinstall-package", again), *target.direct), unset=shut.unset),)
    why = (
        "It writes the index into pyproject.toml and uv.lock, so that the next `uv sync` keeps it; add `explicit = true` to its "
        "[[tool.uv.index]] table, so that nothing but these packages comes from there. "
        f"{triton} must be a dependency of the project itself: uv takes only direct dependencies from a named index."
    )
    return Plan(commands, "uv-project", explained([why, *how_to_get_uv(patient)], replace(shut, kept=())))


def _poetry(patient: Patient, target: Wanted) -> Plan:
    """A trial asks the index first; poetry itself downloads a package before it replaces it."""
    poetry = ("poetry", "--directory", patient.project)
    pre = ("--allow-prereleases",) if target.pre else ()
    options = ("--no-cache", "--source", INDEX_NAME, *pre, *target.direct)
    _, out = _replaced(patient, target)
    out = patient.uninstall if patient.same else out
    by_pip = bool(out) and known_or(patient.installer.has_pip, False)
    taking = [Command((patient.python, "-m", "pip", "uninstall", "-y", *out))] if by_pip else []
    taking += deletions(patient.python, patient.os, patient.folders)
    commands = (
        Command((*poetry, "source", "add", "--priority", "explicit", INDEX_NAME, target.index)),
        *((Command((*poetry, "add", "--dry-run", *options)),) if taking else ()),
        *taking,
        Command((*poetry, "add", *options)),
    )
    return Plan(
        commands,
        "poetry",
        "It writes the index into pyproject.toml and the lock file, so that the next `poetry install` keeps it.",
    )


def _new_environment(patient: Patient, target: Wanted) -> Plan:
    """A virtual environment in a folder of its own, by venv, or by uv where venv is not whole and uv is there."""
    new = new_python(patient.os)
    if not patient.ensurepip and known_or(patient.installer.uv, "") == "command":
        return _new_environment_by_uv(patient, target)
    shut = pip_isolation(patient.installer, patient.os)
    first, why, admin = bring_ensurepip(patient.ensurepip, patient.debian)
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
    made = (*first, Command((patient.python, "-m", "venv", NEW_FOLDER)), Command(install, variables=shut.variables))
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


def explained(why: list[str], shut: Isolation) -> str:
    """Return sentences with what is said of settings that the commands shut out."""
    if shut.hostile:
        names = ", ".join(dict.fromkeys(f"{option_of(setting)} ({setting.source})" for setting in shut.hostile))
        why = [*why, f"The command shuts out settings that can bring another torch: {names}."]
    if shut.left_out:
        why = [*why, f"Add {', '.join(shut.left_out)} yourself: its value holds credentials."]
    return " ".join(why)


def how_to_get_uv(patient: Patient) -> list[str]:
    """Return where uv can be had, where the commands need it and PATH does not hold it."""
    missing = known_or(patient.installer.uv, "uv") == ""
    return [f"uv manages this environment and is not on PATH: {UV_GUIDE} tells how to get it."] if missing else []
