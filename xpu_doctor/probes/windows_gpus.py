"""Display adapters of Windows as its registry lists them, with a driver or without."""

from __future__ import annotations

import re

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.runner import probe
from xpu_doctor.probes.windows_adapters import Adapter, adapters
from xpu_doctor.tables.devices import DISPLAY_CLASS

NOT_TOLD = Unknown("the registry does not tell it")


@probe("windows-gpus", layer=Layer.DEVICE, on=("windows",), fills="gpus")
def windows_gpus(host: Host) -> Maybe[tuple[Gpu, ...]]:
    """Display adapters as the registry lists them, each with its driver's version; CIM only where the registry is silent."""
    found = adapters(host)
    if isinstance(found, Unknown):
        return _cim(host, found)
    return tuple(map(_gpu, found)) or _cim(host, Unknown("the registry lists no display adapter"))


def _gpu(adapter: Adapter) -> Gpu:
    vendor, device = device_ids(adapter.hardware)
    memory = adapter.values.get("HardwareInformation.qwMemorySize")
    return Gpu(
        address=f"adapter {adapter.key}" if adapter.key else _location(adapter),
        vendor_id=vendor,
        device_id=device,
        name=str(adapter.values.get("DriverDesc", "")) or _described(adapter),
        pci_class=DISPLAY_CLASS << 16,
        kernel_driver=Unknown("Windows has its own drivers"),
        driver_version=_version(adapter),
        service=NOT_TOLD if adapter.place is None else str(adapter.place.values.get("Service", "")),
        disabled=NOT_TOLD if adapter.place is None else adapter.place.is_disabled,
        render_node="",
        bar_bytes=Unknown("not told by Windows' registry"),
        memory_bytes=memory if isinstance(memory, int) and memory > 0 else NOT_TOLD,
    )


def _version(adapter: Adapter) -> Maybe[str]:
    if not adapter.key:
        return ""
    return str(adapter.values["DriverVersion"]) if adapter.values.get("DriverVersion") else NOT_TOLD


def _described(adapter: Adapter) -> str:
    """Return the name of a device without a driver; the words stand behind the place of their translation."""
    return _told(adapter, "DeviceDesc").rpartition(";")[2]


def _told(adapter: Adapter, name: str) -> str:
    """Return a value of the device's place in the list of the PCI bus, empty where there is none."""
    return str(adapter.place.values.get(name, "")) if adapter.place else ""


def _location(adapter: Adapter) -> str:
    """Return the PCI address of a device without a driver, as far as Windows tells it."""
    told = _told(adapter, "LocationInformation")
    found = re.search(r"\((\d{1,3}),(\d{1,3}),(\d{1,2})\)$", told)
    if found is None:
        return "a place of the PCI bus that Windows does not tell"
    bus, device, function = map(int, found.groups())
    return f"0000:{bus:02x}:{device:02x}.{function:x}"


def device_ids(matching: str) -> tuple[int, Maybe[int]]:
    """Return vendor and device id of a Plug and Play id such as `PCI\\VEN_8086&DEV_E20B&...`."""
    found = re.search(r"VEN_([0-9A-F]{4})&DEV_([0-9A-F]{4})", matching, re.IGNORECASE)
    return (int(found[1], 16), int(found[2], 16)) if found else (0, Unknown(f"no PCI id in {matching[:60]!r}"))


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
    named = [{"DriverDesc": row.get("Name"), "DriverVersion": row.get("DriverVersion")} for row in rows]
    return tuple(
        _gpu(Adapter(f"{number:04d}", values, str(row.get("PNPDeviceID") or ""), None))
        for number, (values, row) in enumerate(zip(named, rows, strict=True))
    )
