"""An Intel GPU is in the machine, and no device node of it is here."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Access, Driver, Gpu, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, holds, is_unexamined, known, known_or
from xpu_doctor.remedies.containers import container_device
from xpu_doctor.rules.support.gpus import none_to_use
from xpu_doctor.tables.gpus import title, usable

ABSENT = ("ENOENT", "ENOTDIR", "ENXIO", "ENODEV")


class ContainerNoDevice(Rule):
    """An Intel GPU is in the machine, and no device node of it is here."""

    code = "container-no-device"
    layer = Layer.ACCESS
    systems = ("linux",)
    explains = {
        "gpu-driver-bug": "without a device node zeInit finds no device and fails as it does where the driver is at fault",
        "program-never-used-gpu": "a program in the container can only open device nodes that were passed in",
        "xpu-unavailable": "a process in the container can only open device nodes that were passed in",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], access: Access, driver: Driver
    ) -> Iterator[Finding]:
        """Found in a container without any usable node, or where the kernel names a render node that /dev does not have."""
        if known_or(machine.os, "linux") != "linux" or none_to_use(gpus):
            return
        container = known(machine.container)
        if holds(machine.wsl):
            if container and known(driver.dxg) is False:
                yield self._found(
                    machine,
                    "no /dev/dxg is in this container: Windows' GPU was not passed in",
                    ("driver.dxg", "machine.container"),
                    Confidence.CERTAIN,
                )
            return
        nodes = known(access.nodes)
        # A node that is there and may not be opened belongs to device-permission.
        if any(node.error not in ABSENT for node in nodes):
            return
        if isinstance(gpus, Unknown):
            if is_unexamined(gpus):
                raise Undecided(gpus)  # nobody looked: an empty /dev/dri alone is no fault
            if container:
                summary = f"no render node is in this container ({container}), and its PCI bus cannot be read"
                yield self._found(machine, summary, ("access.nodes", "machine.container"), Confidence.POSSIBLE)
            return
        bound = [gpu for gpu in usable(gpus) if known_or(gpu.kernel_driver, "") in ("i915", "xe")]
        named = [gpu for gpu in bound if known_or(gpu.render_node, "")]
        if container and bound:
            summary = (
                f"{title(bound[0])} is on the host's bus, but no render node of it is in this container ({container})"
            )
            yield self._found(machine, summary, ("access.nodes", "machine.container", "gpus"), Confidence.CERTAIN)
        elif named:
            summary = f"the kernel has {named[0].render_node} for {title(named[0])}, but /dev/dri does not show it to this process"
            yield self._found(machine, summary, ("access.nodes", "gpus"), Confidence.CERTAIN)

    def _found(self, machine: Machine, summary: str, evidence: tuple[str, ...], confidence: Confidence) -> Finding:
        return self.found(
            "machine",
            summary,
            evidence=evidence,
            confidence=confidence,
            remedies=container_device(machine, None, False),
        )
