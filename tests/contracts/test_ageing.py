"""Old rows are believed less, every table says how it is refreshed, and the tools that help list what is old or missing."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from xpu_doctor import tables
from xpu_doctor.diagnosis.ageing import aged
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding, Layer, Severity
from xpu_doctor.tables.ageing import LOOKED_AT, age_in_days, is_past_its_date, old_tables, shelf_lives

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "tools"
sys.path.insert(0, str(TOOLS))

import compare_releases  # noqa: E402
import table_ages  # noqa: E402
from check_tables import KINDS  # noqa: E402


def test_every_table_says_how_long_it_stays_good() -> None:
    """A table that is added needs a row in shelf_life.toml; a row without a table is a leftover."""
    assert {kind.table for kind in KINDS} - {"shelf_life.table"} == set(shelf_lives())


def test_tools_that_a_table_names_exist() -> None:
    for life in shelf_lives().values():
        if life.tool:
            assert (ROOT / life.tool.split()[1]).is_file(), life.name


def test_the_day_of_the_tables_is_the_newest_of_them() -> None:
    rows = table_ages.by_age()
    assert rows[-1].checked == LOOKED_AT
    assert [row.checked for row in rows] == sorted(row.checked for row in rows)


def test_rows_are_listed_by_age_with_their_lines() -> None:
    """The list names file and line of each old row: the row stands there."""
    old = table_ages.past("2031-01-01")
    assert {row.table for row in old} == {name for name, life in shelf_lives().items() if life.days} & {
        row.table for row in table_ages.by_age()
    }
    for row in old[:40]:
        text = tables.text(row.file).splitlines()
        assert text[row.line - 1].startswith("["), row


def test_the_list_is_a_program() -> None:
    command = [sys.executable, str(TOOLS / "table_ages.py"), "--today", "2031-01-01"]
    whole = subprocess.run(command, capture_output=True, text=True, check=False)
    assert whole.returncode == 0 and "drivers.bad" in whole.stdout, whole.stderr
    past = subprocess.run([*command, "--past"], capture_output=True, text=True, check=False)
    assert past.returncode == 1 and "xpu_doctor/data/releases.toml:" in past.stdout


@pytest.mark.parametrize(
    ("today", "past"),
    [("2026-11-26", False), ("2027-11-26", False), ("2027-11-27", True), ("", False), ("soon", False)],
)
def test_a_row_is_past_its_date_one_day_after_its_last(today: str, past: bool) -> None:
    assert is_past_its_date("drivers.bad", "2026-11-26", today) is past


def test_what_does_not_change_never_gets_old() -> None:
    assert not is_past_its_date("drivers.gpu", "2020-01-01", "2040-01-01")
    assert not is_past_its_date("no.table", "2020-01-01", "2040-01-01")
    assert age_in_days("2026-11-26", "2026-11-28T10:00:00Z") == 2


FOUND = Finding(
    code="gpu-driver-bug",
    layer=Layer.DRIVER,
    severity=Severity.WARNING,
    confidence=Confidence.LIKELY,
    subject="machine",
    summary="a bad build",
    evidence=(Evidence("drivers.bad", "a-row", "https://example.org/1", EvidenceKind.TABLE, "2026-11-21"),),
)


def test_a_finding_on_an_old_row_is_less_sure_and_says_so() -> None:
    (now,) = aged([FOUND], "2026-12-01")
    (later,) = aged([FOUND], "2028-01-01")
    assert now == FOUND
    assert later.confidence is Confidence.POSSIBLE
    assert "looked at 2026-11-21: may be out of date" in later.evidence[0].value
    assert aged([FOUND], "") == (FOUND,)


def test_a_finding_on_facts_alone_never_ages() -> None:
    seen = dataclasses.replace(
        FOUND, evidence=(Evidence("torch.version", "2.13", "pip"),), confidence=Confidence.CERTAIN
    )
    assert aged([seen], "2040-01-01") == (seen,)


def test_a_report_of_an_old_doctor_says_what_it_cannot_know() -> None:
    assert old_tables("2026-11-26T00:00:00Z") == ""
    assert LOOKED_AT in old_tables("2029-01-01T00:00:00Z")


PAGE = """
<a href="/whl/xpu/torch-2.13.0%2Bxpu-cp312-cp312-manylinux_2_28_x86_64.whl#sha256=0">torch-2.13.0+xpu-cp312</a>
<a href="torch-9.1.0%2Bxpu-cp314-cp314t-win_amd64.whl">x</a><a href="torch-9.1.0%2Bxpu-cp314-cp314-manylinux_2_28_x86_64.whl">x</a>
<a href="torch-2.13.0%2Bcpu-cp312-cp312-linux_x86_64.whl">not of XPU</a>
"""


def test_missing_releases_are_named() -> None:
    missing = compare_releases.missing_torch(PAGE)
    assert any(line.startswith("torch 9.1.0: no row; Python 3.14, 3.14t, linux_x86_64, win_amd64") for line in missing)
    assert any(line.startswith("torch 2.13.0: wheels Python 3.12, the row says") for line in missing)


def test_missing_drivers_are_named() -> None:
    tags = "0a1b\trefs/tags/26.05.37020.3\n0a1b\trefs/tags/99.01.99999.7\n0a1b\trefs/tags/99.01.99999.8\n0a1b\trefs/tags/v1\n"
    assert compare_releases.missing_drivers(tags) == ['[99999, "99.01"],']


def test_the_comparison_is_a_program(tmp_path: Path) -> None:
    tags = tmp_path / "tags"
    tags.write_text("refs/tags/26.05.37020.3\n", encoding="utf-8")
    command = [sys.executable, str(TOOLS / "compare_releases.py")]
    assert subprocess.run([*command, "driver", str(tags)], check=False).returncode == 0
    assert subprocess.run([*command, "driver"], check=False, stdout=subprocess.DEVNULL).returncode == 2
