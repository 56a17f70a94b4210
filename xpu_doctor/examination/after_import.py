"""Facts that need to know how far torch got: Level Zero's own view, second enumerations, the timed matmul, known messages."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from xpu_doctor.diagnosis.known_messages import match
from xpu_doctor.examination.level_zero import adapter_log, second_count, sycl_filters
from xpu_doctor.examination.matmul import with_compute
from xpu_doctor.model.facts import Errors, Run, Stage, Xpu
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, Source
from xpu_doctor.model.terms import Part, StageOutcome, TorchBuild
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.text.word_index import IndexedText

if TYPE_CHECKING:
    from collections.abc import Callable

    from xpu_doctor.examination.level_zero import LevelZeroRun
    from xpu_doctor.examination.session import Session


def deeper_facts(
    snapshot: Snapshot, session: Session, level_zero: LevelZeroRun | None, timings: dict[str, float]
) -> Snapshot:
    """Return the snapshot with what only a look after the import can tell; a part that fails never stops the others."""
    parts: tuple[tuple[str, Callable[[Snapshot, Session], Snapshot]], ...] = (
        ("level-zero", lambda before, _: _with_level_zero(before, level_zero)),
        ("enumerations", _with_second_enumerations),
        ("compute", _with_compute),
        ("messages", _with_known_messages),
    )
    for name, part in parts:
        started = time.monotonic()
        try:
            snapshot = part(snapshot, session)
        except Exception as error:  # one reader's fault must not prevent the report
            snapshot = replace(
                snapshot,
                failures=(*snapshot.failures, ProbeFailure(Part.PROBE, name, f"{type(error).__name__}: {error}")),
            )
        seconds = time.monotonic() - started
        if seconds > 0.01:
            timings[name] = seconds
    return snapshot


def _with_level_zero(snapshot: Snapshot, level_zero: LevelZeroRun | None) -> Snapshot:
    """Level Zero was asked in its own child while torch was being imported."""
    if level_zero is None:
        return snapshot
    facts, stages = level_zero.finish()
    earlier = known_or(snapshot.run.stages, ())
    source = Source("level_zero", "Level Zero, asked in a child of the target interpreter")
    return replace(snapshot, level_zero=facts, run=Run((*earlier, *stages)), sources=(*snapshot.sources, source))


def _with_second_enumerations(snapshot: Snapshot, session: Session) -> Snapshot:
    """Where torch counts too few devices: once more without the variables that hide them, and with the loader's own log."""
    xpu = snapshot.xpu
    raised = isinstance(xpu.error, str) and bool(xpu.error)
    if (
        not session.selection.wants(Layer.ENUMERATION)
        or snapshot.torch.build != TorchBuild.XPU
        or not (raised or isinstance(xpu.device_count, int))
    ):
        return snapshot
    count = xpu.device_count if isinstance(xpu.device_count, int) else 0
    if sycl_filters(session.variables) and count < _devices_of_level_zero(snapshot):
        xpu = replace(xpu, unfiltered_count=second_count(session.patient))
    if _working(xpu) == 0 and snapshot.imported.succeeded is True:
        level_zero = replace(snapshot.level_zero, adapters=adapter_log(session.patient))
        snapshot = replace(snapshot, level_zero=level_zero)
    return replace(snapshot, xpu=xpu)


def _devices_of_level_zero(snapshot: Snapshot) -> int:
    """How many devices Level Zero lists; where that is not known, enough to make a second count worth its time."""
    devices = snapshot.level_zero.devices
    return len(devices) if isinstance(devices, tuple) else 1 << 16


def _working(xpu: Xpu) -> int:
    """Devices that took a tensor; since torch 2.13 the count alone comes from another library than the one that computes."""
    return sum(1 for device in xpu.devices if device.allocated is True) if isinstance(xpu.devices, tuple) else 0


def _with_compute(snapshot: Snapshot, session: Session) -> Snapshot:
    """Return the snapshot with the timed matmul, which runs only where there is a device to run it on."""
    if not session.wants("matmul", Layer.COMPUTE):
        return snapshot
    if not session.devices and not (isinstance(snapshot.xpu.device_count, int) and snapshot.xpu.device_count > 0):
        return (
            replace(snapshot, compute=replace(snapshot.compute, devices=()))
            if snapshot.xpu.device_count == 0
            else snapshot
        )

    return with_compute(snapshot, session)


def _with_known_messages(snapshot: Snapshot, session: Session) -> Snapshot:
    """Known messages in what the stages said when they failed."""
    texts = [
        (f"stage {stage.name}", "\n".join((stage.reason, stage.traceback, stage.output)))
        for stage in _failed_stages(snapshot)
    ]
    if isinstance(snapshot.xpu.error, str) and snapshot.xpu.error:
        texts.append(("torch.xpu", snapshot.xpu.error))
    for group, warnings in (("import", snapshot.imported.warnings), ("torch.xpu", snapshot.xpu.warnings)):
        if isinstance(warnings, tuple) and warnings:
            texts.append((f"warnings of {group}", "\n".join(warnings)))
    if isinstance(snapshot.xpu.devices, tuple):
        texts += [(f"xpu:{device.index}", device.error) for device in snapshot.xpu.devices if device.error]
    if isinstance(snapshot.compute.devices, tuple):
        texts += [(f"matmul on {device.device}", device.error) for device in snapshot.compute.devices if device.error]
    # Nothing has failed, so it is known that no message was met.
    if not texts:
        return replace(snapshot, errors=Errors(())) if isinstance(snapshot.errors.met, Unknown) else snapshot

    met = tuple(error for source, text in texts for error in match(IndexedText(text), source))
    return replace(snapshot, errors=Errors(met))


def _failed_stages(snapshot: Snapshot) -> list[Stage]:
    stages = known_or(snapshot.run.stages, ())
    return [stage for stage in stages if stage.outcome not in (StageOutcome.OK, StageOutcome.SKIPPED)]
