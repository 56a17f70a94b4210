"""Turns what the agent's stages said into fact groups; what is damaged becomes unknown, never an exception."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from xpu_doctor.model.facts import Import, Run, Stage, Xpu, XpuDevice
from xpu_doctor.model.snapshot import Snapshot, Source
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.target.agent_run import StageResult
from xpu_doctor.target.stages import STAGES

Group = TypeVar("Group")

_EMPTY = Snapshot()
GROUPS: Mapping[str, tuple[str, type[Any]]] = {
    stage.name: (stage.fills, type(getattr(_EMPTY, stage.fills))) for stage in STAGES if stage.fills
}
"""Stage name to the snapshot field that it fills, and that field's type."""


def groups_of(results: Iterable[StageResult], asked: Iterable[str]) -> dict[str, Any]:
    """Return the fact groups that stages filled, by snapshot field; `asked` names all stages that were to run."""
    by_name = {result.name: result for result in results}
    groups: dict[str, Any] = {}
    for stage in asked:
        if stage in GROUPS:
            field, kind = GROUPS[stage]
            groups[field] = _group(kind, by_name.get(stage), stage)
    if "import" in groups or "imported" in groups:
        groups["imported"] = _imported(groups["imported"], by_name.get("import"))
    if "xpu" in groups:
        groups["xpu"] = _with_allocations(groups["xpu"], by_name.get("allocate"))
    groups["run"] = Run(tuple(filled(Stage, result.record) for result in by_name.values()))
    return groups


def _group(kind: type[Group], result: StageResult | None, stage: str) -> Group:
    if result is None:
        return unknown_group(kind, f"the stage {stage} did not run")
    if result.outcome != StageOutcome.OK and not result.facts:
        return unknown_group(kind, f"the stage {stage} gave no facts: {result.record.get('reason', result.outcome)}")
    return filled(kind, result.facts)


def unknown_group(kind: type[Group], reason: str) -> Group:
    """Return a fact group in which every fact that can be unknown is, for one reason."""
    empty: Any = kind()
    changed: Group = dataclasses.replace(
        empty, **{name: Unknown(reason) for name in _fields(kind) if isinstance(getattr(empty, name), Unknown)}
    )
    return changed


def filled(kind: type[Group], values: Mapping[str, Any]) -> Group:
    """Return a fact group from plain JSON values; a value of a wrong type becomes unknown by itself."""
    fitting = {name: value for name, value in values.items() if name in _fields(kind)}
    try:
        return msgspec.convert(fitting, kind)
    except (msgspec.ValidationError, TypeError, UnicodeError):  # a lone surrogate where no text belongs
        return _salvaged(kind, fitting)


def _salvaged(kind: type[Group], values: Mapping[str, Any]) -> Group:
    """Convert field by field, so that one damaged value does not cost the others."""
    required = {field.name: "" for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING}  # type: ignore[arg-type]
    good: dict[str, Any] = {name: str(values.get(name, "")) for name in required}
    for name, value in values.items():
        if name in required:
            continue
        try:
            good[name] = getattr(msgspec.convert({**required, name: value}, kind), name)
        except (msgspec.ValidationError, TypeError, UnicodeError) as error:
            if isinstance(getattr(kind(**required), name, None), Unknown):
                good[name] = Unknown(f"the answer is damaged: {error}")
    return kind(**good)


def _fields(kind: type[Any]) -> Iterable[str]:
    names: Iterable[str] = kind.__dataclass_fields__
    return names


def _imported(group: Import, result: StageResult | None) -> Import:
    """Return the group as failed where the stage ran and gave nothing; only a stage that did not run leaves it unknown."""
    if result is None or result.outcome == StageOutcome.SKIPPED or group.succeeded is True:
        return group
    return dataclasses.replace(group, succeeded=False)


def _with_allocations(xpu: Xpu, result: StageResult | None) -> Xpu:
    """Add to each device whether it took a tensor."""
    if isinstance(xpu.device_count, Unknown) or isinstance(xpu.devices, Unknown):
        return xpu
    if result is None or result.outcome != StageOutcome.OK:
        reason = (
            "the stage allocate did not run"
            if result is None
            else f"the stage allocate ended: {result.record.get('reason', result.outcome)}"
        )
        return dataclasses.replace(xpu, allocated=False if xpu.device_count == 0 else Unknown(reason))
    given = result.facts.get("allocations")
    rows = (
        {row["index"]: row for row in given if isinstance(row, dict) and isinstance(row.get("index"), int)}
        if isinstance(given, list)
        else {}
    )
    devices = tuple(_allocated(device, rows.get(device.index)) for device in xpu.devices)
    return dataclasses.replace(
        xpu, devices=devices, allocated=bool(devices) and all(device.allocated is True for device in devices)
    )


def _allocated(device: XpuDevice, row: Mapping[str, Any] | None) -> XpuDevice:
    if row is None:
        return device
    return dataclasses.replace(
        device, allocated=bool(row.get("allocated")), error=device.error or str(row.get("error", ""))
    )


def sources_of(asked: Iterable[str]) -> tuple[Source, ...]:
    """Return who saw the facts of each stage."""
    rows = [Source(GROUPS[stage][0], f"the target interpreter, stage {stage}") for stage in asked if stage in GROUPS]
    return (*rows, Source("run", "the doctor's watch over the target interpreter"))
