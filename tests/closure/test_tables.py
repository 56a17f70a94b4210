"""The tables about libraries: dated, sourced, and true of the real wheels."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

import xpu_doctor
from tests.closure import real_wheels
from tests.closure.conftest import wheels
from xpu_doctor.model.findings import Layer
from xpu_doctor.tables import toml
from xpu_doctor.tables.libraries import opened, opened_row, owners, stem, system_package

DATA = Path(xpu_doctor.__file__).parent / "data"


@pytest.mark.parametrize(("name", "rows"), [("opened_libraries", "opened"), ("system_libraries", "library")])
def test_rows_have_source_and_date(name: str, rows: str) -> None:
    for row in toml(name)[rows]:
        assert re.match(r"https://\S+", row["source"])
        assert date.fromisoformat(row["checked"]) <= date.today()


def test_every_opened_row_is_complete() -> None:
    for system in ("linux", "windows"):
        for row in opened(system):
            assert (
                row.stage in ("xpu", "later")
                and row.layer in (Layer.RUNTIME, Layer.DRIVER)
                and row.absence
                and row.names
                and row.search
            )
            assert opened_row(row.id) is row


def test_listing_is_sourced_and_large() -> None:
    table = json.loads((DATA / "runtime_files.json").read_text(encoding="utf-8"))
    assert table["source"] and date.fromisoformat(table["checked"])
    assert all(len(table["files"][system]) >= 15 for system in ("linux", "windows"))


@pytest.mark.parametrize(
    ("system", "folder", "pattern"), [("linux", "lib", "*.so*"), ("windows", "Library/bin", "*.dll")]
)
def test_listing_is_what_pip_installs(system: str, folder: str, pattern: str) -> None:
    """Every library of the real wheels has its package in the table, at this version."""
    pinned = dict(requirement.split("==") for requirement in real_wheels.LINUX)
    files = [
        path.name
        for path in (wheels("base", system, real_wheels.LINUX) / folder).glob(pattern)
        if re.search(r"(\.so(\.\d+)*|\.dll)$", path.name)
    ]
    assert len(files) >= 20
    for name in files:
        assert any(
            pinned[owner.package] in owner.versions for owner in owners(system, name) if owner.package in pinned
        ), name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("libsycl.so.8", "libsycl"),
        ("libmkl_sycl_blas.so.5", "libmkl_sycl_blas"),
        ("sycl8.dll", "sycl"),
        ("mkl_sycl_blas.5.dll", "mkl_sycl_blas"),
        ("pti_view-0-10.dll", "pti_view"),
        ("ur_adapter_level_zero.dll", "ur_adapter_level_zero"),
    ],
)
def test_stem(name: str, expected: str) -> None:
    assert stem(name) == expected


def test_system_packages() -> None:
    assert system_package("libz.so.1", "apt") == "zlib1g"
    assert system_package("libnone.so", "apt") == ""
