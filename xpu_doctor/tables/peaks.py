"""The sourced peak speeds of devices, for matrix products."""

from __future__ import annotations

from functools import cache

from xpu_doctor.tables import toml


def peak_tflops(device_id: int, dtype: str) -> float | None:
    """Return the published peak of a PCI device id in TFLOP/s for a data type, None where no source gives one."""
    return _peaks().get((device_id, dtype))


@cache
def _peaks() -> dict[tuple[int, str], float]:
    rows = toml("peaks")["device"]
    return {(device_id, dtype): float(peak) for row in rows for device_id in row["ids"] for dtype, peak in row["tflops"].items()}
