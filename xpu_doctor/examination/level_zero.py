"""Asks Level Zero in a child of the target interpreter: four stages, and the same again without what hides devices.

run = LevelZeroRun(patient)          # starts at once, in the background
facts, stages = run.finish()         # facts.LevelZero and the records of the stages (for snapshot.run)
xpu = second_count(patient, ...)     # only where torch counts fewer devices than Level Zero
adapters = adapter_log(patient)      # only where torch counts none
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import Any

from xpu_doctor.model.facts import LevelZero, LibraryLoad, Stage, UrAdapter, ZeDevice
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown
from xpu_doctor.process.run import run
from xpu_doctor.tables.variables import hiding_variables
from xpu_doctor.target.agent_run import AgentRun, Listener, Patient, StageResult
from xpu_doctor.target.stage_facts import filled
from xpu_doctor.target.stages import LEVEL_ZERO_STAGES
from xpu_doctor.text.sycl_loader_log import log_variables, parse_ur_loader

SECONDS = 20.0


def ze_filters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the set variables by which Level Zero or the driver may hide devices."""
    return tuple(name for name in sorted(hiding_variables("level-zero")) if name in environment)


def sycl_filters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the set variables by which SYCL may hide devices."""
    return tuple(name for name in hiding_variables("sycl") if name in environment)


class LevelZeroRun:
    """The Level Zero stages in the background; a second process asks without filters only where one is set."""

    def __init__(self, patient: Patient, listener: Listener | None = None) -> None:
        self._patient = patient
        self._filters = ze_filters(patient.environment)
        self._first = AgentRun(patient, LEVEL_ZERO_STAGES, listener)
        self._second = AgentRun(without(patient, self._filters), LEVEL_ZERO_STAGES) if self._filters else None

    def finish(self) -> tuple[LevelZero, tuple[Stage, ...]]:
        """Wait for the end; return the facts and the stages' records.

        Raises:
            OSError: the interpreter cannot be started.
        """
        results = self._first.results()
        facts = level_zero_facts(results)
        facts = dataclasses.replace(facts, filters=self._filters, unfiltered_devices=self._unfiltered(facts))
        if isinstance(facts.init_code, int) and facts.init_code != 0:
            facts = dataclasses.replace(facts, libraries=self._libraries())
        stages = tuple(filled(Stage, result.record) for result in results if result.name in LEVEL_ZERO_STAGES)
        return facts, stages

    def close(self) -> None:
        """End the children at once, if they still run."""
        self._first.close()
        if self._second is not None:
            self._second.close()

    def _unfiltered(self, facts: LevelZero) -> Maybe[tuple[ZeDevice, ...]]:
        if self._second is None:
            return facts.devices
        return level_zero_facts(self._second.results()).devices

    def _libraries(self) -> Maybe[tuple[LibraryLoad, ...]]:
        result = next(
            (item for item in AgentRun(self._patient, ("ze_library",)).results() if item.name == "ze_library"), None
        )
        if result is None or result.outcome != StageOutcome.OK:
            return Unknown(
                "loading the driver's libraries gave no answer"
                if result is None
                else str(result.record.get("reason", result.outcome))
            )
        rows = result.facts.get("libraries")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            return Unknown("the answer is damaged")
        return tuple(LibraryLoad(*(str(row.get(name, "")) for name in ("name", "path", "error"))) for row in rows)


def without(patient: Patient, names: tuple[str, ...]) -> Patient:
    """Return the same patient with some variables unset."""
    environment = {name: value for name, value in patient.environment.items() if name not in names}
    return dataclasses.replace(patient, environment=environment)


def level_zero_facts(results: tuple[StageResult, ...]) -> LevelZero:
    """Return the facts of the four stages; what a dead stage kept back is unknown, with how it died."""
    by_name = {result.name: result for result in results}
    values: dict[str, Any] = {}
    died = late = ""
    for name in LEVEL_ZERO_STAGES:
        result = by_name.get(name)
        if result is None or result.outcome != StageOutcome.OK:
            reason = "did not run" if result is None else str(result.record.get("reason", result.outcome))
            skipped = result is not None and result.outcome == StageOutcome.SKIPPED
            late = f"{name}: {reason}" if skipped else ""
            died = died or (f"{name}: {reason}" if result is not None and not skipped else "")
            break
        values.update(result.facts)
    facts = filled(LevelZero, values)
    stopped = died or late or _why_stopped(facts)
    unknown = Unknown(stopped or "the stage gave no facts")
    empty = [
        field.name
        for field in dataclasses.fields(facts)
        if isinstance(getattr(facts, field.name), Unknown) and field.name in _LATER
    ]
    kept = {name: unknown for name in empty if getattr(facts, name) == NOT_EXAMINED}
    return dataclasses.replace(facts, died=died, **kept)


_LATER = (
    "loader_loaded",
    "loader_error",
    "loader_path",
    "init_code",
    "init_result",
    "driver_library",
    "drivers",
    "devices",
)


def _why_stopped(facts: LevelZero) -> str:
    if facts.loader_loaded is False:
        return "the Level Zero loader could not be loaded"
    if isinstance(facts.init_code, int) and facts.init_code != 0:
        return f"zeInit returned {facts.init_result}"
    return ""


def second_count(patient: Patient, deadlines: Mapping[str, float] | None = None) -> Maybe[int]:
    """Return how many devices torch counts in a run without the variables that hide devices from SYCL."""
    names = sycl_filters(patient.environment)
    if not names:
        return Unknown("no variable that hides devices from SYCL is set")
    for result in AgentRun(without(patient, names), ("import", "xpu")).results():
        if (
            result.name == "xpu"
            and result.outcome == StageOutcome.OK
            and isinstance(result.facts.get("device_count"), int)
        ):
            return int(result.facts["device_count"])
        if result.outcome != StageOutcome.OK:
            return Unknown(
                f"the run without {', '.join(names)} ended in the stage {result.name}: {result.record.get('reason', result.outcome)}"
            )
    return Unknown("the second run gave no count")


COUNT = "import torch; torch.xpu.device_count()"


def adapter_log(patient: Patient, seconds: float = SECONDS * 3) -> Maybe[tuple[UrAdapter, ...]]:
    """Return what the Unified Runtime loader says of its adapters in a run of torch that counts devices."""
    if patient.limit is not None:
        if patient.limit.is_over:
            return Unknown(patient.limit.reason)
        seconds = min(seconds, patient.limit.remaining)
    variables = {**patient.environment, **log_variables("windows" if os.name == "nt" else "linux")}
    mark = os.urandom(8).hex()  # torch runs in it, and may leave processes behind
    try:
        ended = run(
            [patient.python, "-B", "-c", COUNT],
            seconds,
            variables,
            folder=patient.folder,
            account=patient.account,
            mark=mark,
        )
    except OSError as error:
        return Unknown(f"{patient.python}: cannot be started: {error.strerror or error}")
    if ended.code is None:
        return Unknown(f"{patient.python}: no answer in {seconds:.3g} s")
    adapters = parse_ur_loader(ended.stderr + "\n" + ended.stdout)
    return adapters or Unknown("the run printed no line of the Unified Runtime loader")
