"""The GPU driver's builds: how to read one out of any spelling, what needs which, and which are known bad."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import ClassVar

from xpu_doctor.model.facts import Driver, LevelZero
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.model.versions import release
from xpu_doctor.tables.devices import Device
from xpu_doctor.tables.rows import FamilyKey, Name, PatternText, Place, Row, VersionText, rows

SPELLING = re.compile(r"(?:^|[^\d.])(\d{1,2})\.(\d{1,2})\.0*(\d{4,6})(?:[.+](\d{1,4}))?(?!\d)")
WINDOWS_SPELLING = re.compile(r"(?:^|[^\d])(\d{2})\.0\.(\d{1,3})\.(\d{4,5})(?!\d)")
DRIVER_PACKAGES = ("libze-intel-gpu1", "intel-level-zero-gpu", "intel-level-zero", "intel-compute-runtime")


class BadEffect(Enum):
    """What a known-bad build does."""

    RESULTS = "results"
    """It computes wrong results."""
    ERRORS = "errors"
    """Operations fail."""
    DEVICES = "devices"
    """The driver lists no device."""


class KernelEffect(Enum):
    """What a kernel with a known fault does."""

    HANG = "hang"


class ReleaseNames(Row, frozen=True, kw_only=True):
    """The names of compute-runtime's releases by build number."""

    table: ClassVar[str] = "drivers.releases"
    names: tuple[tuple[int, str], ...]


class LoaderFloor(Row, frozen=True, kw_only=True):
    """The oldest Level Zero loader that serves."""

    table: ClassVar[str] = "drivers.loader"
    minimum: VersionText
    needs: str
    """What an older one lacks, as a sentence without a full stop."""
    certain_below: VersionText


class FirstBuild(Row, frozen=True, kw_only=True):
    """The first build of the driver that knows some families."""

    table: ClassVar[str] = "drivers.gpu"
    families: tuple[FamilyKey, ...]
    build: int


class KernelNeed(Row, frozen=True, kw_only=True):
    """The first build of the driver that works on a kernel and newer ones."""

    table: ClassVar[str] = "drivers.kernel"
    kernel: VersionText
    build: int
    symptom: str


class WindowsMinimum(Row, frozen=True, kw_only=True):
    """The oldest display driver of Windows that can serve some families: the last number of 32.0.101.NNNN."""

    table: ClassVar[str] = "drivers.windows"
    families: tuple[FamilyKey, ...]
    minimum: int
    why: str
    """What is known of older ones, as a sentence without a full stop."""


class WindowsForTorch(Row, frozen=True, kw_only=True):
    """The oldest display driver of Windows that is asked for with `torch` and newer, for families of that branch of drivers."""

    table: ClassVar[str] = "drivers.windows_for_torch"
    families: tuple[FamilyKey, ...]
    torch: VersionText
    minimum: int
    why: str


class WindowsNewest(Row, frozen=True, kw_only=True):
    """The newest display driver of Windows that was seen: the last number of 32.0.101.NNNN."""

    table: ClassVar[str] = "drivers.windows_newest"
    build: int


class WslFault(Row, frozen=True, kw_only=True):
    """Builds up to `build` that fail inside WSL2 with `torch` and newer."""

    table: ClassVar[str] = "drivers.wsl"
    build: int
    torch: VersionText
    symptom: str


class BadBuild(Row, frozen=True, kw_only=True):
    """Builds of the driver that are known to be bad; each condition that a row has must hold. Ranges hold both ends."""

    table: ClassVar[str] = "drivers.bad"
    id: Name
    builds: tuple[int, int]
    hotfix: tuple[int, int] | None = None
    torch: tuple[VersionText, VersionText] | None = None
    kernel: tuple[VersionText, VersionText] | None = None
    families: tuple[FamilyKey, ...]
    several: bool = False
    """Whether two or more such GPUs are needed."""
    small_bar: bool = False
    """Whether it shows only without Resizable BAR."""
    effect: BadEffect
    symptom: str
    fixed: int = 0
    """First build that is free of it; 0 where none is known."""
    good: int = 0
    """An older build that is free of it; 0 where none is known."""
    workaround: str = ""


class BadKernel(Row, frozen=True, kw_only=True):
    """Kernels with a known fault of a graphics driver."""

    table: ClassVar[str] = "drivers.bad_kernel"
    id: Name
    kernels: tuple[VersionText, VersionText]
    families: tuple[FamilyKey, ...]
    fixed: VersionText
    effect: KernelEffect
    symptom: str


class Archive(Row, frozen=True, kw_only=True):
    """Which build of the driver the package archive of a distribution holds."""

    table: ClassVar[str] = "drivers.archive"
    name: Name
    build: int


ANY_RELEASE = ".*"


class PackageSet(Row, frozen=True, kw_only=True):
    """How loader and driver are installed on a release of a distribution, or what to do instead."""

    table: ClassVar[str] = "drivers.package"
    distributions: tuple[str, ...]
    """Bases of distributions.toml."""
    versions: PatternText = ANY_RELEASE
    """What the whole VERSION_ID of the base must fit."""
    release: str = ""
    """How to call the release where the machine's own is not known."""
    title: str = ""
    """What is installed, or what to do instead."""
    loader: str = ""
    driver: str = ""
    commands: tuple[str, ...] = ()
    newest: tuple[str, ...] = ()
    """What brings a newer driver than `commands`."""
    newest_for: tuple[FamilyKey, ...] = ()
    """Families of GPUs that need the newest one in any case; without `newest` there is nothing to install for them."""
    newest_note: str = ""
    note: str = ""
    url: Place = ""


@dataclass(frozen=True)
class Build:
    """A build of Intel's compute driver: its number, its hotfix, the text it was read from, and which fact that was."""

    number: int
    hotfix: int | None
    text: str
    fact: str = ""

    @property
    def name(self) -> str:
        """Return how to call it: the release's name where the table has one."""
        release = release_of(self.number)
        return f"{self.text} (compute-runtime {release})" if release and release not in self.text else self.text


def parse_build(text: str) -> Build | None:
    """Read the build number out of any spelling of a Linux driver: `1.6.33578+15`, `25.18.33578.15-1`, `26.27.039122`."""
    found = SPELLING.search(text)
    if found is None or WINDOWS_SPELLING.search(text):
        return None
    return Build(int(found[3]), int(found[4]) if found[4] else None, text)


def parse_windows(text: str) -> int | None:
    """Read the last number of a Windows display driver of the modern branch: 8801 of `32.0.101.8801`."""
    found = WINDOWS_SPELLING.search(text)
    return int(found[3]) if found and int(found[1]) >= 30 else None


@cache
def release_of(build: int) -> str:
    """Return the compute-runtime release of a build, e.g. `25.18`; empty where the table has none."""
    return next((name for row in rows(ReleaseNames) for number, name in row.names if number == build), "")


def installed_build(level_zero: LevelZero, driver: Driver) -> Maybe[Build]:
    """Return the driver's build: what it told of itself, else its library's name, else its package (which knows the hotfix)."""
    seen = _seen_build(level_zero, driver)
    packaged = _of_packages(driver)
    if (
        isinstance(seen, Build)
        and seen.hotfix is None
        and isinstance(packaged, Build)
        and packaged.number == seen.number
    ):
        return Build(seen.number, packaged.hotfix, packaged.text, packaged.fact)
    return seen


def _seen_build(level_zero: LevelZero, driver: Driver) -> Maybe[Build]:
    if isinstance(level_zero.drivers, tuple):
        for index, row in enumerate(level_zero.drivers):
            if isinstance(row.build, int) and isinstance(row.version, str):
                told = parse_build(row.version)
                return Build(
                    row.build, told.hotfix if told else None, row.version, f"level_zero.drivers[{index}].version"
                )
    if isinstance(level_zero.driver_library, str) and (seen := _of_library(level_zero.driver_library)):
        return Build(seen.number, seen.hotfix, seen.text, "level_zero.driver_library")
    library = driver.library("libze_intel_gpu.so.1")
    if library is not None and not isinstance(library, Unknown) and isinstance(library.version, str):
        seen = parse_build(library.version)
        if seen:
            return Build(seen.number, seen.hotfix, library.version, "driver.libraries")
    return _of_packages(driver)


def _of_library(path: str) -> Build | None:
    name = path.rpartition("/")[2]
    return parse_build(name.partition(".so.")[2]) if ".so." in name else None


def _of_packages(driver: Driver) -> Maybe[Build]:
    if isinstance(driver.packages, Unknown):
        return driver.packages
    for name in DRIVER_PACKAGES:
        row = next((package for package in driver.packages if package.name == name), None)
        if row is not None and (seen := parse_build(row.version)):
            return Build(seen.number, seen.hotfix, row.version, "driver.packages")
    return Unknown("no version of the GPU driver was found")


@cache
def first_build(device: Device) -> int:
    """Return the first build that knows a GPU; 0 where every one of the last years does."""
    of_family = next((row.build for row in rows(FirstBuild) if device.family.key in row.families), 0)
    return max(device.first_build, of_family)


def windows_minimum(device: Device) -> WindowsMinimum | None:
    """Return the oldest Windows driver for a GPU; None where none is known."""
    return next((row for row in rows(WindowsMinimum) if device.family.key in row.families), None)


def windows_for_torch(device: Device, torch: str) -> WindowsForTorch | None:
    """Return the oldest Windows driver that is asked for with a torch and a GPU; None where none is known."""
    fitting = [
        row
        for row in rows(WindowsForTorch)
        if device.family.key in row.families and torch and release(torch) >= release(row.torch)
    ]
    return max(fitting, key=lambda row: release(row.torch), default=None)


def between(value: tuple[int, int], bounds: Iterable[str]) -> bool:
    """Return whether a release lies between two releases, both included."""
    low, high = map(release, bounds)
    return low <= value <= high


def package_rows(base: str, release_id: str) -> tuple[PackageSet, ...]:
    """Return the row of a distribution's release; of a release that is not known, the three likeliest that have commands."""
    fitting = [row for row in rows(PackageSet) if base and base in row.distributions]
    if release_id:
        return tuple(row for row in fitting if re.fullmatch(row.versions, release_id))[:1]
    whole = [row for row in fitting if row.versions == ANY_RELEASE]
    return tuple(whole[:1] or [row for row in fitting if row.commands and row.release][:3])
