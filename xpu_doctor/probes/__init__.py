"""All probes of the machine, in an explicit tuple; each fills one snapshot field."""

from __future__ import annotations

from xpu_doctor.probes.access import access
from xpu_doctor.probes.driver import driver
from xpu_doctor.probes.environment import environment
from xpu_doctor.probes.gpus import gpus
from xpu_doctor.probes.kernel import kernel
from xpu_doctor.probes.machine import machine
from xpu_doctor.probes.runner import Probe
from xpu_doctor.probes.windows_driver import windows_driver
from xpu_doctor.probes.windows_gpus import windows_gpus

PROBES: tuple[Probe, ...] = (
    access,
    kernel,
    machine,
    gpus,
    windows_gpus,
    driver,
    windows_driver,
    environment,
)
"""Those that start a process first, since they run side by side."""
