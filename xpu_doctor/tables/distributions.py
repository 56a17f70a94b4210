"""Linux distributions: whose packages one takes, and which tools it has; read from what /etc/os-release says."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Literal

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.unknown import known_or
from xpu_doctor.tables.rows import Row, rows

MANAGERS = {"debian": "apt", "fedora": "dnf", "redhat": "dnf", "suse": "zypper", "arch": "pacman", "gentoo": "emerge"}
DEBIANS = ("ubuntu", "debian")
"""The distributions whose releases have codenames that derivatives name."""
_BACKPORTING = (
    "rhel",
    "centos",
    "almalinux",
    "rocky",
    "oracle",
    "sles",
    "sled",
    "opensuse-leap",
    "proxmox",
    "unraid",
    "truenas",
)
_BACKPORTING_KERNEL = re.compile(
    r"""
    \.el\d | \.amzn\d | \.uek | -pve\b | -unraid | truenas | -(?:oem|hwe|azure|aws|gcp|oracle|gke|nvidia|intel|iotg|lowlatency-hwe)\b
    | microsoft-standard | \blp1[56]\d | -150\d00\. | synology | qnap | xanmod | \+bpo | ~bpo
    """,
    re.VERBOSE | re.IGNORECASE,
)
FamilyName = Literal["debian", "fedora", "redhat", "suse", "arch", "gentoo", "nixos", "ostree", "sealed"]


class Known(Row, frozen=True, kw_only=True):
    """Distributions of one kind."""

    table: ClassVar[str] = "distributions.distribution"
    ids: tuple[str, ...]
    base: str
    family: FamilyName
    parameters: Literal["", "grub", "grubby", "kernelstub", "entries", "nixos", "ostree"]
    make: str = ""
    codenames: dict[str, str] = {}
    """Codename of the base by the first number of one's own release, where os-release may not tell it."""


class Relative(Row, frozen=True, kw_only=True):
    """What a word of ID_LIKE tells of a distribution that is in no row."""

    table: ClassVar[str] = "distributions.relative"
    like: tuple[str, ...]
    family: FamilyName


class Releases(Row, frozen=True, kw_only=True):
    """The releases of a base."""

    table: ClassVar[str] = "distributions.release"
    base: str
    codenames: dict[str, str]
    ended: tuple[str, ...] = ()


@dataclass(frozen=True)
class Distribution:
    """A Linux distribution, as far as it is known; empty fields where it is not."""

    id: str = ""
    base: str = ""
    """The distribution whose packages it takes, e.g. `ubuntu` for Linux Mint."""
    version: str = ""
    """The release of the base, e.g. `22.04` for Linux Mint 21.3."""
    codename: str = ""
    """Codename of that release, where it has one."""
    family: str = ""
    parameters: str = ""
    """How a kernel parameter is taken out, see distributions.toml."""
    make: str = ""
    """What writes the boot loader's configuration anew."""

    @property
    def ended(self) -> bool:
        """Return whether its packages are past their end of life, and mostly gone from the servers that it asks."""
        return any(self.version in row.ended for row in rows(Releases) if row.base == self.base)

    @property
    def manager(self) -> str:
        """Return `apt`, `dnf`, `zypper`, `pacman` or `emerge`, or empty where there is none of them, or an older one."""
        old = (self.base, self.version.partition(".")[0]) in (
            ("rhel", "7"),
            ("centos-stream", "7"),
            ("oracle", "7"),
            ("amazon", "2"),
        )
        return "" if old else MANAGERS.get(self.family, "")


def distribution_of(machine: Machine) -> Distribution:
    """Return what the tables know of a machine's distribution."""
    name, variant = known_or(machine.distribution, ""), known_or(machine.distribution_variant, "")
    version, codename = known_or(machine.distribution_version, ""), known_or(machine.distribution_codename, "")
    row = (_known().get(variant) if name == "fedora" else None) or _known().get(name)
    if row is None:
        return _relative(name, known_or(machine.distribution_like, ()), codename)
    base = row.base
    if base in DEBIANS:
        codename = codename or row.codenames.get(version.partition(".")[0], "")
        base = base if name == base else next((other for other in DEBIANS if codename in _releases(other)), base)
        version = (
            version
            if name == base and version
            else _releases(base).get(codename, version if version in _releases(base).values() else "")
        )
    return Distribution(
        id=name,
        base=base,
        version=version,
        codename=_codename(base, version, codename),
        family=row.family,
        parameters=row.parameters,
        make=row.make,
    )


def _relative(name: str, like: tuple[str, ...], codename: str) -> Distribution:
    """Return the family of a distribution that is in no row, and the release that it is made from, where its codename tells."""
    family = next((row.family for word in like for row in rows(Relative) if word in row.like), "")
    base = next((other for other in DEBIANS if family == "debian" and codename in _releases(other)), "")
    return Distribution(name, base, _releases(base).get(codename, ""), codename if base else "", family)


def _codename(base: str, version: str, codename: str) -> str:
    """Return the codename of a release: the one that was told where it fits, else that of the version."""
    releases = _releases(base)
    return (
        codename
        if codename and releases.get(codename) == version
        else next((name for name, number in releases.items() if number == version), "")
    )


def _releases(base: str) -> dict[str, str]:
    return next((row.codenames for row in rows(Releases) if row.base == base), {})


@cache
def _known() -> dict[str, Known]:
    return {name: row for row in rows(Known) for name in row.ids}


def carries_backports(kernel: str, distribution: str = "") -> bool:
    """Return whether a kernel's maker takes graphics drivers of newer kernels into it, so that its number does not tell what it drives."""
    return distribution.lower() in _BACKPORTING or bool(_BACKPORTING_KERNEL.search(kernel[:200]))
