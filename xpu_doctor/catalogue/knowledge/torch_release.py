"""What the tables know of a release of torch: its wheel, its companions, its pins and its known faults."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, KnownFact, NotUnderstood, fact, stated
from xpu_doctor.catalogue.knowledge.faults import faults_of
from xpu_doctor.model.facts import Torch
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.versions import numbers
from xpu_doctor.tables.devices import families
from xpu_doctor.tables.releases import STABLE, IpexPair, Release, is_nightly, public, releases
from xpu_doctor.tables.rows import rows

_VERSION = re.compile(r"v?\d{1,3}(?:\.\d{1,4}){1,3}(?:[a-z0-9.+-]{0,40})")


def torch_knowledge(asked: str, today: str) -> Knowledge:
    """Return what is known of a torch version such as `2.14`, which means all its patch releases, or `2.14.1+xpu`.

    Raises:
        NotUnderstood: that is no version.
    """
    version = public(asked.strip().lower().removeprefix("torch").lstrip("= -"))
    if not _VERSION.fullmatch(version):
        raise NotUnderstood(f"{asked!r} is no torch version: write it like 2.14 or 2.14.1")
    if is_nightly(version):
        return Knowledge("torch", asked, (), f"{version} is a nightly; the table knows releases")
    found = tuple(row for row in releases() if row.covers(version) or _is_patch_of(row, version))
    newest = releases()[-1].torch
    note = "" if found else f"the table has no torch {version}: unknown, which does not mean that it does not exist"
    if not found and numbers(version) > numbers(newest):
        note += f"; the newest that it knows is {newest}"
    return Knowledge("torch", asked, tuple(Entry(f"torch {row.torch}", _facts(row, today)) for row in found), note)


def _is_patch_of(row: Release, version: str) -> bool:
    wanted = numbers(version)
    return len(wanted) == 2 and numbers(row.torch)[:2] == wanted


def _facts(row: Release, today: str) -> tuple[KnownFact, ...]:
    return stated((*_of_the_wheel(row, today), *_of_other_tables(row, today)))


def _of_the_wheel(row: Release, today: str) -> Iterator[KnownFact]:
    sure = row.confirmed
    yield fact("XPU wheel", row.xpu_wheel, row, today, sure=sure)
    yield fact("index", row.index, row, today, sure=sure)
    yield fact("platforms", row.platforms, row, today, sure=sure)
    yield fact("Python", row.pythons, row, today, sure=row.python_confidence.value == "confirmed")
    yield fact("oneAPI", row.oneapi, row, today, sure=sure)
    yield fact("SYCL library on Linux", row.sycl_linux, row, today, sure=sure)
    yield fact("SYCL library on Windows", row.sycl_windows, row, today, sure=sure)
    yield fact("Triton", " ".join(filter(None, (row.triton, row.triton_version))), row, today, sure=sure)
    yield fact("torchvision", row.torchvision, row, today, sure=sure)
    yield fact("torchaudio", row.torchaudio, row, today, sure=sure)
    for system, pins in row.pins.items():
        wanted = tuple(f"{name}=={version}" for name, version in pins.items())
        yield fact(f"pins on {system}", wanted, row, today, sure=sure)
    if row.confirmed and row.xpu_wheel and row.index == "stable":
        companions = "".join(
            f" {name}=={version}" for name in ("torchvision", "torchaudio") if (version := row.companion(name))
        )
        yield fact("install", f"pip install torch=={row.torch}{companions} --index-url {STABLE}", row, today)
    yield fact("note", row.note, row, today)


def _of_other_tables(row: Release, today: str) -> Iterator[KnownFact]:
    for pair in rows(IpexPair):
        if numbers(pair.torch)[:2] == numbers(row.torch)[:2]:
            yield fact("IPEX built for it", pair.ipex, pair, today)
    for family in families().values():
        if family.min_torch and numbers(family.min_torch)[:2] == numbers(row.torch)[:2]:
            yield fact("first release for", family.codename, family, today)
    snapshot = Snapshot(torch=Torch(version=row.torch))
    yield from faults_of(snapshot, "torch.version", today)
