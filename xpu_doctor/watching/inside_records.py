"""From the records of the hook to facts. They come from programs of strangers: what is too large, damaged or of a wrong type is left out."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.model.facts.watched import DeviceMemory, InsideReport
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.watching.additions import PYTHONS

FILE_LIMIT = 64 * 1024
FILES_LIMIT = 4096
LIST_LIMIT = 4 << 20
LONGEST = 1e12
"""Seconds beyond which a figure is none."""
LISTED = 64
"""Processes in the facts."""
NOT_SAID = Unknown("the hook could not tell")
NOT_WHOLE = Unknown("the process was ended before it could say, or goes on")


@dataclass(frozen=True)
class Inside:
    """What was found in the folder of the records."""

    reports: tuple[InsideReport, ...] = ()
    pythons: dict[int, str] = field(default_factory=dict)
    """Each Python with the hook, by pid: the path of its interpreter."""
    fdinfo: tuple[tuple[int, tuple[str, ...]], ...] = ()
    """Pid, and what that process read of its own GPU counters at its end."""
    notes: tuple[str, ...] = ()


def read_records(folder: str, began: float, seconds: float) -> Inside:
    """Read the records of a watch that began at a time of `time.monotonic()` and took so many seconds."""
    reports: list[InsideReport] = []
    parents: dict[int, int] = {}
    counters: list[tuple[int, tuple[str, ...]]] = []
    dropped = 0
    names = _names(folder)
    for name in names[:FILES_LIMIT]:
        values = _values(os.path.join(folder, name))
        report = _report(values, began, seconds) if values is not None else None
        if values is None or report is None:
            dropped += 1
            continue
        reports.append(report)
        if values.get("awaits_device") is True and isinstance(values.get("parent"), int):
            parents[report.pid] = values["parent"]
        texts = _texts(values.get("fdinfo"), 8, 4096)
        if texts:
            counters.append((report.pid, texts))
    dropped += max(0, len(names) - FILES_LIMIT)
    reports = _without_loader_workers(reports, parents)
    kept = sorted(reports, key=_weight)[:LISTED]
    kept.sort(key=lambda report: (_number(report.imported_at), report.pid))
    notes = []
    if dropped:
        notes.append(f"{dropped} records of the hook could not be read and are left out.")
    if len(reports) > LISTED:
        notes.append(f"{len(reports)} Python processes imported torch; {LISTED} of them are shown.")
    return Inside(tuple(kept), pythons_in(folder), tuple(counters), tuple(notes))


def _without_loader_workers(reports: list[InsideReport], parents: Mapping[int, int]) -> list[InsideReport]:
    """Leave out workers that a DataLoader of another process started anew and ended by a signal: they import torch, and only fetch data.

    `parents` has those whose hook would have told of a device that was initialised.
    """
    loading = {report.pid for report in reports if _number(report.loader_workers)}

    def fetches(report: InsideReport) -> bool:
        told = report.whole or report.initialised is True or _number(report.batches)
        return not told and parents.get(report.pid) in loading

    return [report for report in reports if not fetches(report)]


def _weight(report: InsideReport) -> tuple[bool, bool, float]:
    """Order reports: those that used a device first, then those with batches, then the earliest."""
    return (report.initialised is not True, not _number(report.batches), _number(report.imported_at))


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _names(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.name.endswith(".json"))
    except OSError:
        return []


def _read(path: str, limit: int) -> bytes | None:
    """Return the bytes of a plain file that is no link and not larger than a limit."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            data = stream.read(limit + 1)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return data if len(data) <= limit else None


def _values(path: str) -> dict[str, Any] | None:
    data = _read(path, FILE_LIMIT)
    if data is None:
        return None
    try:
        values = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return values if isinstance(values, dict) else None


def _report(values: dict[str, Any], began: float, seconds: float) -> InsideReport | None:
    """Return the facts of one record, None where it is none."""
    pid, version = values.get("pid"), _text(values.get("torch_version"), 100)
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 < pid < 1 << 31 or not version:
        return None
    whole = values.get("whole") is True
    imported = _seconds(values.get("imported_at"))
    initialised = _flag(values.get("initialised"))
    if initialised is False and not whole:
        initialised = NOT_WHOLE
    measured = values.get("measured") is True
    batches = _count(values.get("batches")) if measured else NOT_SAID
    return InsideReport(
        pid=pid,
        python=_text(values.get("python"), 4096),
        torch_version=version,
        torch_xpu=_maybe_text(values.get("torch_xpu")),
        torch_cuda=_maybe_text(values.get("torch_cuda")),
        whole=whole,
        imported_at=_within(imported, began, seconds),
        initialised=initialised,
        available=_flag(values.get("available")),
        devices=tuple(_devices(values.get("devices"))),
        autocast=_flag(values.get("autocast")),
        data_wait_seconds=_seconds(values.get("data_wait_seconds")) if measured else NOT_SAID,
        batches=batches,
        loader_workers=_count(values.get("loader_workers")),
        pin_memory=_flag(values.get("pin_memory")),
        applications=_texts(values.get("applications"), 32, 100),
        rank=_rank(values.get("rank")),
    )


def _within(imported: Maybe[float], began: float, seconds: float) -> Maybe[float]:
    if isinstance(imported, Unknown):
        return imported
    since = imported - began
    return round(since, 3) if -1 <= since <= seconds + 1 else Unknown("its clock is another one")


def _devices(value: object) -> Iterable[DeviceMemory]:
    for row in value[:LISTED] if isinstance(value, list) else ():
        if isinstance(row, dict) and isinstance(row.get("device"), str):
            name = _text(row.get("name"), 200)
            yield DeviceMemory(row["device"][:100], name, _count(row.get("peak_bytes")), _count(row.get("allocations")))


def pythons_in(folder: str) -> dict[int, str]:
    """Return the Pythons that noted themselves, by pid: the path of the interpreter."""
    data = _read(os.path.join(folder, PYTHONS), LIST_LIMIT) or b""
    found = {}
    for line in data.decode("utf-8", "replace").splitlines():
        pid, _, python = line.partition("\t")
        if pid.isascii() and pid.isdigit() and len(pid) < 11:
            found[int(pid)] = python
    return found


def _text(value: object, limit: int) -> str:
    return value[:limit] if isinstance(value, str) else ""


def _texts(value: object, count: int, limit: int) -> tuple[str, ...]:
    rows: Sequence[object] = value[:count] if isinstance(value, list) else ()
    return tuple(row[:limit] for row in rows if isinstance(row, str))


def _maybe_text(value: object) -> Maybe[str]:
    return value[:100] if isinstance(value, str) else NOT_SAID


def _flag(value: object) -> Maybe[bool]:
    return value if isinstance(value, bool) else NOT_SAID


def _count(value: object) -> Maybe[int]:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 62 else NOT_SAID


def _seconds(value: object) -> Maybe[float]:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < LONGEST:
        return NOT_SAID
    return float(value)


def _rank(value: object) -> Maybe[int]:
    text = value if isinstance(value, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 8 else Unknown("its environment names none")
