"""The commands of managers that keep a project's files: they ask the index and lock before anything leaves the environment."""

from __future__ import annotations

import re
from dataclasses import replace

from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.packages import deletions, uv
from xpu_doctor.remedies.patient import TRIO, TRITONS, Patient
from xpu_doctor.remedies.plans import INDEX_NAME, Plan, Wanted, each, explained, how_to_get_uv, replaced
from xpu_doctor.remedies.sequences import by_pip
from xpu_doctor.remedies.settings import is_variable, of_tool, option_of, uv_isolation

EXPLICIT_ADVICE = "add `explicit = true` to its [[tool.uv.index]] table"
PIXI_GUIDE = "https://pixi.sh/latest/python/pytorch/"
OTHER_SHELL = ("VIRTUAL_ENV", "CONDA_PREFIX")
"""Variables by which poetry takes the environment of the shell for that of the project."""


def by_uv_project(patient: Patient, target: Wanted) -> Plan:
    """Lock first, which asks the index and is undone where it fails; then a trial; then what uv cannot replace itself goes; then sync."""
    shut = uv_isolation(patient.installer)
    pre = ("--prerelease", "allow") if target.pre else ()
    own = uv(patient.installer, patient.python)
    member = ("--package", patient.installer.package) if patient.installer.package else ()
    where = ("--project", patient.project, *member, "--no-cache")
    elsewhere = {} if _in_project(patient) else {"UV_PROJECT_ENVIRONMENT": patient.prefix}
    again, out = replaced(patient, target)
    add = (*own, "add", *where, "--index", f"{INDEX_NAME}={target.index}", *pre)
    triton = target.direct[-1].split("==")[0]
    untied = _untying(patient)
    unset = (*shut.unset, *untied)
    taking = [Command((*own, "pip", "uninstall", "--python", patient.python, *out))] if out else []
    taking += deletions(patient.python, patient.os, patient.folders)
    if taking:
        sync = ("--inexact", *each("--reinstall-package", again))
        locked, trial, last = (
            Command((*words, *rest), unset=unset, variables=elsewhere)
            for words, rest in (
                (add, ("--no-sync", *target.direct)),
                ((*own, "sync", *where), ("--dry-run", *sync)),
                ((*own, "sync", *where), sync),
            )
        )
        commands = (locked, trial, *taking, last)
    else:
        commands = (
            Command((*add, *each("--reinstall-package", again), *target.direct), unset=unset, variables=elsewhere),
        )
    why = (
        f"It writes the index into pyproject.toml and uv.lock, so that the next `uv sync` keeps it; "
        f"{EXPLICIT_ADVICE}, so that nothing but these packages comes from there. "
        f"{triton} must be a dependency of the project itself: uv takes only direct dependencies from a named index."
    )
    said = (
        [f"{' and '.join(untied)} stays out: with a second index at hand uv would not tie torch to PyTorch's."]
        if untied
        else []
    )
    return Plan(commands, "uv-project", explained([why, *said, *how_to_get_uv(patient)], replace(shut, kept=())))


def _untying(patient: Patient) -> tuple[str, ...]:
    """Variables that name a default index: beside one uv writes no source for the packages of a member, whose own index nobody else reads."""
    found = of_tool(patient.installer, "uv") if patient.installer.package else ()
    return tuple(item.name for item in found if is_variable(item) and option_of(item) in ("default-index", "index-url"))


def by_poetry(patient: Patient, target: Wanted) -> Plan:
    """Return a sequence whose trial asks the index first; poetry itself downloads a package before it replaces it."""
    poetry = ("poetry", "--directory", patient.project)
    pre = ("--allow-prereleases",) if target.pre else ()
    options = ("--no-cache", "--source", INDEX_NAME, *pre, *target.direct)
    _, out = replaced(patient, target)
    out = patient.uninstall if patient.same else out
    with_pip = bool(out) and known_or(patient.installer.has_pip, False)
    taking = [Command((patient.python, "-m", "pip", "uninstall", "-y", *out))] if with_pip else []
    taking += deletions(patient.python, patient.os, patient.folders if with_pip else _by_hand(patient, out))
    commands = (
        Command((*poetry, "source", "add", "--priority", "explicit", INDEX_NAME, target.index), unset=OTHER_SHELL),
        *((Command((*poetry, "add", "--dry-run", *options), unset=OTHER_SHELL),) if taking else ()),
        *taking,
        Command((*poetry, "add", *options), unset=OTHER_SHELL),
    )
    return Plan(
        commands,
        "poetry",
        "It writes the index into pyproject.toml and the lock file, so that the next `poetry install` keeps it.",
    )


def by_pdm(patient: Patient, target: Wanted) -> Plan:
    """Lock first, which asks the index; then what pdm takes for present or cannot replace; pdm downloads a package before it replaces it."""
    where = ("--project", patient.project)
    pre = ("--prerelease",) if target.pre else ()
    _, out = replaced(patient, target)
    taking = deletions(patient.python, patient.os, _by_hand(patient, patient.uninstall if patient.same else out))
    commands = (
        Command(("pdm", "config", *where, "--local", f"pypi.{INDEX_NAME}.url", target.index)),
        Command(("pdm", "add", *where, "--no-sync", *pre, *_labelled(target))),
        *taking,
        Command(("pdm", "install", *where)),
    )
    why = "It writes the index into pdm.toml and the requirements into pyproject.toml and pdm.lock, so that the next `pdm install` keeps them."
    return Plan(commands, "pdm", why)


def by_pipenv(patient: Patient, target: Wanted) -> Plan:
    """Pip changes the environment, since pipenv takes 2.14.0+cpu for a fulfilled ==2.14.0; pipenv then finds the packages there and locks them."""
    made = by_pip(patient, target)
    variables = {"PIPENV_PIPFILE": f"{patient.project}{_mark(patient)}Pipfile", "PIPENV_IGNORE_VIRTUALENVS": "1"}
    pre = ("--pre",) if target.pre else ()
    lock = Command(("pipenv", "install", "--index", target.index, *pre, *target.direct), variables=variables)
    why = "pipenv writes the index into Pipfile and Pipfile.lock, so that the next `pipenv sync` keeps it."
    return replace(made, commands=(*made.commands, lock), manager="pipenv", why=f"{why} {made.why}".strip())


def by_hatch(patient: Patient, made: Plan) -> Plan:
    """Hatch has no command that adds a requirement: the environment is changed now, and the text says what keeps it."""
    name = patient.installer.environment or "default"
    why = (
        f"hatch has no command that adds a requirement. So that a new environment gets the same, give [tool.hatch.envs.{name}] of pyproject.toml these "
        f"requirements, and [tool.hatch.envs.{name}.env-vars] the index: PIP_EXTRA_INDEX_URL, or UV_INDEX where its installer is uv."
    )
    return replace(made, manager=f"{made.manager} (hatch)", why=f"{why} {made.why}".strip())


def by_pixi(patient: Patient, target: Wanted) -> Plan:
    """Return a sequence that changes manifest and lock first, with --no-install; only the last step changes the environment."""
    name = patient.installer.environment or "default"
    named = [
        f'{re.split("[=<>]", spec)[0]} = {{ version = "{_version(spec)}", index = "{target.index}" }}'
        for spec in _labelled(target)
    ]
    if name != "default" or target.pre:
        table = "pypi-dependencies" if name == "default" else "feature.FEATURE.pypi-dependencies"
        why = (
            f"pixi's environment {name} is made of features of your manifest: take torch and its partners out of their [dependencies], write "
            f"{'; '.join(named)} into [{table}], then run `pixi install --environment {name}`. {PIXI_GUIDE} shows how."
        )
        return Plan((), "pixi", why)
    where = ("--manifest-path", patient.project)
    out = [Command(("pixi", "remove", *where, "--no-install", *patient.conda))] if patient.conda else []
    if patient.same or patient.folders:
        last = Command(
            ("pixi", "reinstall", *where, *(name for name in patient.uninstall if name in TRIO), *_triton(target))
        )
    else:
        last = Command(("pixi", "install", *where))
    add = Command(("pixi", "add", *where, "--no-install", "--pypi", "--index", target.index, *_labelled(target)))
    why = (
        "conda has no XPU build of torch: the wheels come from PyTorch's index as pypi-dependencies, and nothing in the environment changes before they are "
        f"locked. A pixi that knows no `--index` wants it in the manifest: {named[0]} and so on in [pypi-dependencies]; {PIXI_GUIDE} shows how."
    )
    return Plan((*out, add, last), "pixi", why)


def _triton(target: Wanted) -> tuple[str, ...]:
    return (target.direct[-1].split("==")[0],)


def _labelled(target: Wanted) -> tuple[str, ...]:
    """Return the requirements with the label of XPU builds, for managers that take a package from whichever index has its version."""
    return tuple(
        f"{spec}+xpu" if re.match(r"(torchvision|torchaudio)==[^+]+$", spec) else spec for spec in target.direct
    )


def _version(spec: str) -> str:
    """Return the version of a requirement as pixi's manifest writes it."""
    match = re.search(r"==.+", spec)
    return match[0] if match else "*"


def _by_hand(patient: Patient, names: tuple[str, ...]) -> tuple[str, ...]:
    """Folders to delete where the environment has no pip that could uninstall: of these names, and what is to go anyway."""
    wanted = (*names, *(TRITONS if any(name in TRITONS for name in names) else ()))
    return tuple(dict.fromkeys((*(path for name in wanted for path in patient.places.get(name, ())), *patient.folders)))


def _in_project(patient: Patient) -> bool:
    """Return whether the environment is where uv looks for that of the project."""
    return not patient.prefix or re.search(r"[\\/]\.venv[\\/]?$", patient.prefix) is not None


def _mark(patient: Patient) -> str:
    return "\\" if patient.os == "windows" else "/"
