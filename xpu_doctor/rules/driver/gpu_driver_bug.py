"""The GPU driver's build is known bad here, or the driver itself died or failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Access, Driver, Gpu, Kernel, LevelZero, Machine, Torch
from xpu_doctor.model.facts.combined import Hardware
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.driver import install_driver
from xpu_doctor.rules.support.gpus import listed, names, none_to_use, subject
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.drivers import BadBuild, BadEffect, Build, between, installed_build, release_of
from xpu_doctor.tables.gpus import device_of, usable
from xpu_doctor.tables.rows import rows

SMALL_BAR = 256 << 20
OTHER_CODES = frozenset(
    {0x70000002, 0x70000003, 0x70000006, 0x70000007, 0x70010001, 0x78000003, 0x78000004, 0x7FFFFFFE}
)
"""Codes of zeInit that no other rule takes: neither permission, nor versions, nor a lost device, nor "uninitialized"."""
UNINITIALIZED = 0x78000001


class GpuDriverBug(Rule):
    """The GPU driver's build is known bad here, or the driver itself died or failed."""

    code = "gpu-driver-bug"
    layer = Layer.DRIVER
    explains = {
        "compute-failed": "the fault is in the code that compiles and submits the work",
        "compute-wrong-result": "the fault is in the code that compiles and submits the work",
        "gpu-hang-logged": "a driver that submits faulty work hangs the GPU, and the kernel logs that",
        "torch-import-crashed": "a package that initialises the GPU on import runs the faulty code within the import",
        "torch-import-hung": "a package that initialises the GPU on import waits in the faulty code within the import",
        "xpu-query-crashed": "counting devices runs the driver's faulty code",
        "xpu-query-hung": "counting devices waits in the driver's faulty code",
        "xpu-unavailable": "a driver that fails to initialise offers no device",
    }
    from_table = True

    def check(
        self,
        hardware: Hardware,
        access: Access,
        level_zero: LevelZero,
        driver: Driver,
        torch: Torch,
    ) -> Iterator[Finding]:
        """First what was seen to fail, then what the table says of this build."""
        if none_to_use(hardware.gpus):
            return
        died = known_or(level_zero.died, "")
        if died:
            yield self.found(
                "machine",
                f"the process died inside Level Zero ({died}): the GPU driver or its loader is broken, or the two do not fit",
                confidence=Confidence.LIKELY,
                evidence=("level_zero.died", "level_zero.loader_path", "level_zero.loader_version", "driver.packages"),
                remedies=install_driver(hardware.machine, newest=True),
            )
            return
        if known_or(hardware.machine.os, "linux") == "windows":
            yield from self._failed_on_windows(hardware.machine, hardware.gpus, level_zero, driver)
        else:
            yield from self._failed(hardware.machine, hardware.gpus, access, level_zero)
        build = installed_build(level_zero, driver)
        if isinstance(build, Unknown) or isinstance(hardware.gpus, Unknown):
            if isinstance(level_zero.died, Unknown) and isinstance(level_zero.init_code, Unknown):
                raise Undecided(Unknown(level_zero.died.reason, "level_zero.died"))
            return
        for row in rows(BadBuild):
            hit = _hit(row, usable(hardware.gpus), hardware.kernel, torch, build)
            if hit and not (row.effect is BadEffect.DEVICES and all(listed(gpu, level_zero) is True for gpu in hit)):
                yield self._known_bad(hardware.machine, row, hit, hardware.gpus, level_zero, build)

    def _failed(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], access: Access, level_zero: LevelZero
    ) -> Iterator[Finding]:
        code = known_or(level_zero.init_code, 0)
        loads = known_or(level_zero.libraries, ())
        loadable = any(not row.error for row in loads)
        if code in OTHER_CODES or (code == UNINITIALIZED and loadable and _reachable(gpus, access)):
            yield self.found(
                "machine",
                f"the GPU driver is installed and loads, but zeInit returned {level_zero.init_result}",
                confidence=Confidence.POSSIBLE,
                evidence=("level_zero.init_result", "level_zero.libraries", "level_zero.loader_version"),
                remedies=install_driver(machine, newest=True),
            )

    def _failed_on_windows(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, driver: Driver
    ) -> Iterator[Finding]:
        """Found where zeInit failed although an adapter with Intel's driver registered one that was not seen to fail to load."""
        code = known_or(level_zero.init_code, 0)
        registered = known_or(driver.library("ze_intel_gpu64.dll"), None)
        loads = known_or(level_zero.libraries, ())
        driven = [
            gpu for gpu in usable(known_or(gpus, ())) if known_or(gpu.driver_version, "") and gpu.disabled is not True
        ]
        loadable = not loads or any(not row.error for row in loads)
        if code in OTHER_CODES or (code == UNINITIALIZED and registered is not None and driven and loadable):
            seen = any(not row.error for row in loads)
            yield self.found(
                "machine",
                f"the graphics driver is installed and registers a Level Zero driver, but zeInit returned {level_zero.init_result}",
                confidence=Confidence.LIKELY if seen else Confidence.POSSIBLE,
                evidence=(
                    "level_zero.init_result",
                    *(("level_zero.libraries",) if loads else ()),
                    "driver.libraries",
                    "level_zero.loader_version",
                ),
                remedies=install_driver(machine, newest=True),
            )

    def _known_bad(
        self,
        machine: Machine,
        row: BadBuild,
        hit: list[Gpu],
        gpus: tuple[Gpu, ...],
        level_zero: LevelZero,
        build: Build,
    ) -> Finding:
        seen = row.effect is BadEffect.DEVICES and all(listed(gpu, level_zero) is False for gpu in hit)
        return self.found(
            subject(hit, gpus),
            f"the GPU driver {build.name} is known to be bad with {names(hit)}: {row.symptom}",
            severity=Severity.ERROR if seen else Severity.WARNING,
            confidence=Confidence.LIKELY,
            evidence=(build.fact, table_row(row, row.id)),
            remedies=_remedies(machine, row),
        )


def _reachable(gpus: Maybe[tuple[Gpu, ...]], access: Access) -> bool:
    """Return whether every layer below the driver is known to let a GPU through: bound, with a whole window, and its node opens."""
    if isinstance(gpus, Unknown) or isinstance(access.nodes, Unknown):
        return False
    opened = {node.path.rpartition("/")[2] for node in access.nodes if node.error == ""}
    return any(gpu.render_node in opened and _whole(gpu) for gpu in usable(gpus))


def _whole(gpu: Gpu) -> bool:
    """Return whether a card is known to show more of its memory than without Resizable BAR; integrated graphics need not."""
    device = device_of(gpu)
    card = device is None or device.family.discrete
    return not card or (isinstance(gpu.bar_bytes, tuple) and max(gpu.bar_bytes, default=0) > SMALL_BAR)


def _hit(row: BadBuild, gpus: tuple[Gpu, ...], kernel: Kernel, torch: Torch, build: Build) -> list[Gpu]:
    """GPUs for which every condition of a row is known to hold."""
    low, high = row.builds
    if not low <= build.number <= high:
        return []
    # Unknown is no hit: a row says what is known to be bad, and a guess at the rest would warn everybody.
    if row.hotfix and not (build.hotfix is not None and row.hotfix[0] <= build.hotfix <= row.hotfix[1]):
        return []
    if row.torch and not (isinstance(torch.version, str) and between(release(torch.version), row.torch)):
        return []
    if row.kernel and not (isinstance(kernel.version, str) and between(release(kernel.version), row.kernel)):
        return []
    hit = [gpu for gpu in gpus if (device := device_of(gpu)) and device.family.key in row.families]
    if row.small_bar:
        hit = [
            gpu for gpu in hit if isinstance(gpu.bar_bytes, tuple) and 0 < max(gpu.bar_bytes, default=0) <= SMALL_BAR
        ]
    return hit if len(hit) > 1 or not row.several else []


def _remedies(machine: Machine, row: BadBuild) -> tuple[Remedy, ...]:
    remedies: list[Remedy] = []
    if row.fixed:
        why = f"Build {row.fixed} (compute-runtime {release_of(row.fixed)}) and newer are free of it."
        newer = install_driver(machine, newest=True, families=frozenset(row.families))
        remedies.extend(replace(item, why=f"{why} {item.why}") for item in newer)
    if row.good:
        title = f"Or go back to compute-runtime {release_of(row.good)} (build {row.good})"
        remedies.append(Remedy(title, "It does not have this fault.", url=row.source))
    if row.workaround:
        remedies.append(
            Remedy(f"Meanwhile: {row.workaround}", "It avoids the fault without a new driver.", url=row.source)
        )
    return tuple(remedies) or (Remedy("Follow the report of this fault", "No fixed build is known.", url=row.source),)
