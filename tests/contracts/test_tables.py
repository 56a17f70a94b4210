"""Each row of each table under data/ says where it comes from and when it was looked at."""

from __future__ import annotations

import datetime
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import xpu_doctor
from xpu_doctor.model.findings import Confidence
from xpu_doctor.tables.devices import families
from xpu_doctor.tables.drivers import BadBuild
from xpu_doctor.tables.known_faults import FaultRow
from xpu_doctor.tables.releases import known_platforms, releases
from xpu_doctor.tables.rows import rows as typed_rows

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DATA = Path(xpu_doctor.__file__).parent / "data"
TABLES = sorted(path.name for path in DATA.glob("*.toml"))
OWN_WORDS = frozenset({"questions.toml", "first_aid.toml"})
"""Tables of the doctor's own sentences: they hold no facts that a source could prove."""
PLACE = re.compile(r"https?://[^\s]+\.[^\s]+|[\w.-]+(==|:)[\w./-]+")


def table(name: str) -> dict[str, Any]:
    """A parsed table."""
    parsed: dict[str, Any] = tomllib.loads((DATA / name).read_text(encoding="utf-8"))
    return parsed


def rows(value: Any, path: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every row of every array of tables."""
    for name, item in value.items():
        if isinstance(item, list):
            for number, row in enumerate(item):
                if isinstance(row, dict):
                    yield f"{path}.{name}[{number}]", row


@pytest.mark.parametrize("name", [name for name in TABLES if name not in OWN_WORDS])
def test_rows_have_source_and_date(name: str) -> None:
    """`source` is a place (or several), `checked` a day that is not in the future."""
    data = table(name)
    faults = []
    for path, row in rows(data, name):
        source = row.get("source", "")
        places = source if isinstance(source, list) else [source]
        if not places or not all(isinstance(place, str) and PLACE.search(place) for place in places):
            faults.append(f"{path}: source {source!r}")
        try:
            day = datetime.date.fromisoformat(str(row.get("checked", "")))
        except ValueError:
            faults.append(f"{path}: checked {row.get('checked')!r}")
        else:
            if day > datetime.date(2100, 1, 1):
                faults.append(f"{path}: checked {day}")
    assert not faults, "\n".join(faults[:20])


@pytest.mark.parametrize("name", TABLES)
def test_no_source_hides_its_address(name: str) -> None:
    """A source that nobody can look up is none."""
    text = (DATA / name).read_text(encoding="utf-8")
    assert "without a citable address" not in text


def test_releases_are_in_order_and_sure_rows_are_whole() -> None:
    """Oldest first; a confirmed XPU release names Pythons, platforms, companion packages and the SYCL library."""
    numbers = [tuple(int(part) for part in row.torch.split(".")) for row in releases()]
    assert numbers == sorted(numbers)
    for row in releases():
        if row.confirmed and row.xpu_wheel:
            assert row.pythons and row.triton and row.triton_version and row.sycl_linux and row.sycl_windows, row.torch
            assert set(row.platforms) <= known_platforms() and row.index == "stable", row.torch


BUILD = "level_zero.drivers[0].build"


def test_one_fault_has_one_range_of_builds() -> None:
    """Where two tables speak of a fault of the driver, both name the same builds; what is beyond them is only possible."""
    ranges = {row.source: row.builds for row in typed_rows(BadBuild)}
    shared = 0
    for fault in typed_rows(FaultRow):
        if fault.source not in ranges or fault.confidence is Confidence.POSSIBLE:
            continue
        first = [int(text.partition(">=")[2]) for text in fault.when if text.startswith(f"{BUILD}>=")]
        last = [int(text.partition("<=")[2]) for text in fault.when if text.startswith(f"{BUILD}<=")]
        assert (*first, *last) == ranges[fault.source], fault.id
        shared += 1
    assert shared >= 2


def test_no_kernel_of_the_mainline_drives_data_centre_cards_of_the_flex_series() -> None:
    """A newer kernel is no remedy for them, so no row names a first one."""
    for key in ("ats-m", "pvc"):
        family = families()[key]
        assert not family.min_kernel and family.kernel_package == "intel-i915-dkms"


def test_no_remedy_names_a_bad_build_as_free_of_a_fault() -> None:
    """What is said to mend a fault is not itself known to be bad for the same GPUs."""
    for row in typed_rows(BadBuild):
        for other in typed_rows(BadBuild):
            if row.fixed and set(row.families) & set(other.families):
                assert not other.builds[0] <= row.fixed <= other.builds[1], (row.id, other.id)


def test_modules_of_applications_are_named_as_the_facts_name_them() -> None:
    """What the hook writes down leads back to the row, with and without a version."""
    from xpu_doctor.tables.program_devices import application_of, program_devices
    from xpu_doctor.tables.program_modules import modules_to_name

    assert [pair[0] for pair in modules_to_name()] == [name for row in program_devices() for name in row.modules]
    for _, called in modules_to_name():
        for told, version in ((called, ""), (f"{called} 1.2.3", "1.2.3")):
            found = application_of(told)
            assert found is not None and found[1] == version and found[0].called == called
