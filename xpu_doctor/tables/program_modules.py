"""Which modules a process has imported that runs an application of the table: read by itself, since a watched command waits for it."""

from __future__ import annotations

from xpu_doctor.tables import toml


def modules_to_name() -> tuple[tuple[str, str], ...]:
    """Return pairs of a module and the distribution, or else the application, that a process which imported it runs."""
    rows = toml("program_devices").get("application", [])
    return tuple((module, row["distribution"] or row["application"]) for row in rows for module in row["modules"])
