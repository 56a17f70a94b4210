"""The Level Zero loader is not installed, or does not load."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Driver, Gpu, LevelZero, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.remedies.driver import install_driver
from xpu_doctor.rules.support.gpus import families, none_to_use, presence

ABSENT = ("cannot open shared object file", "Could not find module", "[WinError 126]", "image not found")


class LevelZeroLoaderMissing(Rule):
    """The Level Zero loader is not installed, or does not load."""

    code = "level-zero-loader-missing"
    layer = Layer.DRIVER
    explains = {
        "program-never-used-gpu": "torch reaches the driver through this loader alone",
        "xpu-unavailable": "torch.xpu reaches the driver through this loader alone",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, driver: Driver
    ) -> Iterator[Finding]:
        """Found where loading it failed; from files alone where nobody tried, and then only likely."""
        if none_to_use(gpus):
            return
        name = "ze_loader.dll" if known_or(machine.os, "linux") == "windows" else "libze_loader.so.1"
        if isinstance(level_zero.loader_loaded, Unknown):
            library = driver.library(name.partition(".")[0])
            if isinstance(library, Unknown):
                raise Undecided(Unknown(level_zero.loader_loaded.reason, "level_zero.loader_loaded"))
            if library is None:
                yield self.found(
                    "machine",
                    f"the Level Zero loader ({name}) is in none of the system's library folders",
                    confidence=Confidence.LIKELY,
                    evidence=("driver.libraries", "driver.packages"),
                    remedies=install_driver(machine, families=families(gpus)),
                )
            return
        if known(level_zero.loader_loaded):
            return
        said = str(known_or(level_zero.loader_error, ""))
        absent = (name in said.split(":")[0] and any(words in said for words in ABSENT)) or not said
        summary = (
            f"the Level Zero loader ({name}) is not installed"
            if absent
            else f"the Level Zero loader does not load: {said}"
        )
        yield self.found(
            "machine",
            summary,
            confidence=presence(gpus, machine),
            evidence=("level_zero.loader_error", "driver.packages"),
            remedies=install_driver(machine, families=families(gpus)),
        )
