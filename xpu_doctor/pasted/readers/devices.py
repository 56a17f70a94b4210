"""Reads the GPUs that a text shows: names in prose, sycl-ls, clinfo, lspci, xpu-smi and torch's device properties."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Gpu, XpuDevice
from xpu_doctor.model.unknown import NOT_EXAMINED
from xpu_doctor.pasted.readers import lspci
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.pasted.readers.excerpts import is_elided_around
from xpu_doctor.tables.device_names import family_named, name_words, named_gpus
from xpu_doctor.tables.devices import find_device
from xpu_doctor.text.late_pattern import late_pattern

_SYCL_LS = late_pattern(
    r"(?m)^"
    + MARGIN
    + r"\[(?:ext_oneapi_)?(level_zero|opencl):(gpu|cpu|acc|fpga|npu)(?::(\d{1,4}))?\](?:\[\w{1,40}:\d{1,4}\])?\s{0,40}([^\n]{0,300})$"
)
_SYCL_LS_2021 = late_pattern(
    r"(?m)^"
    + MARGIN
    + r"\[(level_zero|opencl|host|cuda|ext_intel\w{0,40}):\d{1,4}\]\s{1,40}(GPU|CPU|ACC|HOST)\s{0,40}:\s{0,40}([^\n]{0,300})$"
)
_BACKENDS = ("[level_zero:", "[opencl:", "[host:", "[cuda:", "[ext_intel", "[ext_oneapi_")
_IN_BRACKETS = late_pattern(r"\[0x([0-9a-f]{4})\]")
_FILTERED = late_pattern(r"sycl-ls\b[^\n|]{0,80}\|[^\n]{0,80}\b(?:grep|head|tail|awk|sed|rg|findstr|Select-String)\b")
_LISTED_DEVICE = late_pattern(MARGIN + r"\[\w{1,60}:")
_EXPECTED = late_pattern(r"(?i)\b(?:expect(?:ed|ation)?|should (?:be|look|show|print|list))\b")
_CLINFO_DEVICE = late_pattern(r"(?mi)^" + MARGIN + r"Device Name\s{1,60}(\S[^\n]{2,120})$")
_XPU_SMI = late_pattern(r"(?i)\|\s*Device Name:\s{0,80}([^|\n]{2,120})")
_XPU_SMI_NONE = late_pattern(r"(?i)\bno devices? (?:is |was |are )?discovered\b")
_PCI_ID = late_pattern(r"(?i)\b(?:8086:|device[ _-]?id\W{1,4}0x|PCI (?:device|id)\W{1,4}(?:0x)?)([0-9a-f]{4})\b")
_PROPERTIES = late_pattern(
    r"(?:\[(\d{1,4})\]\s{0,20})?_(?:Xpu)?DeviceProperties\(([^\n]{0,900}?)\)\s{0,200}$", re.MULTILINE
)
_FIELD = late_pattern(r"\b(\w{1,60})=(?:'([^']{0,300})'|([^,\s\[]{1,300}|\[[^\]]{0,300}\]))")
_PLATFORMS = late_pattern(r"(?mi)^" + MARGIN + r"Number of platforms(?:\s{0,80}:)?\s{1,80}(\d{1,3})\s{0,200}$")
_CLINFO_TREE = late_pattern(
    r"(?m)^" + MARGIN + r"(?:(Platform) #\d{1,4}:|[|`+\\ ]{1,6}-- (Device) #\d{1,4}:)[ \t]*([^\n]{1,200})$"
)
_GRAPHICS = late_pattern(r"(?i)graphics|\barc\b|\bgpu\b|\biris\b")
_ONBOARD = late_pattern(r"(?m)^Intel GPU models (onboard|detected):[ \t]*\n((?:[ \t]*\*[^\n]*\n?){1,32})")
_COUNT = late_pattern(
    r"""
    \b(?P<digits>\d{1,2})[ ]?x[ ](?:Intel[ ])?
    (?:Arc|Data[ ]Center)
    | (?i:\b(?P<words>two|three|four|2|3|4|8|dual|multiple|both)[ ](?:intel[ ])?(?:arc
        | xpus?|gpus|cards))
    """,
    re.VERBOSE,
)
_ADVISED_BEFORE = late_pattern(
    r"(?i)(?<!\bi )(?<!\bwe )\b(?:use|get|buy|try|consider|needs?|requires?|recommends?|recommended|supports?|supported)"
    r"(?: (?:an?|the|any|only|one of(?: the)?))?(?: (?:newer|intel|discrete|supported))?"
    r" (?:gpus?|cards?|devices?|hardware|graphics)(?: that (?:is|are))? (?:based on|of|from|like|such as)"
    r"(?: (?:the|an?))?(?: intel(?:\(r\)|®)?)?[ ]{0,2}$"
)
"""What stands before a GPU that a text advises or requires: "use GPUs based on ...". "I use a card from ..." is no advice."""
_ADVISED_AFTER = late_pattern(
    r"(?i)[)]?(?:[ ]{0,2}[(]?\b(?:graphics|gpus?|cards?|series|famil(?:y|ies)|generations?|alchemist|battlemage)\b[)]?){0,4}"
    r"[ ]{1,2}(?:or|and) (?:newer|later|above|higher|up)\b(?! (?:drivers?|kernels?|versions?|releases?|torch))"
)
"""What follows the oldest GPU of those that will do: "... series or newer"."""
_XPU_JSON = late_pattern(r'"type":\s{0,40}"xpu"')
_COMFY = late_pattern(r"(?m)^[^\n]{0,60}\bDevice: xpu:(\d{1,4}) ([^\n]{1,80})$")


def parse(text: Text, facts: Collected) -> None:
    """Read GPUs from a text."""
    _names(text, facts)
    if text.has("[level_zero:", "[opencl:", "[ext_oneapi_"):
        _sycl_ls(text, facts)
    lspci.parse(text, facts)
    if text.has("deviceproperties"):
        _properties(text, facts)
    counts = list(text.matches(_PLATFORMS, "number of platforms"))
    if counts:
        facts.block("clinfo")
        facts.put("pasted.opencl_platforms", int(counts[-1][1]), text.place(counts[-1].start()))
    if text.has("platform #"):
        _clinfo_tree(text, facts)
    devices = [
        match
        for match in text.matches(_CLINFO_DEVICE, "device name")
        if _GRAPHICS.search(match[1]) and "nvidia" not in match[1].lower()
    ]
    if devices:
        facts.block("clinfo")
        facts.put("pasted.opencl_gpus", len(devices), text.place(devices[0].start()))
    _xpu_smi(text, facts)
    found = text.first(_XPU_JSON, '"xpu"') or text.first(_COMFY, "device: xpu:")
    if found:
        facts.put("xpu.available", True, text.place(found.start()))
    if not facts.gpus:
        _ids(text, facts)


def _names(text: Text, facts: Collected) -> None:
    """Note families, kinds and how many GPUs are named."""
    most = 0
    for offset, line in text.lines_with(*name_words().present(text.searched)):
        if len(line) <= 2000:
            for gpu in named_gpus(line):
                if _is_advised(line, gpu.start, gpu.start + len(gpu.name)):
                    continue
                _note(facts, gpu.group, gpu.kind.value, text.place(offset))
                if gpu.family and not any(family_named(known.name) == gpu.family for known in facts.gpus):
                    facts.gpus.append(Gpu(name=gpu.name, vendor_id=0x8086))
                    facts.sources.setdefault("gpus", text.place(offset))
    counted = (
        match
        for _, line in text.lines_with("arc", "data center", "xpu", "gpus", "cards")
        for match in _COUNT.finditer(line[:2000])
    )
    for match in counted:
        word = (match[1] or match[2]).lower()
        most = max(
            most,
            int(word)
            if word.isdigit()
            else {"two": 2, "dual": 2, "both": 2, "multiple": 2, "three": 3, "four": 4}[word],
        )
    if most:
        facts.put("pasted.gpu_count", most, text.name)


def _is_advised(line: str, start: int, end: int) -> bool:
    """Return whether a line names a GPU as one that somebody should have, and not as one that is there."""
    before = line[max(0, start - 100) : start]
    return bool(_ADVISED_BEFORE.search(before) or _ADVISED_AFTER.match(line[end : end + 100]))


def _note(facts: Collected, group: str, kind: str, place: str) -> None:
    if group not in facts.families:
        facts.families.append(group)
        facts.sources.setdefault("pasted.gpu_families", place)
    if kind not in facts.kinds:
        facts.kinds.append(kind)


def _sycl_ls(text: Text, facts: Collected) -> None:
    """Read the devices of sycl-ls in its old and new forms, with the driver versions at the ends of the lines."""
    counts = {"level_zero": 0, "opencl": 0}
    rows = [(match.start(), match[1], match[2], match[4]) for match in text.matches(_SYCL_LS, *_BACKENDS)]
    rows += [(match.start(), match[1], match[2].lower(), match[3]) for match in text.matches(_SYCL_LS_2021, *_BACKENDS)]
    for start, backend, kind, rest in rows:
        facts.block("sycl-ls")
        if _is_wished(text, start):
            continue
        device = _IN_BRACKETS.search(rest) if kind == "gpu" else None
        known = find_device(int(device[1], 16)) if device else None
        if known is not None and known.family.kind.value not in facts.kinds:
            facts.kinds.append(known.family.kind.value)
        place = text.place(start)
        if kind == "npu" and backend == "level_zero":
            facts.put("pasted.npu_listed", True, place)
        if kind != "gpu" or backend not in counts:
            continue
        counts[backend] += 1
        version = re.search(r"\[([^\[\]]{1,40})\]\s{0,200}$", rest)
        if version and backend == "level_zero":
            facts.put("pasted.driver_version", version[1].strip(), place)
        elif version:
            facts.put("pasted.opencl_version", version[1].strip(), place)
    if "sycl-ls" in facts.blocks:
        first = text.place(min(start for start, *_ in rows)) if rows else text.name
        excerpt = bool(rows) and _is_excerpt(text, [start for start, *_ in rows])
        for backend, path in (("level_zero", "pasted.level_zero_gpus"), ("opencl", "pasted.opencl_gpus")):
            if counts[backend] or not excerpt:
                facts.put(path, counts[backend], first)
        if counts["opencl"] and facts.get("pasted.opencl_version"):
            facts.put(
                "pasted.driver_version", facts.get("pasted.opencl_version"), facts.sources["pasted.opencl_version"]
            )
    facts.values.pop("pasted.opencl_version", None)


def _is_excerpt(text: Text, starts: list[int]) -> bool:
    """Return whether somebody shows only a part of what sycl-ls lists: lines were left out, or a filter chose some."""
    numbers = [text.searched.number_at(start) for start in starts]
    return bool(text.first(_FILTERED, "sycl-ls")) or is_elided_around(text, min(numbers), max(numbers))


def _is_wished(text: Text, start: int) -> bool:
    """Return whether a listing stands under a heading that says it is what somebody expects, not what was seen."""
    above = text.body[max(0, start - 4096) : start].rstrip("\n").split("\n")
    heading = next((line for line in reversed(above) if line.strip(" `>\t") and not _LISTED_DEVICE.match(line)), "")
    return bool(_EXPECTED.search(heading[:400]))


def _xpu_smi(text: Text, facts: Collected) -> None:
    """Read what `xpu-smi discovery` lists: GPUs that answer through Level Zero's Sysman."""
    listed = [match for match in text.matches(_XPU_SMI, "device name:") if "intel" in match[1].lower()]
    none = text.first(_XPU_SMI_NONE, "discovered")
    if listed or none:
        facts.block("xpu-smi")
        place = text.place((listed[0] if listed else none).start())  # type: ignore[union-attr]
        facts.put("pasted.sysman_gpus", len(listed), place)


def _clinfo_tree(text: Text, facts: Collected) -> None:
    """Count platforms and GPUs in what `clinfo -l` prints."""
    rows = [(match.start(), bool(match[1]), match[3]) for match in text.matches(_CLINFO_TREE, "platform #", "device #")]
    platforms = sum(is_platform for _, is_platform, _ in rows)
    if platforms:
        facts.block("clinfo")
        place = text.place(rows[0][0])
        facts.put("pasted.opencl_platforms", platforms, place)
        facts.put(
            "pasted.opencl_gpus",
            sum(not is_platform and bool(_GRAPHICS.search(name)) for _, is_platform, name in rows),
            place,
        )


def _properties(text: Text, facts: Collected) -> None:
    """Read what torch prints of its devices."""
    for match in text.matches(_PROPERTIES, "deviceproperties"):
        fields = {name: quoted or plain for name, quoted, plain in _FIELD.findall(match[2])}
        index = int(match[1]) if match[1] else len(facts.devices)
        place = text.place(match.start())
        device_id = fields.get("device_id", "")
        memory = re.match(r"(\d{1,9})MB", fields.get("total_memory", ""))
        facts.devices.setdefault(
            index,
            XpuDevice(
                index=index,
                name=fields.get("name", ""),
                device_id=int(device_id, 16) if re.fullmatch(r"0x[0-9A-Fa-f]{1,8}", device_id) else NOT_EXAMINED,
                driver_version=fields.get("driver_version", NOT_EXAMINED) or NOT_EXAMINED,
                total_memory=int(memory[1]) << 20 if memory else NOT_EXAMINED,
                has_fp64={"0": False, "1": True}.get(fields.get("has_fp64", ""), NOT_EXAMINED),
            ),
        )
        facts.block("device-properties")
        if fields.get("driver_version"):
            facts.put("pasted.driver_version", fields["driver_version"], place)
        facts.put("xpu.available", True, place)
        facts.sources.setdefault("xpu.devices", place)


def _ids(text: Text, facts: Collected) -> None:
    """Read PCI ids of Intel GPUs that stand alone."""
    for match in text.matches(_PCI_ID, "8086:", "device", "pci"):
        device = find_device(int(match[1], 16))
        if device is not None and device.family.key != "old" and len(facts.gpus) < 8:
            facts.gpus.append(Gpu(vendor_id=0x8086, device_id=device.device_id, name=device.name))
            facts.sources.setdefault("gpus", text.place(match.start()))
