"""The GPU driver is older than this GPU, this kernel or this torch needs."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Driver, Gpu, Kernel, LevelZero, Machine, Pasted, Torch, Xpu
from xpu_doctor.model.facts.combined import Hardware
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Undecided, Unknown, holds, known, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.driver import install_driver, windows_driver
from xpu_doctor.rules.support.gpus import listed, none_to_use, paths, subject, told
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
        pasted: Pasted,
    ) -> Iterator[Finding]:
        """Found for each usable GPU that Level Zero does not list and whose first build is newer; then by kernel; then in WSL2."""
        if none_to_use(hardware.gpus) or holds(xpu.allocated):
            return
        seen = known(hardware.gpus) if not holds(hardware.machine.wsl) else known_or(hardware.gpus, ())
        if known_or(hardware.machine.os, "linux") == "windows":
            yield from self._windows(seen, level_zero, torch, pasted, holds(xpu.available))
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

    def _windows(
        self, gpus: tuple[Gpu, ...], level_zero: LevelZero, torch: Torch, pasted: Pasted, counted: bool
    ) -> Iterator[Finding]:
        """Found below what a GPU needs, unless torch counts it; below what a torch asks for, which is a note then."""
        for gpu in usable(gpus):
            device = device_of(gpu)
            if device is None:
                continue
            rows_of = (windows_minimum(device), windows_for_torch(device, _xpu_version(torch)))
            driver, fact = _windows_driver_of(gpu, gpus, pasted) if any(rows_of) else ("", "")
            row = next((row for row in rows_of if row and _is_below(driver, row.minimum)), None)
            of_gpu = isinstance(row, WindowsMinimum)
            if row is None or (of_gpu and (counted or listed(gpu, level_zero) is True)):
                continue
            what = title(gpu) if of_gpu else f"torch {torch.version}"
            yield self.found(
                subject([gpu], gpus),
                f"the graphics driver {driver} is too old for {what}: {row.why}",
                severity=Severity.ERROR if of_gpu else Severity.INFO if counted else Severity.WARNING,
                confidence=Confidence.LIKELY,
                evidence=(
                    fact,
                    *(() if of_gpu else ("torch.version",)),
                    table_row(row, row.why),
                ),
                remedies=(windows_driver(),),
            )


def _windows_driver_of(gpu: Gpu, gpus: tuple[Gpu, ...], pasted: Pasted) -> tuple[str, str]:
    """Return the version of a GPU's graphics driver and the fact that holds it; a text that tells one driver tells that of the one GPU.

    Raises:
        Undecided: it is not known.
    """
    if isinstance(gpu.driver_version, Unknown) and isinstance(pasted.windows_driver, str) and len(usable(gpus)) == 1:
        return pasted.windows_driver, "pasted.windows_driver"
    return told(gpu, gpus, "driver_version"), paths([gpu], gpus, "driver_version")[0]


def _is_below(driver: str, minimum: int) -> bool:
    number = parse_windows(driver)
    return number is not None and number < minimum


def _xpu_version(torch: Torch) -> str:
    """Return the version of a torch with XPU support, or empty."""
    return known_or(torch.version, "") if known_or(torch.build, "") == TorchBuild.XPU else ""
