"""Runs the timed matmul in a fresh interpreter, where there is a device to run it on, and adds its facts to a snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from xpu_doctor.examination.cpu_name import CpuName
from xpu_doctor.model.facts import Compute, Run
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.target.agent_run import AgentRun, Patient
from xpu_doctor.target.stage_facts import groups_of, sources_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from xpu_doctor.examination.session import Session
    from xpu_doctor.target.agent_run import Listener

IMPORT_SECONDS = 60.0
DEVICE_SECONDS = 45.0
"""Warm-up with compilation, 3 s of measuring, and what a loaded machine adds."""


def with_compute(snapshot: Snapshot, session: Session) -> Snapshot:
    """Return the snapshot with the matmuls on the devices asked for, by default on each XPU device that takes a tensor."""
    if not session.selection.wants(Layer.COMPUTE):
        return snapshot
    devices = session.devices or usable_devices(snapshot)
    if isinstance(devices, Unknown):
        return replace(snapshot, compute=Compute(devices=devices))
    if not devices:
        return replace(snapshot, compute=Compute(devices=()))
    if snapshot.imported.succeeded is not True:
        return replace(snapshot, compute=Compute(devices=Unknown("torch was not imported")))
    return measured(snapshot, session.patient, devices, listener=session.listener("compute"))


def usable_devices(snapshot: Snapshot) -> tuple[str, ...] | Unknown:
    """Return the XPU devices that took a small tensor; on another one a matmul would only repeat the failure."""
    xpu = snapshot.xpu
    if xpu.device_count == 0:
        return ()
    if isinstance(xpu.devices, Unknown):
        return xpu.devices
    taking = tuple(f"xpu:{device.index}" for device in xpu.devices if device.allocated is True)
    return taking or Unknown("no XPU device took a tensor")


def measured(
    snapshot: Snapshot,
    patient: Patient,
    devices: tuple[str, ...],
    limits: Mapping[str, Any] | None = None,
    listener: Listener | None = None,
) -> Snapshot:
    """Run the stage `compute` and return the snapshot with its facts, also where it died half-way."""
    request = {**patient.request, "compute": {"devices": list(devices), "limits": dict(limits or {})}}
    deadlines = {"compute": IMPORT_SECONDS + DEVICE_SECONDS * len(devices), **patient.deadlines}
    name = CpuName()
    try:
        results = AgentRun(replace(patient, request=request, deadlines=deadlines), ("compute",), listener).results()
    finally:
        cpu_name = name.answer()
    groups = groups_of(results, ("compute",))
    earlier = known_or(snapshot.run.stages, ())
    return replace(
        snapshot,
        compute=replace(groups["compute"], cpu_name=cpu_name),
        run=Run((*earlier, *groups["run"].stages)),
        sources=(*snapshot.sources, *(row for row in sources_of(("compute",)) if row.fact == "compute")),
    )
