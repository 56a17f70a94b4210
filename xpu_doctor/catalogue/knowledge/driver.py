"""What the tables know of a build of Intel's GPU driver, in any spelling of Linux or Windows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, KnownFact, NotUnderstood, fact, stated
from xpu_doctor.catalogue.knowledge.faults import faults_of
from xpu_doctor.model.facts import LevelZero, Pasted, ZeDriver
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.tables.devices import families
from xpu_doctor.tables.drivers import (
    Archive,
    BadBuild,
    FirstBuild,
    KernelNeed,
    ReleaseNames,
    WindowsForTorch,
    WindowsMinimum,
    WindowsNewest,
    WslFault,
    parse_build,
    parse_windows,
    release_of,
)
from xpu_doctor.tables.rows import rows

_RELEASE = re.compile(r"(\d{2}\.\d{2})")
_OLDER_PROCESSORS = range(7000, 8000)
"""Last numbers of the branch for processors of the 11th to the 14th generation, which none of the other one is older or newer than."""
_NUMBER = re.compile(r"\d{5,6}")
_OF_WINDOWS = re.compile(r"(?:101\.)?(\d{4})")
"""How people shorten `32.0.101.6130`."""
_SHAPE = re.compile(r"\d{1,6}(?:\.\d{1,6}){0,4}")
"""What could be a version, of whichever driver."""


def driver_knowledge(asked: str, today: str) -> Knowledge:
    """Return what is known of a driver: `26.05.37020`, `1.6.37020+3`, `37020`, `26.05`, or `32.0.101.6130` of Windows.

    Raises:
        NotUnderstood: that is no version of the driver.
    """
    text = asked.strip()
    short = _OF_WINDOWS.fullmatch(text)
    if short:
        text = f"32.0.101.{short[1]}"
    windows = parse_windows(text)
    if windows is not None:
        newest_seen = rows(WindowsNewest)[0]
        note = _newer(f"32.0.101.{newest_seen.build}", "driver") if windows > newest_seen.build else ""
        facts = () if note else tuple(_of_windows(text, windows, today))
        return Knowledge("driver", asked, (Entry(f"Windows driver {text}", facts),) if facts else (), note)
    build = _build(text)
    if build is None and _SHAPE.fullmatch(text):
        return Knowledge("driver", asked, (), "no version of Intel's GPU driver that the table knows")
    if build is None:
        raise NotUnderstood(
            f"{asked!r} is no version of Intel's GPU driver: write it like 26.05.37020, 1.6.37020 or 32.0.101.6130"
        )
    name = release_of(build)
    title = f"compute-runtime {name} (build {build})" if name else f"compute-runtime build {build}"
    newest = max(number for row in rows(ReleaseNames) for number, _ in row.names)
    if build > newest:
        return Knowledge("driver", asked, (), _newer(release_of(newest), "release"))
    return Knowledge("driver", asked, (Entry(title, stated(_of_linux(build, today))),))


def _newer(newest: str, what: str) -> str:
    return f"newer than the newest {what} that the table knows ({newest}): what it brings, and whether there is one, is unknown"


def _build(text: str) -> int | None:
    if _NUMBER.fullmatch(text):
        return int(text)
    if _RELEASE.fullmatch(text):
        return next((number for row in rows(ReleaseNames) for number, name in row.names if name == text), None)
    found = parse_build(text)
    return found.number if found else None


def _of_linux(build: int, today: str) -> Iterator[KnownFact]:
    known = rows(ReleaseNames)[0]
    yield fact("release", release_of(build), known, today)
    yield fact("build", build, known, today)
    for archive in rows(Archive):
        if archive.build == build:
            yield fact("in the archive", archive.name, archive, today)
    for row in rows(FirstBuild):
        names = tuple(families()[key].codename for key in row.families)
        if row.build <= build:
            yield fact("knows", names, row, today)
        else:
            yield fact("too old for", f"{', '.join(names)}: build {row.build} or newer is needed", row, today)
    for need in rows(KernelNeed):
        if build < need.build:
            value = f"Linux {need.kernel} and newer need build {need.build}: {need.symptom}"
            yield fact("too old for", value, need, today)
    for wsl in rows(WslFault):
        if build <= wsl.build:
            yield fact("too old in WSL2", f"with torch {wsl.torch} and newer: {wsl.symptom}", wsl, today)
    for bad in rows(BadBuild):
        if bad.builds[0] <= build <= bad.builds[1]:
            yield fact("known bad", _bad(bad), bad, today)
    drivers = (ZeDriver(build=build),)
    yield from faults_of(
        Snapshot(level_zero=replace(LevelZero(), drivers=drivers)), "level_zero.drivers[0].build", today
    )


def _bad(row: BadBuild) -> str:
    where = ", ".join(families()[key].codename for key in row.families) or "any GPU"
    more = [
        "two or more such GPUs" if row.several else "",
        "only without Resizable BAR" if row.small_bar else "",
        f"torch {row.torch[0]} to {row.torch[1]}" if row.torch else "",
        f"Linux {row.kernel[0]} to {row.kernel[1]}" if row.kernel else "",
        f"hotfixes {row.hotfix[0]} to {row.hotfix[1]}" if row.hotfix else "",
    ]
    way = [
        f"fixed in {release_of(row.fixed) or 'build'} ({row.fixed})" if row.fixed else "",
        f"{release_of(row.good) or 'build'} ({row.good}) is good" if row.good else "",
        row.workaround,
    ]
    out = "; ".join(filter(None, way))
    return f"{row.symptom} ({'; '.join(filter(None, (where, *more)))})" + (f". Way out: {out}" if out else "")


def _of_windows(text: str, number: int, today: str) -> Iterator[KnownFact]:
    for row in rows(WindowsMinimum):
        names = ", ".join(families()[key].codename for key in row.families)
        if number >= row.minimum:
            yield fact("new enough for", names, row, today)
        else:
            yield fact("too old for", f"{names}: {row.why}", row, today)
    for need in rows(WindowsForTorch):
        if number < need.minimum:
            yield fact("too old for", f"torch {need.torch} on Arc and Core Ultra: {need.why}", need, today)
        else:
            yield fact("new enough for", f"torch {need.torch}", need, today)
    for newest in () if number in _OLDER_PROCESSORS else rows(WindowsNewest):
        behind = "" if number == newest.build else f": 32.0.101.{newest.build} is newer"
        yield fact("newest", f"{'yes' if not behind else 'no'}{behind}", newest, today, sure=False)
    yield from faults_of(Snapshot(pasted=Pasted(windows_driver=text)), "pasted.windows_driver", today)
