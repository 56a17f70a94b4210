"""The GPU driver is older than this GPU, this kernel or this torch needs."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Driver, Gpu, Kernel, LevelZero, Machine, Torch, Xpu
from xpu_doctor.model.facts.combined import Hardware
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Undecided, Unknown, holds, known, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.driver import install_driver, windows_driver
from xpu_doctor.rules.support.gpus import listed, none_to_use, paths, subject
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.drivers import (
    Build,
    KernelNeed,
    WindowsMinimum,
    WslFault,
    first_build,
    installed_build,
    parse_windows,
    release_of,
    windows_for_torch,
    windows_minimum,
)
from xpu_doctor.tables.gpus import device_of, title, usable
from xpu_doctor.tables.rows import rows


class GpuDriverTooOld(Rule):
    """The GPU driver is older than this GPU, this kernel or this torch needs."""

    code = "gpu-driver-too-old"
    layer = Layer.DRIVER
    from_table = True
    explains = {
        "gpu-driver-bug": "the fault is fixed in the newer driver that is asked for",
        "torch-import-crashed": "a package that initialises the GPU on import calls what the old driver lacks or does wrong",
        "xpu-query-crashed": "counting devices calls what the old driver lacks or does wrong",
        "xpu-unavailable": "an old driver does not list a GPU, or does not work with a kernel, that is newer than it",
    }

    def check(
        self,
        hardware: Hardware,
        level_zero: LevelZero,
        driver: Driver,
        torch: Torch,
        xpu: Xpu,
    ) -> Iterator[Finding]:
        """Found for each usable GPU that Level Zero does not list and whose first build is newer; then by kernel; then in WSL2."""
        if none_to_use(hardware.gpus) or holds(xpu.allocated):
            return
        seen = known(hardware.gpus) if not holds(hardware.machine.wsl) else known_or(hardware.gpus, ())
        if known_or(hardware.machine.os, "linux") == "windows":
            yield from self._windows(seen, level_zero, torch)
            return
        build = installed_build(level_zero, driver)
        if isinstance(build, Unknown):
            raise Undecided(Unknown(build.reason, "driver.packages"))
        found = list(self._by_gpu(hardware.machine, seen, level_zero, build)) or list(
            self._by_kernel(hardware.machine, seen, hardware.kernel, level_zero, build)
        )
        yield from found or self._in_wsl(hardware.machine, torch, build)

    def _by_gpu(
        self, machine: Machine, gpus: tuple[Gpu, ...], level_zero: LevelZero, build: Build
    ) -> Iterator[Finding]:
        for gpu in usable(gpus):
            device = device_of(gpu)
            if device is None or build.number >= first_build(device) or listed(gpu, level_zero) is True:
                continue
            needed = first_build(device)
            yield self.found(
                subject([gpu], gpus),
                f"the GPU driver {build.name} is too old for {title(gpu)}, which needs compute-runtime {release_of(needed)} (build {needed}) or newer",
                evidence=(build.fact, *paths([gpu], gpus, "device_id")),
                remedies=install_driver(machine, newest=True),
            )

    def _by_kernel(
        self, machine: Machine, gpus: tuple[Gpu, ...], kernel: Kernel, level_zero: LevelZero, build: Build
    ) -> Iterator[Finding]:
        running = release(known_or(kernel.version, ""))
        unlisted = [gpu for gpu in usable(gpus) if listed(gpu, level_zero) is not True]
        if holds(machine.wsl) or not unlisted:
            return
        for row in rows(KernelNeed):
            if running >= release(row.kernel) and build.number < row.build:
                seen = listed(unlisted[0], level_zero) is False
                needs = f"from Linux {row.kernel} on, driver build {row.build} or newer"
                yield self.found(
                    subject(unlisted, gpus),
                    f"the GPU driver {build.name} is too old for kernel {kernel.version}: {row.symptom}",
                    severity=Severity.ERROR if seen else Severity.WARNING,
                    confidence=Confidence.CERTAIN if seen else Confidence.LIKELY,
                    evidence=(
                        build.fact,
                        "kernel.version",
                        table_row(row, needs),
                    ),
                    remedies=install_driver(machine, newest=True),
                )
                return

    def _in_wsl(self, machine: Machine, torch: Torch, build: Build) -> Iterator[Finding]:
        if not holds(machine.wsl):
            return
        for row in rows(WslFault):
            if build.number <= row.build and release(str(known_or(torch.version, ""))) >= release(row.torch):
                yield self.found(
                    "machine",
                    f"the GPU driver {build.name} inside WSL2 is too old for torch {torch.version}: {row.symptom}",
                    severity=Severity.WARNING,
                    confidence=Confidence.LIKELY,
                    evidence=(
                        build.fact,
                        "torch.version",
                        table_row(row, f"builds up to {row.build} are too old"),
                    ),
                    remedies=install_driver(machine, newest=True),
                )

    def _windows(self, gpus: tuple[Gpu, ...], level_zero: LevelZero, torch: Torch) -> Iterator[Finding]:
        for gpu in usable(gpus):
            device = device_of(gpu)
            if device is None:
                continue
            rows_of = (windows_minimum(device), windows_for_torch(device, _xpu_version(torch)))
            row = next((row for row in rows_of if row and self._is_below(gpu, row.minimum)), None)
            if row is None or (isinstance(row, WindowsMinimum) and listed(gpu, level_zero) is True):
                continue
            of_gpu = isinstance(row, WindowsMinimum)
            what = title(gpu) if of_gpu else f"torch {torch.version}"
            yield self.found(
                subject([gpu], gpus),
                f"the graphics driver {gpu.driver_version} is too old for {what}: {row.why}",
                severity=Severity.ERROR if of_gpu else Severity.WARNING,
                confidence=Confidence.LIKELY,
                evidence=(
                    *paths([gpu], gpus, "driver_version"),
                    *(() if of_gpu else ("torch.version",)),
                    table_row(row, f"32.0.101.{row.minimum} or newer"),
                ),
                remedies=(windows_driver(),),
            )

    def _is_below(self, gpu: Gpu, minimum: int) -> bool:
        number = parse_windows(known(gpu.driver_version))
        return number is not None and number < minimum


def _xpu_version(torch: Torch) -> str:
    """Return the version of a torch with XPU support, or empty."""
    return known_or(torch.version, "") if known_or(torch.build, "") == TorchBuild.XPU else ""
