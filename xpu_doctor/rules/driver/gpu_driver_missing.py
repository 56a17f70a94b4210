"""The Level Zero loader is here, the GPU driver behind it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Driver, Gpu, LevelZero, LibraryLoad, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.remedies.driver import install_driver, switch_on
from xpu_doctor.rules.support.gpus import families, initialised, none_to_use, paths, presence
from xpu_doctor.tables.gpus import title, usable

DEPENDENCY_UNAVAILABLE = 0x70020000
BASIC = ("Microsoft Basic", "Standard VGA")
BASIC_SERVICE = "BasicDisplay"
"""Its name is the same in every language of Windows."""
NEEDS_MORE = "zeInit says that a library which the GPU driver needs is missing"
NO_LOAD = "the GPU driver is installed but does not load"


class GpuDriverMissing(Rule):
    """The Level Zero loader is here, the GPU driver behind it is not."""

    code = "gpu-driver-missing"
    layer = Layer.DRIVER
    explains = {
        "program-never-used-gpu": "torch reaches the GPU through this driver alone",
        "xpu-unavailable": "Level Zero lists devices through this driver alone",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, driver: Driver
    ) -> Iterator[Finding]:
        """Certain where the driver's library was tried or is nowhere; undecided where neither could be seen."""
        for finding in self._missing(machine, gpus, level_zero, driver):
            remedies = finding.remedies or install_driver(machine, families=families(gpus))
            yield self._capped(replace(finding, remedies=remedies), presence(gpus, machine))

    def _missing(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, driver: Driver
    ) -> Iterator[Finding]:
        if none_to_use(gpus):
            return
        if known_or(machine.os, "linux") == "windows":
            yield from self._windows(gpus, level_zero, driver)
            return
        worked = initialised(level_zero)
        if worked is True:
            return
        known(machine.os)
        if known_or(level_zero.init_code, 0) == DEPENDENCY_UNAVAILABLE:
            yield self._found(NEEDS_MORE, ("level_zero.init_result", "level_zero.libraries"))
            return
        if isinstance(level_zero.libraries, tuple):
            yield from self._tried(machine, level_zero.libraries)
            return
        library = driver.library("libze_intel_gpu")
        if isinstance(library, Unknown):
            raise Undecided(Unknown(library.reason, "driver.libraries"))
        if library is None:
            sure = isinstance(driver.packages, tuple) and not any(
                "gpu" in row.name or row.name in PACKAGED for row in driver.packages
            )
            confidence = Confidence.CERTAIN if sure else Confidence.LIKELY
            summary = "no Level Zero GPU driver (libze_intel_gpu.so.1) is in the system's library folders"
            yield self._found(summary, ("driver.libraries", "driver.packages"), confidence)
        elif isinstance(worked, Unknown) and not isinstance(level_zero.loader_loaded, bool):
            return

    def _tried(self, machine: Machine, loads: tuple[LibraryLoad, ...]) -> Iterator[Finding]:
        if any(not row.error for row in loads):
            return
        broken = next((row for row in loads if row.error and not _itself(row)), None)
        if broken is not None:
            yield self._found(f"{NO_LOAD}: {broken.error}", ("level_zero.libraries",))
        else:
            summary = "no Level Zero GPU driver is installed: libze_intel_gpu.so.1 cannot be found (the loader and an OpenCL driver alone are not enough)"
            yield self._found(summary, ("level_zero.init_result", "level_zero.libraries", "driver.packages"))

    def _windows(self, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, driver: Driver) -> Iterator[Finding]:
        """First what Windows says of each adapter, then what Level Zero said, then what the driver registered."""
        bare = list(self._without_driver(known_or(gpus, ())))
        if bare or initialised(level_zero) is True:
            yield from bare
            return
        if known_or(level_zero.init_code, 0) == DEPENDENCY_UNAVAILABLE:
            yield self._found(NEEDS_MORE, ("level_zero.init_result", "level_zero.libraries"))
            return
        loads = known_or(level_zero.libraries, ())
        broken = next((row for row in loads if row.error), None)
        if broken is not None and not any(not row.error for row in loads):
            yield self._found(f"{NO_LOAD}: {broken.error}", ("level_zero.init_result", "level_zero.libraries"))
            return
        if known(driver.library("ze_intel_gpu64.dll")) is None:
            failed = ("level_zero.init_result",) if known_or(level_zero.init_code, 0) else ()
            summary = "the graphics driver registers no Level Zero driver (ze_intel_gpu64.dll)"
            yield self._found(summary, (*failed, "driver.libraries"), Confidence.LIKELY)

    def _without_driver(self, gpus: tuple[Gpu, ...]) -> Iterator[Finding]:
        """Found for each Intel GPU of Windows that is switched off, or that Intel's driver does not drive."""
        for gpu in usable(gpus):
            name = paths([gpu], gpus, "name")
            if gpu.disabled is True:
                # One that was taken out since keeps the mark.
                switched_off = self._found(
                    f"{title(gpu)} is switched off in Device Manager",
                    paths([gpu], gpus, "disabled"),
                    Confidence.LIKELY,
                )
                yield replace(switched_off, remedies=(switch_on(),))
            elif gpu.service == BASIC_SERVICE or gpu.name.startswith(BASIC):
                service = paths([gpu], gpus, "service") if isinstance(gpu.service, str) else ()
                yield self._found(
                    f"{title(gpu)} runs with Windows' own basic driver ({gpu.name}): Intel's graphics driver is not installed",
                    (*name, *service),
                )
            elif gpu.service == "":
                # The list of the bus keeps devices that were taken out, so this is not certain.
                yield self._found(
                    f"{title(gpu)} has no driver: Intel's graphics driver is not installed",
                    (*paths([gpu], gpus, "device_id"), *paths([gpu], gpus, "service")),
                    Confidence.LIKELY,
                )

    def _found(self, summary: str, evidence: tuple[str, ...], confidence: Confidence = Confidence.CERTAIN) -> Finding:
        return self.found("machine", summary, evidence=evidence, confidence=confidence)

    def _capped(self, finding: Finding, most: Confidence) -> Finding:
        return replace(finding, confidence=most) if most.rank < finding.confidence.rank else finding


PACKAGED = ("intel-level-zero", "intel-compute-runtime")


def _itself(row: LibraryLoad) -> bool:
    """Return whether the linker missed this very library, not one that it needs."""
    missing = re.match(r"(?<!\S)(\S{1,400}?): cannot open shared object file", row.error)
    return missing is not None and missing[1].rpartition("/")[2] == row.name
