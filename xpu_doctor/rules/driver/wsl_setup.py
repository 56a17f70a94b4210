"""WSL2 does not show Windows' GPU."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Driver, Kernel, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import holds, known, known_or
from xpu_doctor.remedies.wsl import set_up_wsl, to_version_2


class WslSetup(Rule):
    """WSL2 does not show Windows' GPU."""

    code = "wsl-setup"
    layer = Layer.DRIVER
    systems = ("linux",)
    explains = {
        "gpu-driver-bug": "without Windows' bridge into WSL zeInit finds no device and fails as it does where the driver is at fault",
        "program-never-used-gpu": "in WSL a GPU is reached only through the bridge to Windows, which is missing",
        "xpu-unavailable": "in WSL a GPU is reached only through the bridge to Windows, which is missing",
    }

    def check(self, machine: Machine, kernel: Kernel, driver: Driver) -> Iterator[Finding]:
        """Found in WSL where one of the three is seen."""
        if known(machine.os) != "linux" or not known(machine.wsl):
            return
        version = known_or(kernel.version, "")
        if version.endswith("-Microsoft"):
            yield self.found(
                "machine",
                "this is WSL 1, which has no GPU at all",
                evidence=("kernel.version",),
                remedies=to_version_2(),
            )
            return
        if known_or(machine.container, "") and not holds(driver.dxg):
            return
        if known(driver.dxg) is False:
            summary = (
                "WSL2 has no /dev/dxg: Windows passes no GPU in (an old Windows, an old WSL, or no graphics driver)"
            )
            yield self.found(
                "machine", summary, evidence=("driver.dxg", "kernel.version"), remedies=set_up_wsl(machine)
            )
        elif known(driver.wsl_libraries) is False:
            yield self.found(
                "machine",
                "/usr/lib/wsl/lib lacks Windows' bridge library libdxcore.so: the compute driver cannot reach the GPU",
                confidence=Confidence.LIKELY,
                evidence=("driver.wsl_libraries", "driver.dxg"),
                remedies=set_up_wsl(machine),
            )
