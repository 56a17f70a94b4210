"""The releases table: which torch has an XPU wheel, for which Python and platform, with which companions."""

from __future__ import annotations

import re
from enum import Enum
from typing import ClassVar, Literal

import msgspec

from xpu_doctor.model.versions import numbers
from xpu_doctor.tables.rows import Checked, Name, Place, Row, System, VersionText, rows

STABLE = "https://download.pytorch.org/whl/xpu"
NIGHTLY = "https://download.pytorch.org/whl/nightly/xpu"
TEST = "https://download.pytorch.org/whl/test/xpu"


class Sureness(Enum):
    """How a row is known."""

    CONFIRMED = "confirmed"
    """Seen in a wheel's own address, a build script or a log."""
    INFERRED = "inferred"
    """Concluded from a neighbour."""


class PythonNote(Row, frozen=True, kw_only=True):
    """What the lists of Pythons rest on."""

    table: ClassVar[str] = "releases.python_note"
    text: str


class Index(Row, frozen=True, kw_only=True):
    """A package index of PyTorch."""

    table: ClassVar[str] = "releases.index"
    name: Name
    url: str
    note: str = ""


class Release(Checked, frozen=True, kw_only=True):
    """One torch release as the table knows it."""

    table: ClassVar[str] = "releases.release"
    torch: VersionText
    match: str = ""
    """Versions that the row speaks of beside its own: `2.5.*`."""
    xpu_wheel: bool | None = None
    """Whether an XPU wheel exists; None where it was not seen."""
    confidence: Sureness
    index: Literal["", "stable", "nightly", "test"] = ""
    platforms: tuple[str, ...] = ()
    pythons: tuple[str, ...] = msgspec.field(default=(), name="python")
    python_confidence: Sureness = Sureness.INFERRED
    oneapi: VersionText = ""
    sycl_linux: str = ""
    sycl_windows: str = ""
    triton: str = msgspec.field(default="", name="triton_name")
    triton_version: VersionText = ""
    torchvision: VersionText = ""
    torchvision_also: tuple[VersionText, ...] = ()
    """Later versions that fit as well: from 0.29.1 on one torchvision serves several releases of torch."""
    torchaudio: VersionText = ""
    pins: dict[System, dict[str, VersionText]] = msgspec.field(default_factory=dict)
    """Exact Intel packages that the wheel requires, by system."""
    source: tuple[Place, ...]
    note: str = ""

    @property
    def confirmed(self) -> bool:
        """Return whether the row was seen, rather than concluded from a neighbour."""
        return self.confidence is Sureness.CONFIRMED

    def covers(self, version: str) -> bool:
        """Return whether this row speaks of a version, its local label left aside."""
        wanted = public(version)
        return wanted.startswith(self.match[:-1]) if self.match.endswith("*") else wanted == self.torch

    def companion(self, name: str) -> str:
        """Return the version of torchvision or torchaudio that belongs to it, or empty where that is not known."""
        return {"torchvision": self.torchvision, "torchaudio": self.torchaudio}.get(name, "")

    def fits(self, name: str, version: str) -> bool:
        """Return whether a version of torchvision or torchaudio fits, its local label left aside; so does every one where none is known."""
        known = self.companion(name)
        also = self.torchvision_also if name == "torchvision" else ()
        return not known or public(version) in (known, *also)


class IpexPair(Row, frozen=True, kw_only=True):
    """A release of the Intel extension and the torch that it was built for."""

    table: ClassVar[str] = "releases.ipex"
    ipex: Name
    torch: str


def releases() -> tuple[Release, ...]:
    """Return all rows, oldest first."""
    return rows(Release)


def release_of(version: str) -> Release | None:
    """Return the row of a torch version; None where the table has none: such a version is unknown, and so is a nightly."""
    if is_nightly(version):
        return None
    return next((row for row in releases() if row.covers(version)), None)


def installable(python: str, platform: str, version: str = "") -> Release | None:
    """Return the release to install: the wanted version where the table is sure of it, else the newest that it is sure of."""
    sure = [
        row
        for row in releases()
        if row.confirmed and row.index == "stable" and python in row.pythons and platform in row.platforms
    ]
    return next((row for row in sure if version and row.covers(version)), sure[-1] if sure else None)


def newest_wheels() -> str:
    """Say for which Pythons the newest release that the table is sure of has XPU wheels."""
    newest = [row for row in releases() if row.confirmed and row.index == "stable"][-1]
    usual = sorted((tag for tag in newest.pythons if not tag.endswith("t")), key=numbers)
    return f"torch {'.'.join(newest.torch.split('.')[:2])} has XPU wheels for CPython {usual[0]} to {usual[-1]}"


def python_tag(version: str, free_threaded: bool = False) -> str:
    """Return how the table spells a Python, e.g. `3.13t`."""
    return ".".join(version.split(".")[:2]) + ("t" if free_threaded else "")


def platform_tag(os: str, architecture: str) -> str:
    """Return how the table spells a platform, e.g. `linux_x86_64`; another system keeps its own name."""
    machine = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}.get(architecture.lower(), architecture.lower())
    if os == "windows":
        return "win_amd64" if machine == "x86_64" else f"win_{machine}"
    return f"{os}_{machine}"


def known_pythons() -> frozenset[str]:
    """Return every Python that some row lists, sure or not."""
    return frozenset(name for row in releases() for name in row.pythons)


def known_platforms() -> frozenset[str]:
    """Return every platform that some row lists."""
    return frozenset(name for row in releases() for name in row.platforms)


def public(version: str) -> str:
    """Return a version without its local label."""
    return version.split("+", 1)[0]


def label(version: str) -> str:
    """Return the local label of a version, e.g. `xpu`, or empty."""
    return version.split("+", 1)[1] if "+" in version else ""


def is_nightly(version: str) -> bool:
    """Return whether a version is that of a nightly wheel."""
    return re.search(r"\.dev\d{8}", version) is not None
