"""Who manages the target environment, and which settings of pip and uv decide where packages come from; nothing is run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from xpu_doctor.host.interface import Host
from xpu_doctor.host.live import LiveHost
from xpu_doctor.model.facts import Distributions, Installer, Python
from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.probes.installer_settings import pip_settings, uv_settings

LOCKS = (("uv.lock", "uv-project"), ("poetry.lock", "poetry"), ("pdm.lock", "pdm"), ("Pipfile.lock", "pipenv"))
"""Lock files and the manager that writes each."""
CACHES = (
    ("/pypoetry/virtualenvs/", "poetry"),
    ("/hatch/env/virtual/", "hatch"),
    ("/share/virtualenvs/", "pipenv"),
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
    seen = _manager(door, python, distributions, folder, has_pip)
    return Installer(
        manager=seen.manager if seen else Unknown("the interpreter did not name its folder"),
        why=seen.why if seen else "",
        project=seen.project if seen else "",
        has_pip=has_pip,
        uv=_uv(door, python, environment) if seen else Unknown("the interpreter did not name its folder"),
        settings=(*pip_settings(door, environment, prefix), *uv_settings(door, environment, folder)),
        externally_managed=_externally_managed(door, python),
    )


def _manager(
    host: Host, python: Python, distributions: Distributions, folder: str, has_pip: Maybe[bool]
) -> Seen | None:
    """The manager by the strongest sign: conda-meta, a lock file beside, a manager's cache, pyvenv.cfg, INSTALLER."""
    prefix = known_or(python.prefix, "")
    if not prefix:
        return None
    if _exists(host, _join(prefix, "conda-meta")):
        return Seen("conda", f"{_join(prefix, 'conda-meta')} exists")
    wrote = _installer_of_torch(distributions)
    project = _project(host, prefix, folder, wrote)
    if project is not None:
        return project
    if _of_uv(host, prefix) and not (wrote == "pip" and known_or(has_pip, False)):
        return Seen("uv", f"{_join(prefix, 'pyvenv.cfg')} says that uv made the environment")
    if wrote in ("uv", "poetry", "pdm"):
        return Seen(wrote, f"INSTALLER of torch says {wrote}")
    if known_or(_externally_managed(host, python), False) or wrote in ("debian", "system"):
        return Seen("system", "the operating system manages this interpreter")
    return Seen("pip", f"INSTALLER of torch says {wrote}" if wrote == "pip" else "no sign of another manager")


def _project(host: Host, prefix: str, folder: str, wrote: str) -> Seen | None:
    """The project whose lock file the environment was made from: it lies around it, or in a manager's cache."""
    parent = _parent(prefix)
    locks = _locks(host, parent)
    if locks:
        name, manager = next((lock for lock in locks if wrote and lock[1].startswith(wrote)), locks[0])
        return Seen(manager, f"{_join(parent, name)} lies beside the environment", parent)
    shown = prefix.replace("\\", "/") + "/"
    manager = next((name for part, name in CACHES if part in shown), "")
    if not manager:
        return None
    return Seen(manager, f"the environment lies in the folder of {manager}", _project_above(host, folder, manager))


def _project_above(host: Host, folder: str, manager: str) -> str:
    """The nearest folder from the working folder up whose lock file is that manager's, or empty."""
    here = folder
    for _ in range(UP if folder else 0):
        if any(name == manager for _, name in _locks(host, here)):
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
    name = "uv.exe" if windows else "uv"
    folders = next((value for key, value in environment.items() if key.upper() == "PATH"), "").split(
        ";" if windows else ":"
    )
    if any(folder and _exists(host, _join(folder, name)) for folder in folders):
        return "command"
    prefix = known_or(python.prefix, "")
    return "module" if prefix and _exists(host, _join(prefix, "Scripts" if windows else "bin", name)) else ""


def _externally_managed(host: Host, python: Python) -> Maybe[bool]:
    """Whether PEP 668's marker lies in the standard library; a virtual environment is free of it."""
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
