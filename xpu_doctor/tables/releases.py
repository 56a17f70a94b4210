"""The releases table: which torch has an XPU wheel, for which Python and platform, with which companions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from xpu_doctor.tables import toml

STABLE = "https://download.pytorch.org/whl/xpu"
NIGHTLY = "https://download.pytorch.org/whl/nightly/xpu"


@dataclass(frozen=True)
class Release:
    """One torch release as the table knows it."""

    torch: str
    xpu_wheel: bool | None
    """Whether an XPU wheel exists; None where it was not seen."""
    confirmed: bool
    """Whether the row was seen, rather than concluded from a neighbour."""
    pythons: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    index: str = ""
    torchvision: str = ""
    torchaudio: str = ""
    triton: str = ""
    triton_version: str = ""
    sycl_linux: str = ""
    sycl_windows: str = ""
    oneapi: str = ""
    pins: dict[str, dict[str, str]] = field(default_factory=dict)
    """Exact Intel packages that the wheel requires, by system."""
    match: str = ""

    def covers(self, version: str) -> bool:
        """Return whether this row speaks of a version, its local label left aside."""
        wanted = public(version)
        return wanted.startswith(self.match[:-1]) if self.match.endswith("*") else wanted == self.torch

    def companion(self, name: str) -> str:
        """Return the version of torchvision or torchaudio that belongs to it, or empty where that is not known."""
        return {"torchvision": self.torchvision, "torchaudio": self.torchaudio}.get(name, "")


@cache
def releases() -> tuple[Release, ...]:
    """Return all rows, oldest first."""
    return tuple(
        Release(
            torch=row["torch"],
            xpu_wheel=row.get("xpu_wheel"),
            confirmed=row["confidence"] == "confirmed",
            pythons=tuple(row.get("python", ())),
            platforms=tuple(row.get("platforms", ())),
            index=row.get("index", ""),
            torchvision=row.get("torchvision", ""),
            torchaudio=row.get("torchaudio", ""),
            triton=row.get("triton_name", ""),
            triton_version=row.get("triton_version", ""),
            sycl_linux=row.get("sycl_linux", ""),
            sycl_windows=row.get("sycl_windows", ""),
            oneapi=row.get("oneapi", ""),
            pins=row.get("pins", {}),
            match=row.get("match", ""),
        )
        for row in toml("releases")["release"]
    )


def release_of(version: str) -> Release | None:
    """Return the row of a torch version; None where the table has none: such a version is unknown, and so is a nightly."""
    if is_nightly(version):
        return None
    return next((row for row in releases() if row.covers(version)), None)


def installable(python: str, platform: str, version: str = "") -> Release | None:
    """Return the release to install: the wanted version where the table is sure of it, else the newest that it is sure of."""
    sure = [row for row in releases() if row.confirmed and row.index == "stable" and python in row.pythons and platform in row.platforms]
    return next((row for row in sure if version and row.covers(version)), sure[-1] if sure else None)


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
