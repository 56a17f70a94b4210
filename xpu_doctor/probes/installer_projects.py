"""What a project's own files say of its environment: members of a uv workspace, pixi's and hatch's names, which of conda's programs made it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from xpu_doctor.host.interface import Host
from xpu_doctor.model.unknown import Maybe, Unknown, known_or

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONDA_PROGRAMS = ("conda", "mamba", "micromamba")
MEMBERS = 200
"""Members of a workspace that are read at most."""
_TORCH = re.compile(r"\s{0,40}torch(?![\w.-])", re.IGNORECASE)
_COMMAND = re.compile(r"^# cmd: (?:.*?[\\/])?(micromamba|mamba|conda)(?:-script\.py|\.exe|\.bat)?(?= |$)", re.MULTILINE)


@dataclass(frozen=True)
class Workspace:
    """To what of a project of uv a requirement can be added."""

    package: str = ""
    """The one member that names torch, where the root does not; empty for the root itself."""
    virtual_root: Maybe[bool] = False
    """Whether there is nothing that a requirement could be added to."""


@dataclass(frozen=True)
class Place:
    """Folder of a project, and what its manager calls the environment."""

    folder: str = ""
    environment: str = ""


def workspace(host: Host, folder: str) -> Workspace:
    """Return to what of a project of uv torch can be added: the root, the one member that names torch, or nothing."""
    root = _table(host, f"{folder}/pyproject.toml")
    if isinstance(root, Unknown):
        return Workspace(virtual_root=root)
    whole = isinstance(root.get("project"), dict)
    if whole and _names_torch(root):
        return Workspace()
    named = [name for name, table in _members(host, folder, root) if _names_torch(table)]
    if len(named) == 1:
        return Workspace(package=named[0])
    return Workspace(virtual_root=not whole)


def _members(host: Host, folder: str, root: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and table of each member with a [project] table, in the order of their folders."""
    table = _deeper(root, "tool", "uv", "workspace")
    patterns, excluded = (
        [item for item in _list(table.get(key)) if isinstance(item, str)] for key in ("members", "exclude")
    )
    shut = {path for pattern in excluded for path in host.glob(f"{_escaped(folder)}/{pattern}")}
    found = {path for pattern in patterns for path in host.glob(f"{_escaped(folder)}/{pattern}") if path not in shut}
    for path in sorted(found)[:MEMBERS]:
        member = _table(host, f"{path}/pyproject.toml")
        name = "" if isinstance(member, Unknown) else _deeper(member, "project").get("name")
        if isinstance(name, str) and name and not isinstance(member, Unknown):
            yield name, member


def _names_torch(table: dict[str, Any]) -> bool:
    """Return whether a pyproject.toml requires torch: itself, in an extra, or in a group."""
    project = _deeper(table, "project")
    lists = [
        project.get("dependencies"),
        *_deeper(project, "optional-dependencies").values(),
        *_deeper(table, "dependency-groups").values(),
    ]
    return any(isinstance(item, str) and _TORCH.match(item) is not None for each in lists for item in _list(each))


def pixi_place(host: Host, prefix: str) -> Place | None:
    """Return the project and the name of an environment that pixi made, None where it is not pixi's."""
    shown = prefix.replace("\\", "/")
    text = host.read(f"{prefix}/conda-meta/pixi", 65536)
    if isinstance(text, str):
        manifest, name = _pixi_file(text)
        if manifest:
            return Place(manifest, name or "default")
    match = re.match(r"^(.+)/\.pixi/envs/([^/]+)/?$", shown)
    return Place(prefix[: len(match[1])], match[2]) if match else None


def _pixi_file(text: str) -> tuple[str, str]:
    """Return the manifest's path and the environment's name of the file that pixi leaves in an environment."""
    try:
        table = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    values = [table.get(key) if isinstance(table, dict) else "" for key in ("manifest_path", "environment_name")]
    manifest, name = (value if isinstance(value, str) else "" for value in values)
    return manifest, name


def conda_program(host: Host, prefix: str, available: tuple[str, ...]) -> str:
    """Return which of conda's programs keeps an environment: the last that its history names, else the first that is there."""
    named = _COMMAND.findall(known_or(host.read(f"{prefix}/conda-meta/history"), ""))
    if named and (named[-1] in available or not available):
        return str(named[-1])
    return available[0] if available else ""


def hatch_environment(prefix: str, project: str, host: Host) -> str:
    """Return what hatch calls an environment: the last part of its path, which is the project's name for the default one."""
    last = re.split(r"[\\/]", prefix.rstrip("\\/"))[-1]
    table = _table(host, f"{project}/pyproject.toml") if project else Unknown("no project")
    name = "" if isinstance(table, Unknown) else _deeper(table, "project").get("name", "")
    parts = re.split(r"[\\/]", prefix.rstrip("\\/"))
    plain = re.sub(r"[-_.]+", "-", last).lower()
    of_project = plain == re.sub(r"[-_.]+", "-", str(name)).lower() or (len(parts) > 2 and last == parts[-3])
    return "default" if of_project else last


def pipenv_project(host: Host, prefix: str) -> str:
    """Return the project that pipenv, or virtualenvwrapper, wrote into an environment of its own, or empty."""
    return known_or(host.read(f"{prefix}/.project", 8192), "").strip()


def active(environment: Mapping[str, str], prefix: str) -> str:
    """Return the manager whose shell this is, where its environment is the one that is examined, or empty."""
    if environment.get("VIRTUAL_ENV", "").rstrip("/\\") != prefix.rstrip("/\\"):
        return ""
    marks = (("PIPENV_ACTIVE", "pipenv"), ("HATCH_ENV_ACTIVE", "hatch"), ("POETRY_ACTIVE", "poetry"))
    return next((manager for variable, manager in marks if environment.get(variable)), "")


def _table(host: Host, path: str) -> Maybe[dict[str, Any]]:
    text = host.read(path)
    if isinstance(text, Unknown):
        return text
    try:
        table: dict[str, Any] = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return Unknown(f"{path} is no TOML")
    return table


def _deeper(table: Any, *names: str) -> dict[str, Any]:
    """Return a table inside of tables, empty where there is none."""
    for name in names:
        table = table.get(name) if isinstance(table, dict) else None
    return table if isinstance(table, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _escaped(folder: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", folder)
