"""Who manages the target environment, and which settings of pip and uv decide where packages come from; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xpu_doctor.host.interface import Host
from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.facts import Distributions, Installer, Python
from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.probes.installer_projects import (
    CONDA_PROGRAMS,
    Workspace,
    active,
    conda_program,
    hatch_environment,
    pipenv_project,
    pixi_place,
    workspace,
)
from xpu_doctor.probes.installer_settings import pip_settings, uv_settings

LOCKS = (
    ("uv.lock", "uv-project"),
    ("poetry.lock", "poetry"),
    ("pdm.lock", "pdm"),
    ("Pipfile.lock", "pipenv"),
    ("Pipfile", "pipenv"),
)
"""Lock files and the manager that writes each; a Pipfile is pipenv's even before the first lock."""
PROJECT_FILES = {"hatch": ("hatch.toml", "pyproject.toml")}
"""What a project holds whose manager writes no lock file."""
CACHES = (
    ("/pypoetry/virtualenvs/", "poetry"),
    ("/hatch/env/virtual/", "hatch"),
    ("/share/virtualenvs/", "pipenv"),
    ("/pdm/venvs/", "pdm"),
    ("/pipx/venvs/", "pipx"),
)
"""Where managers keep the environments that lie outside of their projects."""
UP = 6
"""Folders above the working folder that are searched for a lock file."""


@dataclass(frozen=True)
class Seen:
    """A manager, what showed it, and its project."""

    manager: str
    why: str
    project: str = ""
    environment: str = ""


def installer_facts(
    python: Python,
    distributions: Distributions,
    environment: Mapping[str, str],
    folder: str = "",
    host: Host | None = None,
) -> Installer:
    """Return the manager of the environment and the settings that it obeys, read from files and variables."""
    door = host or LiveHost(env=environment)
    prefix = known_or(python.prefix, "")
    has_pip = _has_pip(door, python)
    seen = _manager(door, python, distributions, folder, has_pip, environment)
    of_workspace = workspace(door, seen.project) if seen and seen.manager == "uv-project" else Workspace()
    return Installer(
        manager=seen.manager if seen else Unknown("the interpreter did not name its folder"),
        why=seen.why if seen else "",
        project=seen.project if seen else "",
        package=of_workspace.package,
        virtual_root=of_workspace.virtual_root,
        environment=seen.environment if seen else "",
        conda=conda_program(door, prefix, _programs(door, environment, python))
        if seen and seen.manager == "conda"
        else "",
        has_pip=has_pip,
        uv=_uv(door, python, environment) if seen else Unknown("the interpreter did not name its folder"),
        settings=(*pip_settings(door, environment, prefix), *uv_settings(door, environment, folder)),
        externally_managed=_externally_managed(door, python),
    )


def _manager(
    host: Host,
    python: Python,
    distributions: Distributions,
    folder: str,
    has_pip: Maybe[bool],
    environment: Mapping[str, str],
) -> Seen | None:
    """Return the manager by the strongest sign: conda-meta, a lock file beside, a manager's cache, its own shell, pyvenv.cfg, INSTALLER."""
    prefix = known_or(python.prefix, "")
    if not prefix:
        return None
    if _exists(host, _join(prefix, "conda-meta")):
        return _of_conda(host, prefix)
    wrote = _installer_of_torch(distributions)
    project = _project(host, prefix, folder, wrote, environment)
    if project is not None:
        return project
    if _of_uv(host, prefix) and not (wrote == "pip" and known_or(has_pip, False)):
        return Seen("uv", f"{_join(prefix, 'pyvenv.cfg')} says that uv made the environment")
    if wrote in ("uv", "poetry", "pdm"):
        return Seen(wrote, f"INSTALLER of torch says {wrote}")
    if known_or(_externally_managed(host, python), False) or wrote in ("debian", "system"):
        return Seen("system", "the operating system manages this interpreter")
    return Seen("pip", f"INSTALLER of torch says {wrote}" if wrote == "pip" else "no sign of another manager")


def _of_conda(host: Host, prefix: str) -> Seen:
    """Conda or pixi, whose environments look alike but for one file."""
    place = pixi_place(host, prefix)
    if place is None:
        return Seen("conda", f"{_join(prefix, 'conda-meta')} exists")
    return Seen("pixi", "pixi made the environment", place.folder, place.environment)


def _project(host: Host, prefix: str, folder: str, wrote: str, environment: Mapping[str, str]) -> Seen | None:
    """Return the project whose files the environment was made from: it lies around it, or in a manager's cache, or its shell is active."""
    parent = _parent(prefix)
    named = pipenv_project(host, prefix)
    if named and _exists(host, _join(named, "Pipfile")):
        return Seen("pipenv", f"{_join(prefix, '.project')} names a folder with a Pipfile", named)
    locks = _locks(host, parent)
    if locks:
        name, manager = next((lock for lock in locks if wrote and lock[1].startswith(wrote)), locks[0])
        return Seen(manager, f"{_join(parent, name)} lies beside the environment", parent)
    shown = prefix.replace("\\", "/") + "/"
    manager, why = next(
        ((name, f"the environment lies in the folder of {name}") for part, name in CACHES if part in shown), ("", "")
    )
    if not manager:
        manager, why = active(environment, prefix), "its shell is active"
    if not manager:
        return None
    project = _project_above(host, folder, manager)
    return Seen(manager, why, project, hatch_environment(prefix, project, host) if manager == "hatch" else "")


def _project_above(host: Host, folder: str, manager: str) -> str:
    """Return the nearest folder from the working folder up that holds that manager's files, or empty."""
    here = folder
    for _ in range(UP if folder else 0):
        if any(name == manager for _, name in _locks(host, here)) or any(
            _exists(host, _join(here, name)) for name in PROJECT_FILES.get(manager, ())
        ):
            return here
        here = _parent(here)
    return ""


def _locks(host: Host, folder: str) -> list[tuple[str, str]]:
    return [(name, manager) for name, manager in LOCKS if _exists(host, _join(folder, name))]


def _of_uv(host: Host, prefix: str) -> bool:
    text = known_or(host.read(_join(prefix, "pyvenv.cfg"), 8192), "")
    return re.search(r"^uv\s*=", text, re.MULTILINE) is not None


def _installer_of_torch(distributions: Distributions) -> str:
    """Content of torch's INSTALLER in one lower-case word, or empty."""
    torch = known_or(distributions.find("torch"), None)
    text = known_or(torch.installer, "") if torch else ""
    return text.split()[0].lower() if text.split() else ""


def _has_pip(host: Host, python: Python) -> Maybe[bool]:
    if not isinstance(python.sys_path, tuple):
        return python.sys_path
    return any(_exists(host, _join(entry, "pip", "__init__.py")) for entry in python.sys_path if entry)


def _uv(host: Host, python: Python, environment: Mapping[str, str]) -> str:
    """How uv can be called, or empty."""
    windows = python.os == "windows"
    if _on_path(host, "uv", environment, windows):
        return "command"
    prefix = known_or(python.prefix, "")
    return (
        "module"
        if prefix and _exists(host, _join(prefix, "Scripts" if windows else "bin", "uv.exe" if windows else "uv"))
        else ""
    )


def _programs(host: Host, environment: Mapping[str, str], python: Python) -> tuple[str, ...]:
    """Those of conda's programs that are there: on PATH, or named by the variable with which each makes itself known to its children."""
    known_by = {"conda": "CONDA_EXE", "mamba": "MAMBA_EXE", "micromamba": "MAMBA_EXE"}
    windows = python.os == "windows"
    return tuple(
        name
        for name in CONDA_PROGRAMS
        if _on_path(host, name, environment, windows)
        or re.search(rf"(^|[\\/]){name}(\.exe)?$", environment.get(known_by[name], "")) is not None
    )


def _on_path(host: Host, name: str, environment: Mapping[str, str], windows: bool) -> bool:
    folders = next((value for key, value in environment.items() if key.upper() == "PATH"), "").split(
        ";" if windows else ":"
    )
    names = (f"{name}.exe", f"{name}.bat") if windows else (name,)
    return any(_exists(host, _join(folder, item)) for folder in folders if folder for item in names)


def _externally_managed(host: Host, python: Python) -> Maybe[bool]:
    """Return whether PEP 668's marker lies in the standard library; a virtual environment is free of it."""
    if isinstance(python.virtual_environment, Unknown):
        return python.virtual_environment
    if python.virtual_environment:
        return False
    if isinstance(python.base_prefix, Unknown) or isinstance(python.version, Unknown):
        return Unknown("the interpreter did not name its folder")
    version = ".".join(python.version.split(".")[:2])
    folder = (
        _join(python.base_prefix, "Lib")
        if python.os == "windows"
        else _join(python.base_prefix, "lib", f"python{version}")
    )
    return _exists(host, _join(folder, "EXTERNALLY-MANAGED"))


def _exists(host: Host, path: str) -> bool:
    return known_or(host.exists(path), False)


def _join(folder: str, *names: str) -> str:
    mark = "\\" if "\\" in folder and "/" not in folder else "/"
    return mark.join((folder.rstrip("/\\"), *names))


def _parent(path: str) -> str:
    return re.sub(r"[\\/]+[^\\/]+[\\/]*$", "", path) or path[:1]
