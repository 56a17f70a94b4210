"""An Arc B580 as the files of the PCI bus show it: without a GPU the report advises against downloads of gigabytes."""

from __future__ import annotations

from pathlib import Path

SLOT = "0000:03:00.0"
ARC_B580 = {
    "vendor": "0x8086",
    "device": "0xe20b",
    "class": "0x030000",
    "revision": "0x00",
    "subsystem_vendor": "0x8086",
    "subsystem_device": "0x1100",
}


def write_gpu(bus: Path) -> None:
    """Put the GPU into a folder that is shown in place of /sys/bus/pci/devices."""
    slot = bus / SLOT
    slot.mkdir(parents=True, exist_ok=True)
    for name, text in ARC_B580.items():
        (slot / name).write_text(f"{text}\n")
