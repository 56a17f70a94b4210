"""The virtual machine was given no GPU."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, known
from xpu_doctor.remedies.device import named, pass_through
from xpu_doctor.tables.gpus import intel_gpus


class VmNoPassthrough(Rule):
    """The virtual machine was given no GPU."""

    code = "vm-no-passthrough"
    layer = Layer.DEVICE
    severity = Severity.WARNING
    confidence = Confidence.POSSIBLE

    def check(self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]]) -> Iterator[Finding]:
        """Found on Linux in a virtual machine, outside WSL, where the bus was read and shows no Intel GPU."""
        if known(machine.os) != "linux" or known(machine.wsl) or intel_gpus(known(gpus)):
            return
        hypervisor = known(machine.hypervisor)
        if hypervisor:
            yield self.found(
                "machine",
                f"this is a virtual machine{named(hypervisor)}: if its host has an Intel GPU, it is not passed through",
                evidence=("machine.hypervisor", "gpus"),
                remedies=(pass_through(hypervisor),),
            )
