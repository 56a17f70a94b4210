"""The imported torch offers no XPU device that takes a tensor."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import LevelZero, Run, Xpu, XpuDevice
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Undecided, Unknown, denied, known, known_or
from xpu_doctor.rules.support.gpu_presence import presence
from xpu_doctor.rules.support.stages import FAILED, ended, examine, look_closer, stage_evidence
from xpu_doctor.rules.support.xpu_query import CODE
from xpu_doctor.tables.builds import named
from xpu_doctor.text.sycl_loader_log import log_variables

LOG = "With SYCL_UR_TRACE=1 (and UR_LOG_LOADER='{}') set before it, the SYCL runtime tells what it loads."


class XpuUnavailable(Rule):
    """The imported torch offers no XPU device that takes a tensor."""

    code = "xpu-unavailable"
    layer = Layer.ENUMERATION
    symptom = True
    explains = {
        "compute-failed": "an operation on a device that torch.xpu does not offer fails",
        "program-never-used-gpu": "a program that finds no XPU device runs on the CPU",
        "silent-cpu-fallback": "a program that finds no XPU device runs on the CPU",
    }

    def check(
        self,
        xpu: Xpu,
        run: Run,
        installation: Installation,
        hardware: Hardware,
        level_zero: LevelZero,
    ) -> Iterator[Finding]:
        """Found where is_available() is false, no device is counted, or a counted device takes no tensor."""
        said = _broken_query(run) or _said(xpu)
        if said is None:
            return
        summary, evidence = said
        partly = _some_work(xpu)
        build = known_or(installation.torch.build, TorchBuild.XPU)
        if build != TorchBuild.XPU:
            summary += f": torch {known_or(installation.torch.version, '')} is {named(build)}".replace("  ", " ")
            evidence = ("torch.build", *evidence)
        severity = (
            Severity.ERROR
            if build == TorchBuild.XPU
            else presence(build, hardware.machine, hardware.gpus, hardware.kernel).severity
        )
        if build != TorchBuild.XPU:
            why = "Only an XPU build offers devices; the whole examination tells how to get one into this environment."
            remedies: tuple[Remedy, ...] = (examine(installation.python, why),)
        else:
            level = log_variables(known_or(installation.python.os, ""))["UR_LOG_LOADER"]
            remedies = (look_closer(installation.python, CODE, LOG.format(level)),)
        yield self.found(
            "machine",
            summary,
            severity=Severity.WARNING if partly else severity,
            evidence=(*evidence, *_left_out(level_zero)),
            remedies=remedies,
        )


def _left_out(level_zero: LevelZero) -> tuple[str, ...]:
    """Return why the Unified Runtime has left out its Level Zero adapters, where it took none of them."""
    rows = [(number, row) for number, row in enumerate(known_or(level_zero.adapters, ())) if "level_zero" in row.name]
    if any(row.loaded for _, row in rows):
        return ()
    return tuple(f"level_zero.adapters[{number}].error" for number, row in rows if row.error)


Said = tuple[str, tuple[str | Evidence, ...]]


def _broken_query(run: Run) -> Said | None:
    """Return the reason and the evidence of a stage that ended with an exception where torch.xpu was asked."""
    try:
        stage = ended(run, ("xpu", "allocate"))
    except Undecided:
        return None
    if stage is None or stage.outcome not in FAILED:
        return None
    return f"asking torch.xpu failed: {stage.reason or 'the process left without a word'}", stage_evidence(
        run, stage, "traceback"
    )


def _said(xpu: Xpu) -> Said | None:
    if known_or(xpu.error, ""):
        return f"asking torch.xpu failed: {known(xpu.error)}", ("xpu.error",)
    if known_or(xpu.allocated, False):
        return None
    if known_or(xpu.device_count, -1) == 0 or not known(xpu.available):
        return "torch.xpu offers no device", tuple(
            f"xpu.{name}"
            for name in ("available", "device_count", "compiled", "warnings")
            if not isinstance(getattr(xpu, name), Unknown)
        )
    refused = [device for device in _devices(xpu) if denied(device.allocated)]
    if refused:
        names = ", ".join(
            f"xpu:{device.index}" + (f" ({device.error})" if device.error else "") for device in refused[:3]
        )
        return f"torch.xpu counts {len(_devices(xpu))} and no tensor could be made on {names}", (
            "xpu.device_count",
            *(f"xpu.devices[{device.index}].error" for device in refused if device.error),
        )
    known(xpu.allocated)
    return None


def _devices(xpu: Xpu) -> tuple[XpuDevice, ...]:
    return known_or(xpu.devices, ())


def _some_work(xpu: Xpu) -> bool:
    return any(known_or(device.allocated, False) for device in _devices(xpu))
