"""No Intel GPU is on the PCI bus of this machine."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, LevelZero, Machine
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.remedies.device import named, no_gpu
from xpu_doctor.tables.gpus import intel_gpus


class GpuNotPresent(Rule):
    """The PCI bus can be read, shows devices, and none of them is an Intel GPU."""

    code = "gpu-not-present"
    layer = Layer.DEVICE
    explains = frozenset(
        {
            "xpu-unavailable",
            "vm-no-passthrough",
            "gpu-driver-missing",
            "level-zero-loader-missing",
            "level-zero-loader-too-old",
            "torch-cpu-wheel",
            "torch-cuda-wheel",
            "torch-rocm-wheel",
        }
    )

    def check(self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero) -> Iterator[Finding]:
        """Found on Linux outside WSL where the bus was read, shows no Intel display device, and Level Zero lists none either."""
        if known(machine.os) != "linux":
            raise Undecided(Unknown("a missing GPU is only certain from the PCI bus of Linux", "gpus"))
        if known(machine.wsl):
            raise Undecided(Unknown("WSL2 shows no PCI bus of its own: the GPU belongs to Windows", "gpus"))
        seen = known(gpus)
        if intel_gpus(seen) or (isinstance(level_zero.devices, tuple) and level_zero.devices):
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
            remedies=no_gpu(inside),
        )
