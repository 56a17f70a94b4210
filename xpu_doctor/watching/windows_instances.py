"""Reads the names of Windows' GPU counters: which process, which adapter, which engine."""

from __future__ import annotations

import re
from typing import NamedTuple

_NAME = re.compile(
    r"pid_(?P<pid>\d{1,10})_luid_0x(?P<high>[0-9a-f]{1,8})_0x(?P<low>[0-9a-f]{1,8})_phys_(?P<part>\d{1,4})"
    r"(?:_eng_(?P<engine>\d{1,4})_engtype_(?P<kind>.*))?",
    re.IGNORECASE | re.ASCII | re.DOTALL,
)


class GpuInstance(NamedTuple):
    """One instance of `GPU Engine` or `GPU Process Memory`."""

    pid: int
    adapter: str
    """LUID as `0x00000000_0x0000d1e2`."""
    part: int
    """Of adapters that are linked to one."""
    engine: int
    """Number of the engine; -1 where the instance is memory."""
    kind: str
    """Type of the engine as the driver calls it, such as `3D` or `Compute 0`; it may be empty."""


def parse_instance(name: str) -> GpuInstance | None:
    """Return what the name of an instance says, or None where it is none of a process."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    engine = match["engine"]
    return GpuInstance(
        pid=int(match["pid"]),
        adapter=luid(int(match["high"], 16) << 32 | int(match["low"], 16)),
        part=int(match["part"]),
        engine=-1 if engine is None else int(engine),
        kind=(match["kind"] or "").strip(),
    )


def luid(number: int) -> str:
    """Return an adapter's LUID as it stands in names of counters, in lower case."""
    return f"0x{number >> 32 & 0xFFFFFFFF:08x}_0x{number & 0xFFFFFFFF:08x}"
