"""Reads systeminfo, dxdiag, msinfo32 and listings of Win32_VideoController, whatever language Windows speaks.

Labels are translated, so none of them is read. Ids of devices, names of GPUs and of drivers' files, and the form of a version are the same everywhere;
what stands in one block of lines is of one device.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from dataclasses import dataclass

from xpu_doctor.model.facts import Gpu
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided_around
from xpu_doctor.tables.device_names import family_named
from xpu_doctor.tables.devices import GpuKind, families, find_device
from xpu_doctor.text.late_pattern import late_pattern

LONGEST = 400
"""Characters of a line that are looked at."""
HIGHEST = 80
"""Lines of a block that are looked at, to each side of what names a device."""
INTEL, NVIDIA, AMD = "8086", "10DE", "1002"

_ID = late_pattern(r"(?i)\bVEN_(?P<vendor>8086|10DE|1002)&(?:amp;)?DEV_(?P<device>[0-9a-f]{4})\b")
_FILE = late_pattern(
    r"(?i)\b(?:(?P<intel>igd\w{1,12}|igc\d{1,2}\w{0,4})|(?P<nvidia>nvldu\w{1,8}|nvwgf\w{1,8})|(?P<amd>amdxc\w{0,6}|atiumd\w{0,6}))\.dll\b"
)
"""A library of a display driver."""
_MAKER = late_pattern(
    r"(?i)\b(?:(?P<intel>intel)|(?P<nvidia>nvidia|geforce|quadro)|(?P<amd>amd|radeon|advanced micro devices))\b"
)
_NAME = late_pattern(
    r"""
    (?:^|[:\t|]|\s{2})\s{0,20}
    (?P<name>(?:intel\(r\)|intel|nvidia|amd|radeon)\b[^\t\n:|,]{2,60}?
      (?:graphics(?:[ ]\w{3,4})?|radeon[^\t\n:|,]{0,30}|[rg]tx[^\t\n:|,]{0,20}))
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSION = late_pattern(r"(?<![\d.])(?P<version>(?:2[0-9]|3[0-2])\.\d{1,2}\.\d{1,5}\.\d{4,5})(?![\d.])")
_OF_INTEL = late_pattern(r"3[0-2]\.0\.10[01]\.|2[0-9]\.20\.10[01]\.|20\.19\.15\.")
"""How versions of Intel's display drivers begin: those of other makers have the same form and other numbers."""
_BUILD = late_pattern(r"\b10\.0\.(?P<build>\d{5})\b[^\n]{1,40}\b(?P=build)\b|\(10\.0, [^\d\n]{1,16}(?P<dxdiag>\d{5})\)")
_WINDOWS_11 = 22000
"""The first build of Windows 11."""
_WORDS = (
    "ven_8086",
    "ven_10de",
    "ven_1002",
    "igd",
    "nvldu",
    "nvwgf",
    "amdxc",
    "atiumd",
    "card name",
    "graphics",
    "geforce",
    "radeon",
)


@dataclass(frozen=True)
class Adapter:
    """A display adapter of an inventory of Windows."""

    vendor: str
    device: int
    """Its PCI id, 0 where it is not told."""
    name: str
    version: str
    """The version of its driver; empty where it is not told."""
    offset: int

    @property
    def driven_by_intel(self) -> bool:
        """Return whether it is Intel's, and its driver's version one of Intel's."""
        return self.vendor == INTEL and _OF_INTEL.match(self.version) is not None

    @property
    def discrete(self) -> bool:
        """Return whether it is known to be a card."""
        device = find_device(self.device) if self.device else None
        family = device.family if device else families().get(family_named(self.name))
        return family is not None and family.kind is GpuKind.DISCRETE


def parse(text: Text, facts: Collected) -> None:
    """Read the build of Windows and its display adapters; the driver is that of Intel's card where there is one."""
    build = text.first(_BUILD, "10.0.", "(10.0")
    if build:
        number = int(build["build"] or build["dxdiag"])
        place = text.place(build.start())
        facts.put("machine.os", "windows", place)
        facts.put("machine.os_name", f"Windows {11 if number >= _WINDOWS_11 else 10} (build {number})", place)
    found = list(adapters(text))
    if not found:
        return
    told = {adapter.version for adapter in found if not adapter.driven_by_intel}
    if facts.get("pasted.windows_driver") in told:
        facts.values.pop("pasted.windows_driver")
    mine = [adapter for adapter in found if adapter.vendor == INTEL]
    versions = sorted(
        (adapter for adapter in mine if adapter.driven_by_intel), key=lambda adapter: not adapter.discrete
    )
    if versions:
        facts.force("pasted.windows_driver", versions[0].version, text.place(versions[0].offset))
        facts.put("machine.os", "windows", text.place(versions[0].offset))
    facts.gpus[:] = [_with_driver(gpu, mine) for gpu in facts.gpus]
    for index, gpu in enumerate(facts.gpus):
        told_by = next((each for each in mine if each.device == gpu.device_id and each.version), None)
        if told_by is not None and gpu.driver_version == told_by.version:
            line = text.searched.body.find(told_by.version, told_by.offset)
            facts.sources.setdefault(f"gpus[{index}].driver_version", text.place(max(line, told_by.offset)))
    if mine:
        facts.put("pasted.inventory_lists_intel", True, text.place(mine[0].offset))
    elif all(adapter.version for adapter in found) and not _is_excerpt(text, found):
        facts.put("pasted.inventory_lists_intel", False, text.place(found[0].offset))


def adapters(text: Text) -> Iterator[Adapter]:
    """Yield the display adapters of the inventories in a text, in order, each once: those with an id or a driver's file, or with a version beside a name."""
    done = 0
    for number in text.searched.numbers_with_any(_WORDS):
        if number <= done:
            continue
        row = _row(text, number)
        if row:
            yield row
            continue
        first, last = _block(text, number)
        done = last
        lines = [text.searched.line(each)[:LONGEST] for each in range(first, last + 1)]
        adapter = _adapter(lines, text.searched.starts[first - 1])
        if adapter:
            yield adapter


def _row(text: Text, number: int) -> Adapter | None:
    """Return the adapter of a table's row: a name, and a version in the same line."""
    line = text.searched.line(number)[:LONGEST]
    name, version = _NAME.search(line), _VERSION.search(line)
    if name is None or version is None or not re.fullmatch(MARGIN + r"\|?\s{0,20}", line[: name.start("name")]):
        return None
    maker = _MAKER.search(name["name"])
    vendor = _vendor(maker) if maker else ""
    return (
        Adapter(vendor, 0, name["name"].strip(), version["version"], text.searched.starts[number - 1])
        if vendor
        else None
    )


def _block(text: Text, number: int) -> tuple[int, int]:
    """Return the first and the last line of the run of lines, none of them empty, around a line."""
    first = last = number
    while first > max(number - HIGHEST, 1) and text.searched.line(first - 1).strip(" \t\r>"):
        first -= 1
    while last < min(number + HIGHEST, len(text.searched.starts)) and text.searched.line(last + 1).strip(" \t\r>"):
        last += 1
    return first, last


def _adapter(lines: list[str], offset: int) -> Adapter | None:
    """Return the one display adapter that a block of lines describes."""
    ids = {(match["vendor"].upper(), int(match["device"], 16)) for line in lines for match in _ID.finditer(line)}
    files = {_vendor(match) for line in lines for match in _FILE.finditer(line)}
    names = [match["name"].strip() for line in lines if (match := _NAME.search(line))]
    makers = {_vendor(match) for name in names if (match := _MAKER.search(name))}
    shown = [(vendor, device) for vendor, device in ids if vendor != INTEL or find_device(device) is not None]
    vendors = {vendor for vendor, _ in shown} | files | (makers if not shown else set())
    if len(vendors) != 1 or len(shown) > 1 or not (files or makers or any(vendor == INTEL for vendor, _ in shown)):
        return None
    version = next((match["version"] for line in lines if (match := _labelled(line))), "")
    if not version and not files:
        return None
    device = shown[0][1] if shown else 0
    return Adapter(vendors.pop(), device, names[0] if names else "", version, offset)


def _labelled(line: str) -> re.Match[str] | None:
    """Return the version of a line that has a label before it and nothing behind it."""
    found = _VERSION.search(line)
    if (
        found is None
        or line[found.end() :].strip(" \t\r|")
        or not re.search(r"[:\t|]\s{0,60}$|\s{2,60}$", line[: found.start()])
    ):
        return None
    return found


def _vendor(match: re.Match[str]) -> str:
    return {"intel": INTEL, "nvidia": NVIDIA, "amd": AMD}[str(match.lastgroup)]


def _with_driver(gpu: Gpu, mine: list[Adapter]) -> Gpu:
    """Return a GPU with the version of its driver, where an inventory tells it by the same id."""
    same = (each for each in mine if each.device and each.device == gpu.device_id)
    version = next((each.version for each in same if each.driven_by_intel), "")
    return dataclasses.replace(gpu, driver_version=version) if version else gpu


def _is_excerpt(text: Text, found: list[Adapter]) -> bool:
    numbers = [text.searched.number_at(adapter.offset) for adapter in found]
    return is_elided_around(text, min(numbers), max(numbers))
