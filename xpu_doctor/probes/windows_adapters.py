"""Display adapters in Windows' registry: the class that drivers register in, and the list of the PCI bus behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from xpu_doctor.host.interface import Host
from xpu_doctor.model.unknown import Maybe, Unknown

DISPLAY_CLASS_GUID = "{4d36e968-e325-11ce-bfc1-08002be10318}"
DISPLAY_ADAPTERS = rf"HKLM\SYSTEM\CurrentControlSet\Control\Class\{DISPLAY_CLASS_GUID}"
"""Windows' device class of display adapters: one subkey per adapter that has a driver, 0000, 0001 ..."""
PCI_DEVICES = r"HKLM\SYSTEM\CurrentControlSet\Enum\PCI"
"""Every device that was ever seen on the PCI bus, with a driver or without: a subkey for each kind, below it one for each place."""
ACTIVE_ADAPTERS = r"HKLM\HARDWARE\DEVICEMAP\VIDEO"
"""Written anew at each start of Windows: which adapters are really there, by the GUID that their class key names in VideoID."""
CONFIGFLAG_DISABLED = 1


@dataclass(frozen=True)
class Adapter:
    """One display adapter: its key in the class, and what the list of the PCI bus says of the same device."""

    key: str
    """Name of its key in the class, e.g. `0000`; empty where no driver has made one."""
    values: dict[str, Any]
    """What stands in that key."""
    hardware: str
    """Its Plug and Play id, e.g. `PCI\\VEN_8086&DEV_E20B&SUBSYS_11008086&REV_00`."""
    place: dict[str, Any] | None
    """What stands in its key below `Enum\\PCI`, None where there is none to be found."""

    @property
    def is_intel(self) -> bool:
        """Whether Intel made it."""
        return "VEN_8086" in self.hardware.upper()


def adapters(host: Host) -> Maybe[tuple[Adapter, ...]]:
    """Return the adapters that are there, those without a driver after the others; unknown where the class cannot be read."""
    registered = host.registry(DISPLAY_ADAPTERS)
    if isinstance(registered, Unknown):
        return registered
    places = _display_places(host)
    by_key = {
        str(values.get("Driver", "")).lower().rpartition("\\")[2]: (hardware, values)
        for hardware, values in (places if isinstance(places, tuple) else ())
        if values.get("Driver")
    }
    driven = [
        _registered(name, values, by_key.get(name.lower()))
        for name, values in sorted(_active(host, registered).items())
        if isinstance(values, dict)
        and re.fullmatch(r"\d{4}", name)
        and (values.get("MatchingDeviceId") or values.get("DriverDesc"))
    ]
    bare = [
        Adapter("", {}, hardware, values)
        for hardware, values in (places if isinstance(places, tuple) else ())
        if not values.get("Driver") and "VEN_8086" in hardware.upper()
    ]
    return (*driven, *bare)


def _registered(name: str, values: dict[str, Any], place: tuple[str, dict[str, Any]] | None) -> Adapter:
    # A basic driver matches a whole class of devices (PCI\CC_0300): which device it drives only the bus can tell.
    hardware = place[0] if place else str(values.get("MatchingDeviceId", ""))
    return Adapter(name, values, hardware, place[1] if place else None)


def _display_places(host: Host) -> Maybe[tuple[tuple[str, dict[str, Any]], ...]]:
    """Return every display device in the list of the PCI bus: its id, and what stands in the key of its place."""
    kinds = host.registry(PCI_DEVICES)
    if isinstance(kinds, Unknown):
        return kinds
    found: list[tuple[str, dict[str, Any]]] = []
    for kind in sorted(name for name, values in kinds.items() if isinstance(values, dict)):
        places = host.registry(rf"{PCI_DEVICES}\{kind}")
        if isinstance(places, dict):
            found += [
                (rf"PCI\{kind}", values)
                for _, values in sorted(places.items())
                if isinstance(values, dict) and _is_display(values)
            ]
    return tuple(found)


def _is_display(values: dict[str, Any]) -> bool:
    """Return whether a device has the class of displays, as Windows or as the device itself says."""
    compatible = values.get("CompatibleIDs")
    told = " ".join(map(str, compatible)) if isinstance(compatible, list) else str(compatible or "")
    by_itself = re.search(r"[\\&]CC_03\d\d", told.upper()) is not None
    return by_itself or str(values.get("ClassGUID", "")).lower() == DISPLAY_CLASS_GUID


def _active(host: Host, registered: dict[str, Any]) -> dict[str, Any]:
    """Leave out adapters that are known to be gone: Windows keeps the keys of cards that were taken out."""
    seen = host.registry(ACTIVE_ADAPTERS)
    if isinstance(seen, Unknown):
        return registered
    paths = " ".join(str(value).lower() for value in seen.values())
    gone = [
        name
        for name, values in registered.items()
        if isinstance(values, dict) and values.get("VideoID") and str(values["VideoID"]).lower() not in paths
    ]
    return {name: values for name, values in registered.items() if name not in gone}
