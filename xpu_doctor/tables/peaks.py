"""The sourced peak speeds of devices, for matrix products."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

import msgspec

from xpu_doctor.tables.rows import Name, Row, rows


class Peak(Row, frozen=True, kw_only=True):
    """The peak speeds of a device."""

    table: ClassVar[str] = "peaks.device"
    name: Name
    ids: tuple[int, ...]
    """PCI ids."""
    tflops: dict[Literal["float32", "bfloat16", "float16"], float]
    derived: dict[Literal["float32", "bfloat16", "float16"], str] = msgspec.field(default_factory=dict)
    """How a figure was computed that no page states; such a figure is never called published, nor a share taken of it."""
    note: str = ""
    via: str = ""
    """Where the figures were read, if not at the source itself."""


def peak_tflops(device_id: int, dtype: str) -> float | None:
    """Return the published peak of a PCI device id in TFLOP/s for a data type, None where no source gives one."""
    return _peaks().get((device_id, dtype))


@cache
def _peaks() -> dict[tuple[int, str], float]:
    return {
        (device_id, dtype): peak
        for row in rows(Peak)
        for device_id in row.ids
        for dtype, peak in row.tflops.items()
        if dtype not in row.derived
    }
