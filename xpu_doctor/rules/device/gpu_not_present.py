"""No Intel GPU is on the PCI bus of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, LevelZero, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.remedies.device import look_in_device_manager, named, no_gpu
from xpu_doctor.tables.gpus import intel_gpus

VIRTUAL_SCREENS = {0x15AD: "VMware", 0x80EE: "VirtualBox", 0x1AF4: "QEMU/KVM", 0x1B36: "QEMU/KVM", 0x1AB8: "Parallels"}
"""Vendors on the PCI bus of screens that a hypervisor makes."""


class GpuNotPresent(Rule):
    """No Intel GPU is on the PCI bus of this machine."""

    code = "gpu-not-present"
    layer = Layer.DEVICE
    explains = {
        "gpu-driver-missing": "a driver has nothing to drive here, so that it is not installed is no fault until there is a GPU",
        "level-zero-loader-missing": "the loader has no device to load a driver for, so that it is missing is no fault until there is a GPU",
        "level-zero-loader-too-old": "the loader has no device to load a driver for, so that it is old is no fault until there is a GPU",
        "program-never-used-gpu": "a program can only compute on a GPU that is there",
        "torch-cpu-wheel": "on a machine without an Intel GPU the CPU build is the right one",
        "torch-cuda-wheel": "on a machine without an Intel GPU a build for another vendor's GPU may be the right one",
        "torch-rocm-wheel": "on a machine without an Intel GPU a build for another vendor's GPU may be the right one",
        "vm-no-passthrough": "it is one way in which a virtual machine comes to have no GPU",
        "xpu-unavailable": "torch.xpu can only offer a device that is there",
    }

    def check(self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero) -> Iterator[Finding]:
        """Found where the bus was read, shows no Intel display device, and Level Zero lists none: certain on Linux outside WSL, likely on Windows."""
        system = known(machine.os)
        if system not in ("linux", "windows"):
            raise Undecided(Unknown("a missing GPU only shows on the PCI bus of Linux or Windows", "gpus"))
        if known(machine.wsl):
            raise Undecided(Unknown("WSL2 shows no PCI bus of its own: the GPU belongs to Windows", "gpus"))
        seen = known(gpus)
        if intel_gpus(seen) or (isinstance(level_zero.devices, tuple) and level_zero.devices):
            return
        if system == "windows":
            yield from self._windows(machine, seen)
            return
        others = ", ".join(
            dict.fromkeys(f"{gpu.vendor} {gpu.name or 'display device'} at {gpu.address}" for gpu in seen)
        )
        inside = known_or(machine.hypervisor, "")
        where = f"this virtual machine{named(inside)}" if inside else "this machine"
        yield self.found(
            "machine",
            f"no Intel GPU is on the PCI bus of {where}" + (f" (seen: {others})" if others else ""),
            evidence=("gpus", "machine.hypervisor") if inside else ("gpus",),
            remedies=no_gpu(inside, system),
        )

    def _windows(self, machine: Machine, seen: tuple[Gpu, ...]) -> Iterator[Finding]:
        """Found where Windows' list of the PCI bus was read too: of adapters alone, a remote or virtual one may stand for any GPU."""
        if not seen or not known(machine.pci_devices):
            raise Undecided(Unknown("Windows lists no display adapter, or no device of the PCI bus", "gpus"))
        passing = next((gpu for gpu in seen if gpu.vendor == "microsoft"), None)
        if passing is not None:
            raise Undecided(
                Unknown(f"{passing.name or 'an adapter of Microsoft'} may stand for a GPU of the host", "gpus")
            )
        others = ", ".join(dict.fromkeys(gpu.name or f"a display device of vendor {gpu.vendor}" for gpu in seen))
        idle = known(machine.idle_gpus)
        if idle:
            yield self.found(
                "machine",
                f"Windows uses no Intel GPU (only {others}); it knows {', '.join(idle)}, which was taken out, or did not start",
                confidence=Confidence.POSSIBLE,
                evidence=("gpus", "machine.idle_gpus"),
                remedies=(look_in_device_manager(), *no_gpu("", "windows")),
            )
            return
        yield self.found(
            "machine",
            f"Windows lists no Intel GPU, neither among its display adapters ({others}) nor on the PCI bus",
            confidence=Confidence.LIKELY,
            evidence=("gpus", "machine.pci_devices"),
            remedies=no_gpu(_hypervisor(seen), "windows"),
        )


def _hypervisor(seen: tuple[Gpu, ...]) -> str:
    """Return the hypervisor whose screen a Windows guest has, or empty."""
    return next((VIRTUAL_SCREENS[gpu.vendor_id] for gpu in seen if gpu.vendor_id in VIRTUAL_SCREENS), "")
