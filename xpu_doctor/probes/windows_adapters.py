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


SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
"""Below each service of a driver a key `Enum`, made anew at each start, names the devices that it drives now."""


@dataclass(frozen=True)
class Place:
    """A display device in the list of the PCI bus."""

    hardware: str
    """Its Plug and Play id, e.g. `PCI\\VEN_8086&DEV_E20B&SUBSYS_11008086&REV_00`."""
    instance: str
    """Name of its key below that id, which tells one device from another of the same kind."""
    values: dict[str, Any]

    @property
    def key(self) -> str:
        """Name of its key in the class of display adapters; empty where no driver has made one."""
        return str(self.values.get("Driver", "")).lower().rpartition("\\")[2]

    @property
    def is_disabled(self) -> bool:
        """Whether Device Manager has it switched off."""
        flags = self.values.get("ConfigFlags", 0)
        return isinstance(flags, int) and bool(flags & CONFIGFLAG_DISABLED)


@dataclass(frozen=True)
class Adapter:
    """One display adapter: its key in the class, and what the list of the PCI bus says of the same device."""

    key: str
    """Name of its key in the class, e.g. `0000`; empty where no driver has made one."""
    values: dict[str, Any]
    """What stands in that key."""
    hardware: str
    """Its Plug and Play id; where a basic driver drives it and the list cannot be read, that of its class."""
    place: Place | None
    """Its place in the list, None where there is none to be found."""

    @property
    def is_intel(self) -> bool:
        """Whether Intel made it."""
        return "VEN_8086" in self.hardware.upper()


def adapters(host: Host) -> Maybe[tuple[Adapter, ...]]:
    """Return the adapters that are there, those without a driver after the others; unknown where the class cannot be read."""
    found = _seen(host)
    return found if isinstance(found, Unknown) else found[0]


def idle_adapters(host: Host) -> Maybe[tuple[Adapter, ...]]:
    """Return the adapters of Intel with a driver that no screen of this start uses and no driver drives: taken out, or not started."""
    found = _seen(host)
    return found if isinstance(found, Unknown) else tuple(adapter for adapter in found[1] if adapter.is_intel)


def _seen(host: Host) -> Maybe[tuple[tuple[Adapter, ...], tuple[Adapter, ...]]]:
    """Return the adapters that are there, and those that Windows only remembers."""
    registered = host.registry(DISPLAY_ADAPTERS)
    if isinstance(registered, Unknown):
        return registered
    listed = _display_places(host)
    places = listed if isinstance(listed, tuple) else ()
    by_key = {place.key: place for place in places if place.key}
    screens = host.registry(ACTIVE_ADAPTERS)
    there: list[Adapter] = []
    idle: list[Adapter] = []
    for name, values in sorted(registered.items()):
        if not isinstance(values, dict) or not re.fullmatch(r"\d{4}", name):
            continue
        if values.get("MatchingDeviceId") or values.get("DriverDesc"):
            adapter = _registered(name, values, by_key.get(name.lower()))
            (there if _is_there(host, adapter, screens) else idle).append(adapter)
    there += [Adapter("", {}, place.hardware, place) for place in places if _is_bare(place)]
    return tuple(there), tuple(idle)


def _registered(name: str, values: dict[str, Any], place: Place | None) -> Adapter:
    # A basic driver matches a whole class of devices (PCI\CC_0300): which device it drives only the bus can tell.
    return Adapter(name, values, place.hardware if place else str(values.get("MatchingDeviceId", "")), place)


def _is_bare(place: Place) -> bool:
    """Return whether this is a device of Intel that no driver was installed for."""
    return not place.key and "VEN_8086" in place.hardware.upper()


def _is_there(host: Host, adapter: Adapter, screens: Maybe[dict[str, Any]]) -> bool:
    """Return whether an adapter is not known to be gone: Windows keeps the keys of cards that were taken out."""
    video = str(adapter.values.get("VideoID", "")).lower()
    if isinstance(screens, Unknown) or not video:
        return True
    if any(video in str(value).lower() for value in screens.values()):
        return True
    # A card without a screen may have no such entry, and one that is switched off has none.
    return adapter.place is not None and (adapter.place.is_disabled or _is_driven(host, adapter.place))


def _is_driven(host: Host, place: Place) -> bool:
    """Return whether the driver of a device says that it drives it now."""
    service = str(place.values.get("Service", ""))
    driven = host.registry(rf"{SERVICES}\{service}\Enum") if service else None
    device = rf"{place.hardware}\{place.instance}".lower()
    return isinstance(driven, dict) and any(str(value).lower() == device for value in driven.values())


def _display_places(host: Host) -> Maybe[tuple[Place, ...]]:
    """Return every display device in the list of the PCI bus."""
    kinds = host.registry(PCI_DEVICES)
    if isinstance(kinds, Unknown):
        return kinds
    found: list[Place] = []
    for kind in sorted(name for name, values in kinds.items() if isinstance(values, dict)):
        places = host.registry(rf"{PCI_DEVICES}\{kind}")
        if isinstance(places, dict):
            found += [
                Place(rf"PCI\{kind}", instance, values)
                for instance, values in sorted(places.items())
                if isinstance(values, dict) and _is_display(values)
            ]
    return tuple(found)


def _is_display(values: dict[str, Any]) -> bool:
    """Return whether a device has the class of displays, as Windows or as the device itself says."""
    compatible = values.get("CompatibleIDs")
    told = " ".join(map(str, compatible)) if isinstance(compatible, list) else str(compatible or "")
    by_itself = re.search(r"[\\&]CC_03\d\d", told.upper()) is not None
    return by_itself or str(values.get("ClassGUID", "")).lower() == DISPLAY_CLASS_GUID
