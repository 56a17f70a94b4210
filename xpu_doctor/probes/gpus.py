"""Display and accelerator devices on the PCI bus, before any driver: sysfs on Linux, the registry on Windows."""

from __future__ import annotations

import re
from typing import Any

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.machine import is_wsl
from xpu_doctor.probes.runner import probe
from xpu_doctor.tables.devices import DISPLAY_CLASS
from xpu_doctor.tables.gpus import is_intel_gpu

BUS = "/sys/bus/pci/devices"
ACCELERATOR_CLASS = 0x12
IORESOURCE_MEM = 0x200
BARS = 6
"""Rows of a `resource` file that are base address registers."""

DISPLAY_ADAPTERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{4d36e968-e325-11ce-bfc1-08002be10318}"
"""Windows' device class of display adapters: one subkey per adapter, 0000, 0001 ..."""


@probe("gpus", layer=Layer.DEVICE, on=("linux",))
def gpus(host: Host) -> Maybe[tuple[Gpu, ...]]:
    """Display and accelerator devices on the PCI bus, each with the kernel driver bound to it (sysfs alone)."""
    names = host.list(BUS)
    if isinstance(names, Unknown):
        return Unknown(f"the PCI bus cannot be read: {names.reason}")
    if not names:
        return Unknown("the PCI bus shows no device at all")
    found = tuple(gpu for name in names if (gpu := _pci_gpu(host, name)) is not None)
    if is_wsl(host) is True and not any(gpu.vendor == "intel" for gpu in found):
        return Unknown("in WSL2 the bus shows Microsoft's adapter only: the GPU belongs to Windows")
    return found


def _pci_gpu(host: Host, name: str) -> Gpu | None:
    folder = f"{BUS}/{name}"
    pci_class = _hex(host.read(f"{folder}/class", 64))
    if not isinstance(pci_class, int) or pci_class >> 16 not in (DISPLAY_CLASS, ACCELERATOR_CLASS):
        return None
    vendor = _hex(host.read(f"{folder}/vendor", 64))
    gpu = Gpu(
        address=name,
        vendor_id=vendor if isinstance(vendor, int) else 0,
        device_id=_hex(host.read(f"{folder}/device", 64)),
        pci_class=pci_class,
        revision=_hex(host.read(f"{folder}/revision", 64)),
        kernel_driver=_base_name(host.link(f"{folder}/driver")),
        render_node=_render_node(host, folder),
        bar_bytes=bar_sizes(host.read(f"{folder}/resource", 8192)),
        memory_bytes=_memory(host, folder),
    )
    # Intel's NPUs sit in the accelerator class: they are no GPUs.
    return None if gpu.vendor == "intel" and not is_intel_gpu(gpu) else gpu


def _hex(text: Maybe[str]) -> Maybe[int]:
    if isinstance(text, Unknown):
        return text
    try:
        return int(text.strip(), 16)
    except ValueError:
        return Unknown(f"no hexadecimal number: {text.strip()[:20]!r}")


def _base_name(target: Maybe[str]) -> Maybe[str]:
    return target if isinstance(target, Unknown) else target.rstrip("/").rpartition("/")[2]


def _render_node(host: Host, folder: str) -> Maybe[str]:
    names = host.list(f"{folder}/drm")
    if isinstance(names, Unknown):
        return "" if host.exists(f"{folder}/drm") is False else names
    return next((name for name in names if name.startswith("renderD")), "")


def bar_sizes(resource: Maybe[str]) -> Maybe[tuple[int, ...]]:
    """Return the sizes in bytes of the memory regions of a sysfs `resource` file."""
    if isinstance(resource, Unknown):
        return resource
    sizes = []
    for line in resource.splitlines()[:BARS]:
        try:
            start, end, flags = (int(part, 16) for part in line.split())
        except ValueError:
            return Unknown(f"a row of `resource` is no range: {line[:60]!r}")
        if flags & IORESOURCE_MEM and end > start:
            sizes.append(end - start + 1)
    return tuple(sizes)


def _memory(host: Host, folder: str) -> Maybe[int]:
    for path in (
        *host.glob(f"{folder}/drm/card*/lmem_total_bytes"),
        *host.glob(f"{folder}/tile0/physical_vram_size_bytes"),
    ):
        said = host.read(path, 64)
        if isinstance(said, str) and said.strip().isdigit():
            return int(said)
    return Unknown("the kernel driver does not tell it")


@probe("windows-gpus", layer=Layer.DEVICE, on=("windows",), fills="gpus")
def windows_gpus(host: Host) -> Maybe[tuple[Gpu, ...]]:
    """Display adapters as the registry lists them, each with its driver's version; CIM only where the registry is silent."""
    adapters = host.registry(DISPLAY_ADAPTERS)
    if isinstance(adapters, Unknown):
        return _cim(host, adapters)
    found = [
        _adapter(name, values)
        for name, values in sorted(_active(host, adapters).items())
        if isinstance(values, dict)
        and re.fullmatch(r"\d{4}", name)
        and (values.get("MatchingDeviceId") or values.get("DriverDesc"))
    ]
    return tuple(found) if found else _cim(host, Unknown("the registry lists no display adapter"))


def _adapter(name: str, values: dict[str, Any]) -> Gpu:
    vendor, device = device_ids(str(values.get("MatchingDeviceId", "")))
    memory = values.get("HardwareInformation.qwMemorySize")
    return Gpu(
        address=f"adapter {name}",
        vendor_id=vendor,
        device_id=device,
        name=str(values.get("DriverDesc", "")),
        pci_class=DISPLAY_CLASS << 16,
        kernel_driver=Unknown("Windows has its own drivers"),
        driver_version=str(values["DriverVersion"])
        if values.get("DriverVersion")
        else Unknown("the registry does not tell it"),
        render_node="",
        bar_bytes=Unknown("not told by Windows' registry"),
        memory_bytes=memory if isinstance(memory, int) and memory > 0 else Unknown("the registry does not tell it"),
    )


def device_ids(matching: str) -> tuple[int, Maybe[int]]:
    """Return vendor and device id of a Plug and Play id such as `PCI\\VEN_8086&DEV_E20B&...`."""
    found = re.search(r"VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", matching, re.IGNORECASE)
    return (int(found[1], 16), int(found[2], 16)) if found else (0, Unknown(f"no PCI id in {matching[:60]!r}"))


ACTIVE_ADAPTERS = r"HKLM\HARDWARE\DEVICEMAP\VIDEO"
"""Written anew at each start of Windows: which adapters are really there, by the GUID that their class key names in VideoID."""


def _active(host: Host, adapters: dict[str, Any]) -> dict[str, Any]:
    """Leave out adapters that are known to be gone: Windows keeps the keys of cards that were taken out."""
    seen = host.registry(ACTIVE_ADAPTERS)
    if isinstance(seen, Unknown):
        return adapters
    paths = " ".join(str(value).lower() for value in seen.values())
    gone = [
        name
        for name, values in adapters.items()
        if isinstance(values, dict) and values.get("VideoID") and str(values["VideoID"]).lower() not in paths
    ]
    return {name: values for name, values in adapters.items() if name not in gone}


CIM_COMMAND = (
    "powershell.exe",
    "-NoProfile",
    "-NonInteractive",
    "-Command",
    "Get-CimInstance Win32_VideoController | Select-Object Name,PNPDeviceID,DriverVersion | ConvertTo-Json -Compress",
)
"""Asks for properties by name and gets JSON, so that the language of Windows does not matter."""


def _cim(host: Host, why: Unknown) -> Maybe[tuple[Gpu, ...]]:
    import json

    done = host.run(CIM_COMMAND, timeout=8.0)
    if isinstance(done, Unknown) or done.code != 0 or not done.stdout.strip():
        return Unknown(f"{why.reason}; {done.reason if isinstance(done, Unknown) else 'CIM gave no answer'}")
    try:
        rows = json.loads(done.stdout)
    except ValueError:
        return Unknown(f"{why.reason}; CIM's answer is no JSON")
    rows = rows if isinstance(rows, list) else [rows]
    named = [
        {
            "MatchingDeviceId": row.get("PNPDeviceID"),
            "DriverDesc": row.get("Name"),
            "DriverVersion": row.get("DriverVersion"),
        }
        for row in rows
    ]
    return tuple(_adapter(f"{number:04d}", values) for number, values in enumerate(named))
