"""Snapshots to and from plain JSON values; a newer schema number is refused with a clear error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from xpu_doctor.model.snapshot import SNAPSHOT_SCHEMA, Snapshot


class SnapshotError(Exception):
    """A saved snapshot that cannot be read; the message is one line with the way out."""


class SnapshotTooNew(SnapshotError):
    """A snapshot that a newer xpu-doctor wrote."""


def encode(snapshot: Snapshot) -> dict[str, Any]:
    """Return a snapshot as plain JSON values, its number always among them."""
    plain: dict[str, Any] = msgspec.to_builtins(snapshot)  # of a decoded snapshot it leaves out what nobody wrote there
    return {"schema": snapshot.schema, **plain}


def decode(values: Mapping[str, Any]) -> Snapshot:
    """Return a snapshot from plain JSON values.

    Raises:
        SnapshotTooNew: its schema number is higher than this version knows.
        SnapshotError: it is damaged; the message names the place.
    """
    number = values.get("schema")
    if isinstance(number, int) and number > SNAPSHOT_SCHEMA:
        raise SnapshotTooNew(
            f"this snapshot has schema {number}, and this xpu-doctor reads up to {SNAPSHOT_SCHEMA}: upgrade xpu-doctor"
        )
    try:
        return msgspec.convert(values, Snapshot)
    except (msgspec.ValidationError, UnicodeError) as error:  # a lone surrogate where no text belongs
        raise SnapshotError(f"the snapshot is damaged: {error}") from error
