"""What `fix` says as JSON: what it adds to the report, and what became of a download, an undo and the ways back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from xpu_doctor.report.document import Document, ProjectChangesDocument, ReadinessDocument
from xpu_doctor.report.plan_text import state_of
from xpu_doctor.treatment.course import Undone
from xpu_doctor.treatment.freeze import Frozen
from xpu_doctor.treatment.history import Treatment
from xpu_doctor.treatment.obstacle import Readiness
from xpu_doctor.treatment.rehearsal import Rehearsal


def foreseen(
    report: Document, readiness: Mapping[int, Readiness], changes: Rehearsal | None, hide: Callable[[str], str]
) -> Document:
    """Return a report whose plan says of each step what was found before it, and what would be written into the files of a project."""
    steps = [
        replace(step, readiness=_readiness(readiness[number], hide)) if number in readiness else step
        for number, step in enumerate(report.plan)
    ]
    return with_changes(replace(report, plan=steps), changes, hide)


def with_changes(report: Document, changes: Rehearsal | None, hide: Callable[[str], str]) -> Document:
    """Return a report that holds the changes of a project's files, where there is a project."""
    if changes is None:
        return report
    return replace(report, project_changes=ProjectChangesDocument(hide(changes.difference), hide(changes.reason)))


def _readiness(found: Readiness, hide: Callable[[str], str]) -> ReadinessDocument:
    return ReadinessDocument(
        [hide(f"{item.what}: {item.why}. {item.way_out}") for item in found.obstacles],
        [hide(item.reason) for item in found.unknown],
        found.download.known,
        found.download.whole,
    )


def undone_json(result: Undone) -> str:
    """Return what an undo came to: every file and package that is not as it was."""
    return _text(
        {
            "undone": result.whole,
            "treatment": result.treatment.id,
            "differences": [
                {"path": item.path, "change": item.change.value, "reason": item.reason} for item in result.differences
            ],
            "packages": [_package(before, now) for before, now in result.packages],
        }
    )


def not_undone_json() -> str:
    """Return that an undo was declined."""
    return _text({"undone": False, "differences": [], "packages": []})


def forgotten_json(treatments: Iterable[Treatment]) -> str:
    """Return whose ways back were deleted."""
    return _text({"forgotten": [item.id for item in treatments]})


def fetched_json(count: int, folder: Path, reason: str) -> str:
    """Return how many wheels were fetched into a folder, and why that failed, if so."""
    return _text({"downloaded": count, "folder": str(folder), "reason": reason})


def history_json(found: Iterable[Treatment]) -> str:
    """Return what was done as JSON."""
    rows = [
        {
            "id": item.id,
            "created": item.created,
            "python": item.python,
            "prefix": item.prefix,
            "state": state_of(item),
            "way_back": bool(item.backup),
            "steps": [{"title": step.title, "commands": [list(argv) for argv in step.commands]} for step in item.steps],
            "verdict_before": item.verdict_before,
            "verdict_after": item.verdict_after,
        }
        for item in found
    ]
    return _text(rows)


def _package(before: Frozen | None, now: Frozen | None) -> dict[str, str | None]:
    named = before or now
    return {
        "name": named.name if named else "",
        "before": before.version if before else None,
        "now": now.version if now else None,
    }


def _text(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
