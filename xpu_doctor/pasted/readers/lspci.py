"""Reads lspci: display controllers, their ids, the windows into their memory, and the kernel driver that holds each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import Match

from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided
from xpu_doctor.tables.gpus import device_of
from xpu_doctor.text.late_pattern import late_pattern

_DISPLAY = late_pattern(
    r"(?mi)^(?:[^\n]{0,60}?[:$#] )?" + MARGIN + r"((?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])\s{1,20}"
    r"(VGA compatible controller|Display controller|3D controller)(?: \[([0-9a-f]{4})\])?:\s{0,20}"
    r"(Intel|NVIDIA|Advanced Micro|AMD|ATI|VMware|InnoTek|Oracle|Red Hat|Virtio|"
    r"Microsoft|ASPEED|Matrox|Cirrus|QEMU)([^\n]{0,200})$"
)
_VENDORS = {
    "intel": 0x8086, "nvidia": 0x10DE, "vmware": 0x15AD, "innotek": 0x80EE, "oracle": 0x80EE, "red hat": 0x1AF4, "virtio": 0x1AF4, "microsoft": 0x1414,
    "aspeed": 0x1A03, "matrox": 0x102B, "cirrus": 0x1013, "qemu": 0x1234,
}  # fmt: skip
_ANY_DEVICE = late_pattern(MARGIN + r"(?:[0-9a-fA-F]{4,5}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]\s")
_PROMPT = late_pattern(r"^(?:[^\n]{0,80}[$#] \w|```|~~~|--$)")
_WINDOW = late_pattern(
    r"(?i)(?<!-)\bprefetchable\) \[size=(\d{1,4})([KMGT])\]|Region \d: Memory at .{0,40}(?<!-)\bprefetchable\) \[size=(\d{1,4})([KMGT])\]"
)
_ASKS_DRIVERS = late_pattern(r"lspci\b[^\n|]{0,80} -\w*(?:k|vv?\b|v\w*k)|lspci -\w*(?:k|v)")
_CUT_AFTER = late_pattern(r"lspci\b[^\n]{0,160}\|[^\n]{0,80}grep\b[^\n]{0,80}-\w{0,4}[AC] ?(\d{1,3})")
_FILTERED = late_pattern(r"lspci\b[^\n]{0,160}\|[^\n]{0,80}(?:grep|awk|sed|head|tail|cut|rg)\b")
_KEEPS_DRIVER = late_pattern(r"(?i)lspci\b[^\n]{0,160}\|[^\n]{0,120}\b(?:kernel|driver)")
_FILTERED_BY_VENDOR = late_pattern(
    r"(?i)lspci\b[^\n]{0,160}(?:\|[^\n]{0,120}\b(?:nvidia|amd|ati|radeon|10de|1002)\b| -d \w)"
)
_IN_USE = late_pattern(r"(?i)Kernel driver in use:\s{0,40}(\w[\w-]{0,60})")
_MODULES = late_pattern(r"(?i)Kernel modules:\s{0,40}(\w[\w-]{0,60})")
MAX_RECORD = 60
"""Lines that one device has at most in `lspci -vvv`."""


@dataclass(frozen=True)
class Record:
    """What stands under the heading of one device."""

    lines: tuple[str, ...]
    closed: bool
    """Whether the next device follows directly, so that nothing of this one is missing at its end."""
    elided: bool
    """Whether somebody left lines out."""

    @property
    def body(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


def parse(text: Text, facts: Collected) -> None:
    """Read display controllers, their ids and the kernel driver that holds them."""
    if not text.has("controller"):
        return
    found: list[Gpu] = []
    elided = False
    for match in text.matches(_DISPLAY, "controller"):
        facts.block("lspci")
        record = _record(text, match)
        elided = elided or record.elided
        found.append(_gpu(match, record, _driver(text, record)))
        facts.sources["gpus"] = text.place(match.start())
    if not found:
        return
    found.sort(key=lambda gpu: gpu.vendor != "intel")
    lists_intel = found[0].vendor == "intel"
    if lists_intel or not (elided or text.first(_FILTERED_BY_VENDOR, "lspci")):
        facts.put("pasted.bus_lists_intel", lists_intel, facts.sources["gpus"])
    named = {_architecture(gpu) for gpu in found}
    kinds = {device.family.kind for gpu in found if isinstance(gpu.device_id, int) and (device := device_of(gpu))}
    facts.gpus[:] = found + [
        gpu
        for gpu in facts.gpus
        if gpu.address == ""
        and _architecture(gpu) not in named
        and ((device := device_of(gpu)) is None or device.family.kind not in kinds)
    ]


def _record(text: Text, heading: Match[str]) -> Record:
    """Return the lines of one device: up to the next device, an empty line, a prompt or a fence."""
    number = text.searched.number_at(heading.start())
    lines: list[str] = []
    for following in range(number + 1, min(number + 1 + MAX_RECORD, len(text.searched.starts) + 1)):
        line = text.searched.line(following)[:1000]
        bare = line.strip(" \t>\xa0")
        if _ANY_DEVICE.match(line):
            return Record(tuple(lines), True, any(map(is_elided, lines)))
        if not bare or _PROMPT.match(bare):
            return Record(
                tuple(lines), _device_follows(text, following) if not bare else False, any(map(is_elided, lines))
            )
        lines.append(line)
    return Record(tuple(lines), False, any(map(is_elided, lines)))


def _device_follows(text: Text, number: int) -> bool:
    """Return whether the line after an empty one begins another device, as in `lspci -v`."""
    return number + 1 <= len(text.searched.starts) and bool(_ANY_DEVICE.match(text.searched.line(number + 1)[:200]))


def _driver(text: Text, record: Record) -> Maybe[str]:
    """Return the driver that holds a device, empty where none does; unknown where the text may have been cut before it.

    lspci prints the driver before the modules that could drive the device, and both at the end of what it says of it.
    """
    body = record.body
    driver = _IN_USE.search(body)
    if driver:
        return driver[1]
    if record.elided:
        return NOT_EXAMINED
    filtered = bool(text.first(_FILTERED, "lspci")) and not text.first(_KEEPS_DRIVER, "lspci")
    context = text.first(_CUT_AFTER, "lspci")
    if _MODULES.search(body):
        return NOT_EXAMINED if filtered and context is None else ""
    asked = bool(text.first(_ASKS_DRIVERS, "lspci -") or text.first(_IN_USE, "kernel driver in use"))
    whole = record.closed and (context is None or len(record.lines) < int(context[1]))
    said = asked and whole and not (filtered and context is None) and "Flags:" not in body and "Subsystem:" in body
    return "" if said else NOT_EXAMINED


def _gpu(match: Match[str], record: Record, driver: Maybe[str]) -> Gpu:
    address, _, pci_class, vendor, rest = match.groups()
    ids = re.search(r"\[(?:8086|10de|1002):([0-9a-f]{4})\]|\bDevice ([0-9a-f]{4})\b", rest, re.IGNORECASE)
    return Gpu(
        address=address if address.count(":") == 2 else f"0000:{address}",
        vendor_id=_VENDORS.get(vendor.lower(), 0x1002),
        device_id=int(ids[1] or ids[2], 16) if ids else NOT_EXAMINED,
        name=re.sub(r"\s{0,20}\[[0-9a-f]{4}:[0-9a-f]{4}\].*|\(rev.*|\(prog-if.*", "", vendor + rest).strip(),
        pci_class=int(pci_class, 16) << 8 if pci_class else NOT_EXAMINED,
        bar_bytes=_windows(record.body),
        kernel_driver=driver,
    )


def _architecture(gpu: Gpu) -> str:
    """Return a GPU's architecture by its id or its name, or empty; names do not tell the families of one architecture apart."""
    device = device_of(gpu)
    return device.family.architecture if device else ""


def _windows(below: str) -> Maybe[tuple[int, ...]]:
    """Return the sizes in bytes of the windows into a card's memory that `lspci -v` shows: those that may be read ahead."""
    sizes = list(_WINDOW.finditer(below[:4000]))
    shift = {"K": 10, "M": 20, "G": 30, "T": 40}
    found = tuple(int(match[1] or match[3]) << shift[(match[2] or match[4]).upper()] for match in sizes)
    return found or NOT_EXAMINED
