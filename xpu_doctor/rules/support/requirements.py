"""Requires-Dist lines of an installed distribution, and whether a version meets one. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from xpu_doctor.model.facts import Distribution, Python
from xpu_doctor.model.unknown import known_or

PIN = re.compile(r"[A-Za-z0-9._-]{1,100}\s{0,8}\(?(==[0-9A-Za-z.+]{1,80})\)?")
"""A requirement that is one exact version, without a marker."""


@dataclass(frozen=True)
class Wish:
    """A requirement that applies here."""

    name: str
    specifier: str


def requirements_of(
    dist: Distribution, python: Python | None = None, names: frozenset[str] | None = None
) -> tuple[Wish, ...]:
    """Return the requirements (of these names alone) that apply to this Python; lines that cannot be read or need an extra are left out."""
    return tuple(
        wish
        for line in known_or(dist.requires, ())
        if (names is None or _name(line) in names) and (wish := _wish(line, python)) is not None
    )


def _name(line: str) -> str:
    match = re.match(r"\s{0,40}([A-Za-z0-9._-]{1,100})", line)
    return re.sub(r"[-_.]+", "-", match[1]).lower() if match else ""


def _wish(line: str, python: Python | None) -> Wish | None:
    """Read one line; a plain pin is read without the packaging library, whose import costs more than all the rest here."""
    if pin := PIN.fullmatch(line.strip()):
        return Wish(_name(line), pin[1])
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(line)
        applies = requirement.marker is None or requirement.marker.evaluate(environment(python or Python()))
    except (InvalidRequirement, ValueError):
        return None
    return Wish(_name(line), str(requirement.specifier)) if applies else None


def met(wish: Wish, version: str) -> bool | None:
    """Return whether a version meets a requirement; None where one of them cannot be read."""
    if wish.specifier in (f"=={version}", f"=={version.partition('+')[0]}"):
        return True
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        return SpecifierSet(wish.specifier).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return None


def environment(python: Python) -> dict[str, str]:
    """Return the marker environment of the target interpreter, never of the one that judges."""
    os = known_or(python.os, "linux")
    version = known_or(python.version, "3.12.0")
    return {
        "extra": "",
        "implementation_name": known_or(python.implementation, "cpython"),
        "implementation_version": version,
        "os_name": "nt" if os == "windows" else "posix",
        "platform_machine": known_or(python.architecture, "AMD64" if os == "windows" else "x86_64"),
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": {"windows": "Windows", "macos": "Darwin"}.get(os, "Linux"),
        "platform_version": "",
        "python_full_version": version,
        "python_version": ".".join(version.split(".")[:2]),
        "sys_platform": {"windows": "win32", "macos": "darwin"}.get(os, "linux"),
    }
