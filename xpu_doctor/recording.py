"""Shorthand of recorded hosts: `[[pci]]` rows become the sysfs files that the kernel would show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PCI = "/sys/bus/pci/devices"
IORESOURCE_MEM = 0x200


def expanded(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recording with each `[[pci]]` row written out as files and links of sysfs."""
    record = dict(recording)
    files = dict(record.get("files", {}))
    links = dict(record.get("links", {}))
    for row in record.get("pci", []):
        folder = f"{PCI}/{row['address']}"
        vendor, device = row["id"].split(":")
        files.setdefault(f"{folder}/vendor", f"0x{vendor}\n")
        files.setdefault(f"{folder}/device", f"0x{device}\n")
        files.setdefault(f"{folder}/class", f"0x{int(row['class'], 16):06x}\n")
        files.setdefault(f"{folder}/revision", f"0x{int(row.get('revision', '00'), 16):02x}\n")
        if "bars" in row:
            files.setdefault(f"{folder}/resource", _resource(row["bars"]))
        if row.get("driver"):
            links.setdefault(f"{folder}/driver", f"../../../../bus/pci/drivers/{row['driver']}")
        for name in (row.get("card"), row.get("render")):
            if name:
                files.setdefault(f"{folder}/drm/{name}/dev", "226:0\n")
    record["files"], record["links"] = files, links
    return record


def _resource(bars: list[int]) -> str:
    """Return the text of a sysfs `resource` file for BAR sizes in MiB, at invented addresses."""
    lines = []
    for number, mebibytes in enumerate([*bars, *[0] * (6 - len(bars))]):
        start = (number + 1) << 40
        end = start + (mebibytes << 20) - 1
        lines.append(f"0x{start:016x} 0x{end:016x} 0x{IORESOURCE_MEM:016x}" if mebibytes else " ".join(["0x0000000000000000"] * 3))
    return "\n".join(lines) + "\n"
