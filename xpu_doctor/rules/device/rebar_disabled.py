"""A discrete GPU without Resizable BAR, which the compute driver refuses."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, LevelZero, Machine, Pasted
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, Unknown, holds, known, known_or
from xpu_doctor.remedies.driver import rebar
from xpu_doctor.rules.support.gpus import listed, paths, subject, told
from xpu_doctor.tables.gpus import device_of, title, usable

SMALL_BAR = 256 << 20
"""Bytes of memory that a card shows without Resizable BAR; every discrete card of these families has 4 GiB or more."""


class RebarDisabled(Rule):
    """A discrete GPU without Resizable BAR, which the compute driver refuses."""

    code = "rebar-disabled"
    layer = Layer.DEVICE
    explains = {
        "gpu-driver-bug": "the compute driver refuses a card with a small memory window, and zeInit fails with the code of a driver's fault",
        "xpu-unavailable": "the compute driver does not list a card with a small memory window",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], level_zero: LevelZero, pasted: Pasted
    ) -> Iterator[Finding]:
        """Found for each such card: an error unless Level Zero lists it, or i915 drives it and nobody asked Level Zero."""
        if holds(machine.wsl):
            return
        seen = known(gpus)
        windows = known_or(machine.os, "linux") == "windows"  # which never tells it, so that nothing is asked for
        for gpu in usable(seen):
            device = device_of(gpu)
            if device is None or not device.family.rebar:
                continue
            if windows and isinstance(gpu.bar_bytes, Unknown):
                continue
            largest = max(told(gpu, seen, "bar_bytes"), default=0)
            if not 0 < largest <= SMALL_BAR:
                continue
            there = listed(gpu, level_zero)
            if isinstance(there, Unknown) and known_or(pasted.level_zero_gpus, 0) >= len(usable(seen)):
                there = True
            tolerated = isinstance(there, Unknown) and known_or(gpu.kernel_driver, "") == "i915"
            severity = Severity.INFO if there is True else Severity.WARNING if tolerated else Severity.ERROR
            guest = bool(known_or(machine.hypervisor, ""))
            yield self.found(
                subject([gpu], seen),
                f"{title(gpu)} shows only {largest >> 20} MiB of its memory: Resizable BAR is off, {_so(there, tolerated)}",
                severity=severity,
                confidence=Confidence.LIKELY if guest or tolerated else Confidence.CERTAIN,
                evidence=(*paths([gpu], seen, "bar_bytes"), *paths([gpu], seen, "kernel_driver")),
                remedies=rebar(windows),
            )


def _so(there: Maybe[bool], tolerated: bool) -> str:
    if there is True:
        return "and the compute driver lists it all the same"
    return (
        "which the compute driver bears on i915 and refuses on xe"
        if tolerated
        else "and the compute driver refuses such a card"
    )
