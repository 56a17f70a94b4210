"""Tables about shared libraries: who opens what by name, and which package brings which file."""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal

import msgspec

from xpu_doctor.model.findings import Layer
from xpu_doctor.tables import text
from xpu_doctor.tables.rows import Name, Row, System, rows


class Opened(Row, frozen=True, kw_only=True):
    """Libraries that another one opens by name."""

    table: ClassVar[str] = "opened_libraries.opened"
    id: Name
    os: System
    opener: tuple[str, ...]
    """Names (with *) of the library that opens them."""
    names: tuple[str, ...]
    one_is_enough: bool = msgspec.field(default=False, name="any")
    search: tuple[str, ...]
    """`name` (as dlopen or LoadLibrary looks), `beside` (the opener's folder), or a variable that lists folders."""
    stage: Literal["xpu", "later"]
    """When it is opened: while devices are counted, or later."""
    layer: Layer
    """DRIVER where the graphics driver brings the file and no Python package does."""
    optional: bool = False
    package: str = ""
    absence: str
    """What happens without it, as a sentence without a full stop."""
    partly: str = ""
    """What happens where one of several names is absent and another one loads; empty where that does no harm."""

    def opened_by(self, name: str) -> bool:
        """Return whether a library of this name opens them."""
        return any(fnmatch.fnmatchcase(name.lower(), pattern.lower()) for pattern in self.opener)


class SystemLibrary(Row, frozen=True, kw_only=True):
    """A library of the operating system, and the package that brings it."""

    table: ClassVar[str] = "system_libraries.library"
    name: Name
    apt: str
    dnf: str
    pacman: str
    zypper: str


class Compiler(Row, frozen=True, kw_only=True):
    """What torch.compile builds with on some families of distributions."""

    table: ClassVar[str] = "system_libraries.compiler"
    families: tuple[str, ...]
    packages: tuple[str, ...]


@dataclass(frozen=True)
class Owner:
    """A package that brings a file, and the versions of it that were seen to."""

    package: str
    versions: tuple[str, ...]


@cache
def opened(os: str) -> tuple[Opened, ...]:
    """Return the rows of a system, in the order in which they depend on each other."""
    return tuple(row for row in rows(Opened) if row.os == os)


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
    return re.sub(r"[-_.]?\d[\d.\-]{0,60}$", "", low.removesuffix(".dll"))


def system_package(name: str, manager: str) -> str:
    """Return the operating system's package that brings a library (`apt`, `dnf`, `zypper`, `pacman`), or empty."""
    row = next((row for row in rows(SystemLibrary) if row.name == name), None)
    return {"apt": row.apt, "dnf": row.dnf, "zypper": row.zypper, "pacman": row.pacman}.get(manager, "") if row else ""


def compiler_packages(family: str) -> tuple[str, ...]:
    """Return the packages that torch.compile builds with on a family of distributions, empty where they are not known."""
    return next((row.packages for row in rows(Compiler) if family in row.families), ())
