"""A row of a table as evidence."""

from __future__ import annotations

from xpu_doctor.model.findings import Evidence, EvidenceKind
from xpu_doctor.tables.rows import Checked


def table_row(row: Checked, says: str) -> Evidence:
    """Return a row as evidence: what it says, where that is from, and when it was looked at."""
    source = getattr(row, "source", "")
    place = source if isinstance(source, str) else next(iter(source), "")
    return Evidence(row.table, says, place, EvidenceKind.TABLE, row.checked)
