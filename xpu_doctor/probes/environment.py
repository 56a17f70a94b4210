"""The environment variables that matter to PyTorch on XPU, as the target interpreter gets them."""

from __future__ import annotations

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Environment, Variable
from xpu_doctor.model.findings import Layer
from xpu_doctor.probes.runner import probe
from xpu_doctor.tables.variables import known_variables


@probe("environment", layer=Layer.DOCTOR)
def environment(host: Host) -> Environment:
    """The variables of the table by their exact names; no other one is ever looked at."""
    spelt = {name.upper() if host.platform == "windows" else name: name for name in known_variables()}
    held = {
        spelt[key]: value
        for key, value in ((_key(host, name), value) for name, value in host.env.items())
        if key in spelt
    }
    return Environment(variables=tuple(Variable(name, value) for name, value in sorted(held.items())))


def _key(host: Host, name: str) -> str:
    """Return a name as it is compared: on Windows case means nothing."""
    return name.upper() if host.platform == "windows" else name
