"""How much a torch without XPU matters: it depends on which GPUs are there. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.model.facts import Gpu, Kernel, Machine
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.unknown import Maybe, denied, holds, known_or
from xpu_doctor.tables.devices import Support
from xpu_doctor.tables.gpus import intel_gpus, support

WORKING = {"nvidia": ("nvidia",), "amd": ("amdgpu",)}
"""Kernel drivers with which a GPU of another vendor can compute."""
USED_BY = {"cuda": ("nvidia",), "rocm": ("amd",), "cpu": ("nvidia",)}
"""A build to the vendors whose working GPU makes it a plausible choice. AMD graphics that sit in a desktop processor beside
an Intel card say nothing for a CPU or CUDA build."""


@dataclass(frozen=True)
class Presence:
    """What the GPUs of a machine say about a torch without XPU."""

    severity: Severity
    offer: bool
    """Whether the XPU build is worth naming."""
    why: str = ""
    """Clause that tells why it is only a note; empty for a fault."""


def presence(build: str, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel) -> Presence:
    """Return how much it matters that torch has this build and no XPU support."""
    seen = known_or(gpus, ())
    if not _bus_known(machine, gpus):
        if _other_vendor_seen(seen, kernel):
            return Presence(
                Severity.INFO, False, "a GPU of another vendor is there, and whether an Intel GPU is there is not known"
            )
        return Presence(Severity.ERROR, True)
    usable = [gpu for gpu in intel_gpus(seen) if support(gpu) is not Support.UNSUPPORTED]
    if not usable:
        return Presence(Severity.INFO, False, "no Intel GPU that PyTorch supports was seen")
    excusing = [gpu for gpu in seen if gpu.vendor in USED_BY.get(build, ()) and _works(gpu)]
    if excusing:
        return Presence(Severity.INFO, True, f"a working {excusing[0].vendor.upper()} GPU is there too")
    return Presence(Severity.ERROR, True)


def without_intel_gpu(machine: Machine, gpus: Maybe[tuple[Gpu, ...]]) -> bool:
    """Return whether it is certain that no Intel GPU is there: only Linux outside of WSL shows its whole bus."""
    return (
        known_or(machine.os, "") == "linux" and denied(machine.wsl) and isinstance(gpus, tuple) and not intel_gpus(gpus)
    )


def _bus_known(machine: Machine, gpus: Maybe[tuple[Gpu, ...]]) -> bool:
    """Return whether a missing Intel GPU would show: WSL2 shows no bus, and Microsoft's adapter stands for any GPU."""
    if not isinstance(gpus, tuple):
        return False
    if intel_gpus(gpus):
        return True
    return not holds(machine.wsl) and not any(gpu.vendor == "microsoft" for gpu in gpus)


def _other_vendor_seen(seen: tuple[Gpu, ...], kernel: Kernel) -> bool:
    return any(gpu.vendor in WORKING for gpu in seen) or any(
        name in ("nvidia", "amdgpu") for name in known_or(kernel.modules, ())
    )


def _works(gpu: Gpu) -> bool:
    driver = known_or(gpu.kernel_driver, "")
    return driver in WORKING[gpu.vendor] or (driver == "" and known_or(gpu.driver_version, "") != "")
