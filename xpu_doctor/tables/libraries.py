"""Tables about shared libraries: who opens what by name, and which package brings which file."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from xpu_doctor.tables import text, toml


@dataclass(frozen=True)
class Opened:
    """Libraries that another one opens by name."""

    id: str
    os: str
    opener: tuple[str, ...]
    names: tuple[str, ...]
    search: tuple[str, ...]
    stage: str
    layer: str
    absence: str
    source: str
    one_is_enough: bool = False
    optional: bool = False
    package: str = ""

    def opened_by(self, name: str) -> bool:
        """Return whether a library of this name opens them."""
        return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in self.opener)


@dataclass(frozen=True)
class Owner:
    """A package that brings a file, and the versions of it that were seen to."""

    package: str
    versions: tuple[str, ...]


@cache
def opened(os: str) -> tuple[Opened, ...]:
    """Return the rows of a system, in the order in which they depend on each other."""
    rows = [row for row in toml("opened_libraries")["opened"] if row["os"] == os]
    return tuple(
        Opened(
            id=row["id"],
            os=row["os"],
            opener=tuple(row["opener"]),
            names=tuple(row["names"]),
            search=tuple(row["search"]),
            stage=row["stage"],
            layer=row["layer"],
            absence=row["absence"],
            source=row["source"],
            one_is_enough=row.get("any", False),
            optional=row.get("optional", False),
            package=row.get("package", ""),
        )
        for row in rows
    )


def opened_row(row_id: str) -> Opened | None:
    """Return a row by its id."""
    return next((row for os in ("linux", "windows") for row in opened(os) if row.id == row_id), None)


@cache
def _files() -> dict[str, Any]:
    import json

    loaded: dict[str, Any] = json.loads(text("runtime_files.json"))
    return loaded


def owners(os: str, name: str) -> tuple[Owner, ...]:
    """Return the Intel packages whose wheels hold a file of this name, with the versions that do, oldest first."""
    found: dict[str, Owner] = {}
    wanted = name.lower() if os == "windows" else name
    for package, by_version in _files()["files"].get(os, {}).items():
        versions = tuple(version for version, names in by_version.items() if wanted in names)
        if versions:
            found[package] = Owner(package, versions)
    return tuple(found.values())


def runtime_packages() -> frozenset[str]:
    """Return the names of all Intel runtime packages that the table knows."""
    return frozenset(name for os in _files()["files"].values() for name in os)


def stem(name: str) -> str:
    """Return a library's name without its version: `libsycl.so.8` and `sycl8.dll` both lose their number."""
    low = name.lower()
    if ".so" in low:
        return low.split(".so", 1)[0]
    return re.sub(r"[-_.]?\d[\d.\-]*$", "", low.removesuffix(".dll"))


def system_package(name: str, manager: str) -> str:
    """Return the operating system's package that brings a library (`apt`, `dnf`, `pacman`), or empty."""
    row = next((row for row in toml("system_libraries")["library"] if row["name"] == name), None)
    return str(row.get(manager, "")) if row else ""
