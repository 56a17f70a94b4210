"""Every row of the tables of lines: it knows its examples, nothing that looks alike, and its words are those of the examples."""

from __future__ import annotations

import pytest

from tests.support.healthy_logs import FAILURES, UNEXPLAINED
from xpu_doctor.tables.line_rows import HarmlessRow, WorkingRow, harmless_lines, working_lines
from xpu_doctor.tables.rows import rows
from xpu_doctor.text.line_table import LineTable
from xpu_doctor.text.word_index import IndexedText

ROWS = [
    *((row, harmless_lines()) for row in rows(HarmlessRow)),
    *((row, working_lines()) for row in rows(WorkingRow)),
]
every_row = pytest.mark.parametrize(("row", "table"), ROWS, ids=[row.id for row, _ in ROWS])
AnyRow = HarmlessRow | WorkingRow


def known(table: LineTable[AnyRow], line: str) -> set[str]:
    return {item.row.id for item in table.known(IndexedText(line))}


@every_row
def test_a_row_knows_its_examples(row: AnyRow, table: LineTable[AnyRow]) -> None:
    assert row.examples
    assert [line for line in row.examples if row.id not in known(table, line)] == []


@every_row
def test_a_row_knows_nothing_that_looks_alike(row: AnyRow, table: LineTable[AnyRow]) -> None:
    assert row.near_misses
    assert [line for line in row.near_misses if row.id in known(table, line)] == []


@every_row
def test_words_are_lower_case(row: AnyRow, table: LineTable[AnyRow]) -> None:
    assert row.words and all(word == word.lower() for word in row.words)


def test_no_line_both_works_and_is_a_failure_that_counts() -> None:
    """What shows a device at work is nothing that a program prints when it fails."""
    lines = [line for failure in FAILURES for line in failure.lines] + [line for group in UNEXPLAINED for line in group]
    assert [line for line in lines if known(working_lines(), line)] == []


def test_lines_are_counted_from_one_and_cut() -> None:
    text = IndexedText("a\nDevice: xpu:0 Intel(R) Arc(TM) B580 Graphics\r\n" + "x" * 5000 + " Is XPU available: True\n")
    assert [(item.number, item.line[:12]) for item in working_lines().known(text)][:1] == [(2, "Device: xpu:")]
    assert {item.number for item in working_lines().known(text)} == {2}
