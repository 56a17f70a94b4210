"""Reads which processor a machine has, the ids that Windows gives its devices, and inventories that list every display device."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Gpu
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided
from xpu_doctor.tables.devices import find_device
from xpu_doctor.tables.gpus import device_of
from xpu_doctor.tables.processors import named_processors, processor_words
from xpu_doctor.text.late_pattern import late_pattern

_PNP = late_pattern(r"(?i)\bVEN_(8086|10DE|1002)&(?:amp;)?DEV_([0-9a-f]{4})\b")
_ROW = late_pattern(
    MARGIN
    + r"""(?ix:
    (?:card\s?name|chip\s?type) \s{0,20} : \s{0,4} (?P<dxdiag>[^\n]{3,80})
    | gpu (?:\s?[#]?\d)? \s{0,20} : \s{1,40} (?P<fetch>[^\n]{3,80})
    | device-\d: \s (?P<inxi>(?:intel|nvidia|amd|advanced)[^\n]{3,120})
    | (?:name|caption|description|adapter\sdescription|videoprocessor) \s{0,40} [:=]? \s{1,60}
      (?P<windows>(?:intel|nvidia|amd|radeon|ati|microsoft)[^\n]{3,80})
    )\s{0,80}$"""
)
_ROW_WORDS = ("card name", "chip type", "gpu", "device-", "caption", "videoprocessor", "adapter description")
_CONTROLLER = ("win32_videocontroller", "videocontroller")
_INTEL = late_pattern(r"(?i)\bintel\b|\barc\b|\biris\b|\buhd\b")
_OTHER = late_pattern(r"(?i)\bnvidia\b|\bgeforce\b|\bamd\b|\bradeon\b|\bquadro\b|advanced micro")
_WORDS_OF_INTEL = late_pattern(
    r"(?i)\bintel(?:\(r\)|®|'s)?(?: \(r\))? (?:(?:discrete|integrated|arc|iris|uhd|hd|data center) ){0,2}(?:gpu|graphics|card|igpu|dgpu)|\barc\b"
)
_NEAR = 24
"""Lines after the name of a Windows class that belong to its listing."""
MAX_IDS = 6
"""Ids of a machine's devices; a text with more is a table of ids."""


def parse(text: Text, facts: Collected) -> None:
    """Read processors, ids of Windows devices and inventories."""
    _processors(text, facts)
    _pnp_ids(text, facts)
    _inventory(text, facts)
    said = text.first(_WORDS_OF_INTEL, "intel", "arc")
    if said:
        facts.put("pasted.names_intel_gpu", True, text.place(said.start()))


def _processors(text: Text, facts: Collected) -> None:
    """Note whether the processors that a text names have graphics of Intel's: one that has any decides."""
    for offset, line in text.lines_with(*sorted(processor_words().present(text.searched))):
        for processor in named_processors(line[:2000]):
            before = facts.get("pasted.cpu_graphics")
            if before is None:
                facts.put("pasted.cpu_graphics", processor.graphics, text.place(offset))
                facts.put("machine.cpu", processor.name, text.place(offset))
            elif before != processor.graphics and "intel" in (before, processor.graphics):
                facts.force("pasted.cpu_graphics", "intel", text.place(offset))


def _pnp_ids(text: Text, facts: Collected) -> None:
    """Read ids such as `PCI\\VEN_8086&DEV_7D55`; a device that has one outranks a name of its kind that a person wrote."""
    found: dict[int, Gpu] = {}
    others = False
    for match in text.matches(_PNP, "ven_8086", "ven_10de", "ven_1002"):
        others = others or match[1] != "8086"
        device = find_device(int(match[2], 16)) if match[1] == "8086" else None
        if device is not None and device.device_id not in found:
            found[device.device_id] = Gpu(vendor_id=0x8086, device_id=device.device_id, name=device.name)
            facts.sources.setdefault("gpus", text.place(match.start()))
    if not found or len(found) > MAX_IDS:
        return
    kinds = {device.family.kind for gpu in found.values() if (device := device_of(gpu))}
    facts.gpus[:] = list(found.values()) + [
        gpu
        for gpu in facts.gpus
        if isinstance(gpu.device_id, int) or (device := device_of(gpu)) is None or device.family.kind not in kinds
    ]
    for kind in sorted(kind.value for kind in kinds):
        if kind not in facts.kinds:
            facts.kinds.append(kind)


def _inventory(text: Text, facts: Collected) -> None:
    """Note whether an inventory of all display devices lists one of Intel's; no answer where Windows' own basic driver stands for one."""
    intel = other = False
    place = ""
    for offset, shown in _listed(text):
        if is_elided(shown) or re.search(r"(?i)microsoft basic|remote|virtual", shown):
            return
        intel = intel or bool(_INTEL.search(shown))
        if _OTHER.search(shown):
            other = True
            place = place or text.place(offset)
    if intel:
        facts.put("pasted.inventory_lists_intel", True, place or text.name)
    elif other:
        facts.put("pasted.inventory_lists_intel", False, place)


def _listed(text: Text) -> list[tuple[int, str]]:
    """Return where an inventory names display devices, and what stands there."""
    rows: list[tuple[int, str]] = []
    for offset, line in text.lines_with(*_ROW_WORDS):
        match = _ROW.match(line[:400])
        if match and (match["dxdiag"] or match["fetch"] or match["inxi"]):
            rows.append((offset, match["dxdiag"] or match["fetch"] or match["inxi"]))
    for number in text.searched.numbers_with_any(_CONTROLLER):
        for following in range(number + 1, min(number + _NEAR, len(text.searched.starts)) + 1):
            line = text.searched.line(following)[:400]
            if is_elided(line) or _OTHER.search(line) or _INTEL.search(line) or "Microsoft" in line:
                rows.append((text.searched.starts[following - 1], line))
    return rows[:64]
