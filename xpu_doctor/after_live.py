"""Facts that need to know how far torch got: Level Zero's own view, second enumerations, the timed matmul, known messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpu_doctor.snapshot import Snapshot

if TYPE_CHECKING:
    from xpu_doctor.gather import Checkup
    from xpu_doctor.host import Host


def deeper_facts(snapshot: Snapshot, checkup: Checkup, host: Host) -> Snapshot:
    """Return the snapshot with what only a look after the import can tell."""
    return snapshot
