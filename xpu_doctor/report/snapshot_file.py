"""The facts of an examination as a file of their own: no verdict, so that a later xpu-doctor can judge them by its own rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import msgspec

from xpu_doctor.model.codec import encode
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.version import __version__
from xpu_doctor.report.redaction import NOT_REDACTED, index_hosts, redacted_snapshot
from xpu_doctor.text.redact import redactor_here
from xpu_doctor.text.visible import visible_values

FILE_SCHEMA = 1
"""Fields are only added within a number; the snapshot inside has its own."""
KIND = "snapshot"


@dataclass(frozen=True)
class SnapshotFile:
    """What `xpu-doctor snapshot` writes."""

    created: str
    """UTC, ISO 8601."""
    snapshot: dict[str, Any]
    """All facts, with the number of their schema."""
    redacted: dict[str, int] | None
    """How many different values of each kind were hidden; None where nothing was."""
    schema: int = FILE_SCHEMA
    kind: str = KIND
    tool: dict[str, str] = field(default_factory=lambda: {"name": "xpu-doctor", "version": __version__})
    notes: tuple[str, ...] = ()
    node: str | None = None
    """Name of the machine among others, as `--host-name` lets it stand there; None where it is hidden."""


def snapshot_file(
    snapshot: Snapshot,
    created: str,
    *,
    redact: bool = True,
    words: tuple[str, ...] = (),
    users: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
) -> SnapshotFile:
    """Return the facts to save, without names and secrets unless `redact` is false; `users` are further names to hide."""
    facts = encode(snapshot)
    if not redact:
        return SnapshotFile(created, facts, None, notes=(*notes, NOT_REDACTED))
    known = (*users, snapshot.access.user) if isinstance(snapshot.access.user, str) else users
    redactor = redactor_here(users=known, hosts=index_hosts(snapshot), words=words)
    hidden = redacted_snapshot(facts, redactor)
    said = tuple(redactor.text(note) for note in notes)
    return SnapshotFile(created, hidden, dict(redactor.hidden), notes=said)


def render_snapshot(file: SnapshotFile) -> str:
    """Return the file as JSON, with everything that a terminal would obey made visible."""
    values = visible_values(msgspec.to_builtins(file))
    order = ("schema", "kind", "tool", "created", "node", "notes", "redacted", "snapshot")
    return msgspec.json.format(msgspec.json.encode({name: values[name] for name in order}), indent=2).decode() + "\n"
