"""Opens a host: this machine, a sysroot, or a recording."""

from __future__ import annotations

from collections.abc import Mapping

from xpu_doctor.host.interface import Host
from xpu_doctor.host.live import LiveHost
from xpu_doctor.host.recorded import RecordedHost


def open_host(place: str = "", env: Mapping[str, str] | None = None) -> Host:
    """Return this machine, the sysroot folder `place`, or the recording in the TOML file `place`."""
    if not place:
        return LiveHost(env=env)
    if place.endswith(".toml"):
        return RecordedHost.load(place)
    return LiveHost(place, env=env, platform="linux")
