"""Shorthand of recorded hosts: a few tables become the files, links and answers that a machine would give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PCI = "/sys/bus/pci/devices"
IORESOURCE_MEM = 0x200


def expanded(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Return the recording with its shorthand written out; what it says in full wins."""
    record = dict(recording)
    files: dict[str, str] = {}
    links: dict[str, str] = {}
    for row in record.get("pci", []):
        _pci(row, files, links)
    _system_files(record, files)
    opens: dict[str, str] = {}
    status: dict[str, dict[str, Any]] = {}
    for row in record.get("nodes", []):
        opens[row["path"]] = row.get("error", "")
        status[row["path"]] = {name: row[name] for name in ("mode", "uid", "gid", "acl") if name in row}
    record["files"] = {**files, **record.get("files", {})}
    record["links"] = {**links, **record.get("links", {})}
    record["opens"] = {**opens, **record.get("opens", {})}
    record["status"] = {**status, **record.get("status", {})}
    return record


def _pci(row: Mapping[str, Any], files: dict[str, str], links: dict[str, str]) -> None:
    """Write a device of the PCI bus as sysfs shows it."""
    folder = f"{PCI}/{row['address']}"
    vendor, device = row["id"].split(":")
    files[f"{folder}/vendor"] = f"0x{vendor}\n"
    files[f"{folder}/device"] = f"0x{device}\n"
    files[f"{folder}/class"] = f"0x{int(row['class'], 16):06x}\n"
    files[f"{folder}/revision"] = f"0x{int(row.get('revision', '00'), 16):02x}\n"
    if "bars" in row:
        files[f"{folder}/resource"] = _resource(row["bars"])
    if row.get("driver"):
        links[f"{folder}/driver"] = f"../../../../bus/pci/drivers/{row['driver']}"
    for name in (row.get("card"), row.get("render")):
        if name:
            files[f"{folder}/drm/{name}/dev"] = "226:0\n"


def _resource(bars: list[int]) -> str:
    """Return the text of a sysfs `resource` file for BAR sizes in MiB, at invented addresses."""
    lines = []
    for number, mebibytes in enumerate([*bars, *[0] * (6 - len(bars))]):
        start = (number + 1) << 40
        end = start + (mebibytes << 20) - 1
        lines.append(
            f"0x{start:016x} 0x{end:016x} 0x{IORESOURCE_MEM:016x}"
            if mebibytes
            else " ".join(["0x0000000000000000"] * 3)
        )
    return "\n".join(lines) + "\n"


def _system_files(record: Mapping[str, Any], files: dict[str, str]) -> None:
    if "kernel" in record:
        files["/proc/sys/kernel/osrelease"] = f"{record['kernel']}\n"
    if "command_line" in record:
        files["/proc/cmdline"] = f"{record['command_line']}\n"
    if "os_release" in record:
        files["/etc/os-release"] = "".join(f'{name}="{value}"\n' for name, value in record["os_release"].items())
    for name in record.get("modules", []):
        files[f"/sys/module/{name}/refcnt"] = "1\n"
    for path in record.get("libraries", []):
        files[path] = ""
    if "dpkg" in record:
        stanzas = (
            f"Package: {name}\nStatus: install ok installed\nVersion: {version}\n"
            for name, version in record["dpkg"].items()
        )
        files["/var/lib/dpkg/status"] = "\n".join(stanzas) + "\n"
    if record.get("platform", "linux") == "linux":
        files.setdefault("/proc/1/cgroup", "0::/init.scope\n")
        files.setdefault("/proc/self/uid_map", "         0          0 4294967295\n")
        files.setdefault(
            "/proc/cpuinfo",
            f"model name\t: {record.get('cpu', 'a processor')}\nflags\t\t: fpu {record.get('cpu_flags', '')}\n",
        )
        files.setdefault("/dev/null", "")
        files.setdefault("/sys/module/kernel/refcnt", "1\n")
