"""Reads what the Unified Runtime loader says with `UR_LOG_LOADER=level:info`, on Windows `level:debug`: which adapters loaded, and why others did not."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import UrAdapter
from xpu_doctor.text.late_pattern import late_pattern

LOADER_LEVEL = {"windows": "debug"}
"""How much the loader must say until it names adapters that fail: `info` where nothing else is written here."""

FAILED = late_pattern(
    r"<LOADER>\[\w+\]:\s*(?:\w+\(\S*\)\s*)?failed to load adapter '(?P<path>[^']*)' with error:?\s*(?P<error>.*)",
    re.IGNORECASE,
)
LOADED = late_pattern(
    r"<LOADER>\[\w+\]:\s*loaded adapter\s+\S+\s*\((?P<path>[^)]*)\)(?:\s+from\s+(?P<real>\S+))?", re.IGNORECASE
)
LOADED_WINDOWS = late_pattern(r"<LOADER>\[\w+\]:\s*loaded adapter\s+0x\w{1,20}:\s*(?P<path>\S.*)", re.IGNORECASE)
FAILED_WINDOWS = late_pattern(
    r"<LOADER>\[\w+\]:\s*loading adapter failed with error (?P<error>\d{1,10}):\s*(?P<path>\S.*)", re.IGNORECASE
)
FAILED_PLAIN = late_pattern(r"<LOADER>\[\w+\]:\s*failed to load adapter '(?P<path>[^']*)'", re.IGNORECASE)


def log_variables(os: str) -> dict[str, str]:
    """Return what makes the runtime say it on an operating system."""
    level = LOADER_LEVEL.get(os, "info")
    return {
        "UR_LOG_LOADER": f"level:{level};output:stderr",
        "UR_LOG_LEVEL_ZERO": "level:info;output:stderr",
        "SYCL_UR_TRACE": "1",
    }


def parse_ur_loader(text: str) -> tuple[UrAdapter, ...]:
    """Return one row per adapter that the loader tried; an adapter that loaded from any place counts as loaded."""
    rows: dict[str, UrAdapter] = {}
    for line in text.splitlines():
        row = _row(line)
        if row is None:
            continue
        before = rows.get(row.name)
        # The loader tries folder after folder: a success wins, and of two failures the one that names a reason.
        if before is None or row.loaded or (not before.loaded and _informative(row.error) > _informative(before.error)):
            rows[row.name] = row
    return tuple(rows.values())


def _row(line: str) -> UrAdapter | None:
    if match := LOADED.search(line) or LOADED_WINDOWS.search(line):
        path = match["path"].strip()
        return UrAdapter(_name(path), True, "", path)
    if match := FAILED.search(line):
        return UrAdapter(_name(match["path"]), False, " ".join(match["error"].split())[:600], match["path"])
    if match := FAILED_WINDOWS.search(line):
        return UrAdapter(_name(match["path"]), False, f"[WinError {match['error']}]", match["path"].strip())
    if match := FAILED_PLAIN.search(line):
        return UrAdapter(_name(match["path"]), False, "", match["path"])
    return None


def _name(path: str) -> str:
    return re.split(r"[\\/]", path.strip())[-1]


def _informative(error: str) -> int:
    """Rank a reason: none, "the adapter is not in this folder", or a reason of its own."""
    if not error:
        return 0
    missing = re.match(r"^(?:\S{0,400}[/\\:])?([^/\\\s:]{1,200}): cannot open shared object file", error)
    return 1 if missing and "ur_adapter" in missing[1] else 2


def missing_symbol(error: str) -> str:
    """Return the symbol that an adapter found undefined, or empty."""
    match = re.search(r"undefined symbol: (\w+)", error)
    return match[1] if match else ""


def missing_library(error: str) -> str:
    """Return the shared library that an adapter could not open, or empty."""
    match = re.search(r"(?<!\S)(\S{1,400}?): cannot open shared object file", error)
    return match[1] if match else ""
