"""The Level Zero loader is older than torch's SYCL runtime or the GPU driver needs."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, LevelZero, Machine, Torch, Xpu
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, holds, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.driver import install_loader
from xpu_doctor.rules.support.gpus import none_to_use
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.drivers import LoaderFloor
from xpu_doctor.tables.rows import rows
from xpu_doctor.text.sycl_loader_log import missing_symbol

UNSUPPORTED_VERSION = 0x78000002


class LevelZeroLoaderTooOld(Rule):
    """The Level Zero loader is older than torch's SYCL runtime or the GPU driver needs."""

    code = "level-zero-loader-too-old"
    layer = Layer.DRIVER
    from_table = True
    explains = {
        "gpu-driver-bug": "an old loader refuses a newer driver, and zeInit fails as it does where the driver is at fault",
        "xpu-query-crashed": "counting devices calls functions that the old loader does not have",
        "xpu-unavailable": "an old loader does not load a newer driver, so it lists no device",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, torch: Torch, xpu: Xpu
    ) -> Iterator[Finding]:
        """Certain where the runtime itself named the missing symbol; else from the version, softer where torch is no XPU build."""
        if none_to_use(gpus) or level_zero.loader_loaded is False:
            return
        if holds(xpu.allocated):
            return
        for index, adapter in enumerate(known_or(level_zero.adapters, ())):
            symbol = missing_symbol(adapter.error)
            if not adapter.loaded and "level_zero" in adapter.name and symbol.startswith(("ze", "zel")):
                yield self.found(
                    "machine",
                    f"the Level Zero loader{_version(level_zero)} lacks {symbol}, which torch's SYCL runtime needs: it counts no device then, silently",
                    evidence=(
                        f"level_zero.adapters[{index}].error",
                        "level_zero.loader_version",
                        "level_zero.loader_path",
                    ),
                    remedies=install_loader(machine),
                )
                return
        if known_or(level_zero.init_code, 0) == UNSUPPORTED_VERSION:
            yield self.found(
                "machine",
                f"zeInit says that the loader{_version(level_zero)} and the GPU driver are of versions that do not fit",
                confidence=Confidence.LIKELY,
                evidence=("level_zero.init_result", "level_zero.loader_version", "driver.libraries"),
                remedies=install_loader(machine),
            )
            return
        yield from self._by_version(machine, level_zero, torch, xpu)

    def _by_version(self, machine: Machine, level_zero: LevelZero, torch: Torch, xpu: Xpu) -> Iterator[Finding]:
        if isinstance(level_zero.loader_version, Unknown) and isinstance(level_zero.loader_has_root_device, Unknown):
            raise Undecided(Unknown(level_zero.loader_version.reason, "level_zero.loader_version"))
        told = level_zero.loader_version if isinstance(level_zero.loader_version, str) else ""
        lacking = level_zero.loader_has_root_device is False
        floor = next(iter(rows(LoaderFloor)))
        old = () < numbers(told) < numbers(floor.certain_below)
        if not (lacking or old):
            return
        xpu_build = known_or(torch.build, "") == TorchBuild.XPU
        failed = known_or(xpu.device_count, -1) == 0
        broken = bool(known_or(level_zero.died, "")) or known_or(level_zero.init_code, 0) != 0
        yield self.found(
            "machine",
            f"the Level Zero loader{_version(level_zero)} is too old: {floor.needs}",
            severity=Severity.ERROR if xpu_build or broken else Severity.WARNING,
            confidence=Confidence.CERTAIN if xpu_build and failed and lacking else Confidence.LIKELY,
            evidence=(
                "level_zero.loader_version",
                "level_zero.loader_path",
                table_row(floor, f"{floor.minimum} or newer is needed"),
            ),
            remedies=install_loader(machine),
        )


def _version(level_zero: LevelZero) -> str:
    return f" {level_zero.loader_version}" if isinstance(level_zero.loader_version, str) else ""
