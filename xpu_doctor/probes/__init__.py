"""All probes of the machine, in an explicit tuple; each fills one snapshot field."""

from __future__ import annotations

from xpu_doctor.probe import Probe
from xpu_doctor.probes.gpus import gpus, windows_gpus
from xpu_doctor.probes.machine import machine

PROBES: tuple[Probe, ...] = (machine, gpus, windows_gpus)
