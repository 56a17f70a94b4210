"""Intel GPUs by PCI id: family, name, what PyTorch's XPU builds make of them, and what they need."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, ClassVar

from xpu_doctor.tables import text
from xpu_doctor.tables.rows import Name, Place, Row, VersionText, rows

DISPLAY_CLASS = 0x03
"""Base class of display controllers; Intel's accelerators of class 0x12 are NPUs, which torch.xpu does not use."""


class GpuKind(Enum):
    """How a GPU is built in."""

    INTEGRATED = "integrated"
    DISCRETE = "discrete"


class Support(Enum):
    """What PyTorch's XPU builds make of a family."""

    SUPPORTED = "supported"
    """Validated, or compiled for ahead of time."""
    WORKS = "works"
    """The driver and the just-in-time compiler know it; nobody validated it."""
    UNSUPPORTED = "unsupported"
    """In no list of PyTorch and below what its kernels need."""
    UNLISTED = "unlisted"
    """Too new for every list that was read."""


class Family(Row, frozen=True, kw_only=True):
    """A family of Intel GPUs."""

    table: ClassVar[str] = "devices.family"
    key: Name
    codename: str
    architecture: str
    kind: GpuKind
    torch: Support
    macros: tuple[str, ...]
    """The kernel's names of its lists of ids."""
    fp64: bool
    xmx: bool
    kernel_driver: tuple[str, ...]
    """Kernel drivers that serve it for compute, the usual one first."""
    min_torch: VersionText = ""
    """First torch release whose XPU build knows it; empty where that is not known."""
    min_kernel: VersionText = ""
    """First mainline kernel that drives it without force_probe; empty where that is not known."""
    kernel_sure: bool = False
    kernel_source: Place = ""
    kernel_package: str = ""
    """Intel's package of the kernel driver that alone drives it, empty where the kernel's own does."""
    rebar: bool = False
    """Whether the driver refuses it without Resizable BAR."""
    xe_force_probe: bool = False
    """Whether the xe driver takes it only by force_probe."""
    level_zero: bool = True
    """Whether any Level Zero driver serves it."""
    note: str = ""
    linux_note: str = ""
    """What is to be said besides on Linux, and nowhere else."""

    @property
    def discrete(self) -> bool:
        """Return whether it is a card of its own."""
        return self.kind is GpuKind.DISCRETE


@dataclass(frozen=True)
class Device:
    """What the tables know of one PCI id."""

    device_id: int
    name: str
    family: Family
    first_build: int = 0
    """Build number of the first compute-runtime release that knows the id; 0 where every release of the last years does."""


@cache
def families() -> dict[str, Family]:
    """Return all families by key."""
    return {row.key: row for row in rows(Family)}


@cache
def _ids() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text("devices.json"))["devices"]
    return found


def find_device(device_id: int) -> Device | None:
    """Return what the tables know of an Intel device id; None means "not in this table", never "unsupported"."""
    row = _ids().get(f"{device_id:04x}")
    if row is None:
        return None
    family, name, build = row
    return Device(device_id, name or f"Intel(R) Graphics [0x{device_id:04x}]", families()[family], int(build or 0))


def known_ids() -> tuple[int, ...]:
    """Return every id of the table."""
    return tuple(int(number, 16) for number in _ids())
