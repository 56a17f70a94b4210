"""Reads the GPUs that a text shows: names in prose, sycl-ls, clinfo, lspci, xpu-smi and torch's device properties."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Gpu, XpuDevice
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.tables.device_names import family_named, name_words, named_gpus
from xpu_doctor.tables.devices import find_device
from xpu_doctor.tables.gpus import device_of

_SYCL_LS = re.compile(
    r"(?m)^"
    + MARGIN
    + r"\[(?:ext_oneapi_)?(level_zero|opencl):(gpu|cpu|acc|fpga|npu)(?::(\d{1,4}))?\](?:\[\w{1,40}:\d{1,4}\])?\s{0,40}([^\n]{0,300})$"
)
_SYCL_LS_2021 = re.compile(
    r"(?m)^"
    + MARGIN
    + r"\[(level_zero|opencl|host|cuda|ext_intel\w{0,40}):\d{1,4}\]\s{1,40}(GPU|CPU|ACC|HOST)\s{0,40}:\s{0,40}([^\n]{0,300})$"
)
_BACKENDS = ("[level_zero:", "[opencl:", "[host:", "[cuda:", "[ext_intel", "[ext_oneapi_")
_IN_BRACKETS = re.compile(r"\[0x([0-9a-f]{4})\]")
_LISTED_DEVICE = re.compile(MARGIN + r"\[\w{1,60}:")
_EXPECTED = re.compile(r"(?i)\b(?:expect(?:ed|ation)?|should (?:be|look|show|print|list))\b")
_CLINFO_DEVICE = re.compile(r"(?mi)^" + MARGIN + r"Device Name\s{1,60}(\S[^\n]{2,120})$")
_XPU_SMI = re.compile(r"(?i)\|\s*Device Name:\s{0,80}([^|\n]{2,120})")
_XPU_SMI_NONE = re.compile(r"(?i)\bno devices? (?:is |was |are )?discovered\b")
_WINDOW = re.compile(
    r"(?i)\bprefetchable\) \[size=(\d{1,4})([KMGT])\]|Region \d: Memory at .{0,40}\bprefetchable\) \[size=(\d{1,4})([KMGT])\]"
)
_LSPCI = re.compile(
    r"(?mi)^(?:[^\n]{0,60}?[:$#] )?" + MARGIN + r"((?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-9a-f])\s{1,20}"
    r"(VGA compatible controller|Display controller|3D controller)(?: \[([0-9a-f]{4})\])?:\s{0,20}"
    r"(Intel|NVIDIA|Advanced Micro|AMD|ATI|VMware|InnoTek|Oracle|Red Hat|Virtio|"
    r"Microsoft|ASPEED|Matrox|Cirrus|QEMU)([^\n]{0,200})$"
)
_VENDORS = {
    "intel": 0x8086, "nvidia": 0x10DE, "vmware": 0x15AD, "innotek": 0x80EE, "oracle": 0x80EE, "red hat": 0x1AF4, "virtio": 0x1AF4, "microsoft": 0x1414,
    "aspeed": 0x1A03, "matrox": 0x102B, "cirrus": 0x1013, "qemu": 0x1234,
}  # fmt: skip
_PCI_ID = re.compile(r"(?i)\b(?:8086:|device[ _-]?id\W{1,4}0x|PCI (?:device|id)\W{1,4}(?:0x)?)([0-9a-f]{4})\b")
_PROPERTIES = re.compile(
    r"(?:\[(\d{1,4})\]\s{0,20})?_(?:Xpu)?DeviceProperties\(([^\n]{0,900}?)\)\s{0,200}$", re.MULTILINE
)
_FIELD = re.compile(r"\b(\w{1,60})=(?:'([^']{0,300})'|([^,\s\[]{1,300}|\[[^\]]{0,300}\]))")
_PLATFORMS = re.compile(r"(?mi)^" + MARGIN + r"Number of platforms(?:\s{0,80}:)?\s{1,80}(\d{1,3})\s{0,200}$")
_CLINFO_TREE = re.compile(
    r"(?m)^" + MARGIN + r"(?:(Platform) #\d{1,4}:|[|`+\\ ]{1,6}-- (Device) #\d{1,4}:)[ \t]*([^\n]{1,200})$"
)
_GRAPHICS = re.compile(r"(?i)graphics|\barc\b|\bgpu\b|\biris\b")
_ASKS_DRIVERS = re.compile(r"lspci -\w*(?:k\w*|v{1,3}\b)(?![^\n]*(?:-A ?[01]\b|\| *grep (?!.*-\w*A)))")
_IN_USE = re.compile(r"(?i)Kernel driver in use:\s{0,40}(\w[\w-]{0,60})")
_MODULES = re.compile(r"(?i)Kernel modules:\s{0,40}(\w[\w-]{0,60})")
_ONBOARD = re.compile(r"(?m)^Intel GPU models (onboard|detected):[ \t]*\n((?:[ \t]*\*[^\n]*\n?){1,32})")
_COUNT = re.compile(
    r"""
    \b(?P<digits>\d{1,2})[ ]?x[ ](?:Intel[ ])?
    (?:Arc|Data[ ]Center)
    | (?i:\b(?P<words>two|three|four|2|3|4|8|dual|multiple|both)[ ](?:intel[ ])?(?:arc
        | xpus?|gpus|cards))
    """,
    re.VERBOSE,
)
_XPU_JSON = re.compile(r'"type":\s{0,40}"xpu"')
_COMFY = re.compile(r"(?m)^[^\n]{0,60}\bDevice: xpu:(\d{1,4}) ([^\n]{1,80})$")


def parse(text: Text, facts: Collected) -> None:
    """Read GPUs from a text."""
    _names(text, facts)
    if text.has("[level_zero:", "[opencl:", "[ext_oneapi_"):
        _sycl_ls(text, facts)
    if text.has("controller"):
        _lspci(text, facts)
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
        facts.put("pasted.level_zero_gpus", counts["level_zero"], first)
        facts.put("pasted.opencl_gpus", counts["opencl"], first)
        if counts["opencl"] and facts.get("pasted.opencl_version"):
            facts.put(
                "pasted.driver_version", facts.get("pasted.opencl_version"), facts.sources["pasted.opencl_version"]
            )
    facts.values.pop("pasted.opencl_version", None)


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


def _lspci(text: Text, facts: Collected) -> None:
    """Read display controllers, their ids and the kernel driver that holds them."""
    rows = list(text.matches(_LSPCI, "controller"))
    asked = bool(text.first(_ASKS_DRIVERS, "lspci -") or text.first(_IN_USE, "kernel driver in use"))
    found: list[Gpu] = []
    for number, match in enumerate(rows):
        address, _, pci_class, vendor, rest = match.groups()
        facts.block("lspci")
        end = rows[number + 1].start() if number + 1 < len(rows) else min(len(text.body), match.end() + 4000)
        below = text.body[match.end() : end]
        ids = re.search(r"\[(?:8086|10de|1002):([0-9a-f]{4})\]|\bDevice ([0-9a-f]{4})\b", rest, re.IGNORECASE)
        driver = _IN_USE.search(below)
        unbound = _MODULES.search(below) or (
            asked and "Flags:" not in below and re.match(r"\n?" + MARGIN + r"Subsystem:", below)
        )
        name = re.sub(r"\s{0,20}\[[0-9a-f]{4}:[0-9a-f]{4}\].*|\(rev.*|\(prog-if.*", "", vendor + rest).strip()
        found.append(
            Gpu(
                address=address if address.count(":") == 2 else f"0000:{address}",
                vendor_id=_VENDORS.get(vendor.lower(), 0x1002),
                device_id=int(ids[1] or ids[2], 16) if ids else NOT_EXAMINED,
                name=name,
                pci_class=int(pci_class, 16) << 8 if pci_class else NOT_EXAMINED,
                bar_bytes=_windows(below),
                kernel_driver=driver[1] if driver else ("" if unbound else NOT_EXAMINED),
            )
        )
        facts.sources["gpus"] = text.place(match.start())
    if found:
        found.sort(key=lambda gpu: gpu.vendor != "intel")
        facts.put("pasted.bus_lists_intel", found[0].vendor == "intel", facts.sources["gpus"])
        named = {_architecture(gpu) for gpu in found}
        facts.gpus[:] = found + [gpu for gpu in facts.gpus if gpu.address == "" and _architecture(gpu) not in named]


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
