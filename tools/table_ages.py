"""Lists the tables by the age of their rows, and how each is refreshed.

python tools/table_ages.py                    # every table: rows, oldest and newest day, how long rows stay good
python tools/table_ages.py --past             # only rows that are past their date, by file and line
python tools/table_ages.py --today 2027-12-01 # as it will be on another day
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from check_tables import KINDS, Lines  # noqa: E402
from tabulate import tabulate  # noqa: E402

from xpu_doctor import tables  # noqa: E402
from xpu_doctor.tables.ageing import ShelfLife, age_in_days, is_past_its_date, shelf_lives  # noqa: E402
from xpu_doctor.tables.rows import Checked, plain_rows  # noqa: E402


@dataclass(frozen=True)
class Dated:
    """A row, where it stands and when its source was looked at."""

    table: str
    file: str
    line: int
    checked: str


def dated_rows(kind: type[Checked]) -> Iterator[Dated]:
    """Yield the rows of a table with their days."""
    name, _, section = kind.table.partition(".")
    text = tables.text(f"{name}.toml")
    lines = Lines(text)
    for number, row in enumerate(plain_rows(tables.parse_toml(text), section)):
        yield Dated(kind.table, f"{name}.toml", lines.of(section, number), str(row.get("checked", "")))


def by_age() -> tuple[Dated, ...]:
    """Return every row of every table, oldest first."""
    found = [row for kind in KINDS if kind is not ShelfLife for row in dated_rows(kind)]
    return tuple(sorted(found, key=lambda row: (row.checked, row.file, row.line)))


def past(today: str) -> tuple[Dated, ...]:
    """Return the rows that are past their date on a day, oldest first."""
    return tuple(row for row in by_age() if is_past_its_date(row.table, row.checked, today))


def overview(today: str) -> str:
    """Return the tables, those with the oldest rows first."""
    listed = []
    for name in dict.fromkeys(row.table for row in by_age()):
        days = [row.checked for row in by_age() if row.table == name]
        life = shelf_lives()[name]
        old = sum(is_past_its_date(name, day, today) for day in days)
        listed.append(
            (name, len(days), min(days), max(days), life.days or "-", old or "", life.tool or "; ".join(life.source))
        )
    head = ["table", "rows", "oldest", "newest", "good for days", "past", "refresh"]
    return tabulate(listed, headers=head, disable_numparse=True)


def main(arguments: list[str]) -> int:
    """Print the list; with --past return 1 where there are such rows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--today", default=datetime.date.today().isoformat(), help="the day to count from")
    parser.add_argument("--past", action="store_true", help="list only rows that are past their date")
    options = parser.parse_args(arguments)
    if not options.past:
        print(overview(options.today))
        return 0
    rows = past(options.today)
    for row in rows:
        age = age_in_days(row.checked, options.today)
        print(f"xpu_doctor/data/{row.file}:{row.line}: {row.table}, looked at {row.checked}, {age} days ago")
    print(f"{len(rows)} rows are past their date")
    return int(bool(rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
