"""Whether the machine runs on mains or on its battery, as the Linux kernel reports it."""

from __future__ import annotations

from typing import Any

from xpu_doctor.plugin import Host, Layer, Unknown, probe


@probe("power-supply", layer=Layer.COMPUTE, on=("linux",), fills="")
def power_supply(host: Host) -> dict[str, Any]:
    """Power supplies of this machine, and whether mains is connected."""
    mains: list[bool] = []
    batteries = 0
    for folder in host.glob("/sys/class/power_supply/*"):
        kind = host.read(f"{folder}/type")
        if kind == "Battery\n":
            batteries += 1
        online = host.read(f"{folder}/online")
        if kind == "Mains\n" and not isinstance(online, Unknown):
            mains.append(online.strip() == "1")
    return {"batteries": batteries, "mains": any(mains) if mains else None}
