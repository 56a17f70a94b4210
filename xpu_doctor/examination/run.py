"""Examines this machine and one interpreter: starts the agent first, then asks the host, then waits.

with start(session) as running:       # two interpreters start at once; import what is heavy after this
    examined = finish(running, plugins, while_waiting)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING

from xpu_doctor.examination.session import Session
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import FOR_ALL, Selection
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.target.agent_run import AgentRun, StageResult
from xpu_doctor.target.stages import STATIC_STAGES

if TYPE_CHECKING:
    from xpu_doctor.catalogue.plugins import Plugins
    from xpu_doctor.examination.level_zero import LevelZeroRun
    from xpu_doctor.host.interface import Host
    from xpu_doctor.model.snapshot import Snapshot

START = "start"
"""Name of the record of an interpreter that died before any stage, where it starts without its environment."""


@dataclass(frozen=True)
class Examined:
    """The facts, and how long each part took in seconds."""

    snapshot: Snapshot
    timings: dict[str, float]


class Running:
    """An examination under way: the processes that were started for it. Leaving the `with` block ends what still runs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        patient = session.patient
        self.static = AgentRun(patient, session.static_stages, session.listener("static"))
        live = session.live_stages
        self.live = AgentRun(patient, live, session.listener("live")) if live else None
        self.level_zero: LevelZeroRun | None = None

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start_level_zero(self, gpus: object) -> None:
        """Ask Level Zero beside the import, unless the bus shows that there is no Intel GPU to ask for."""
        nothing = isinstance(gpus, tuple) and not any(gpu.vendor in ("intel", "microsoft") for gpu in gpus)
        if self.session.wants("level-zero", Layer.DRIVER) and not nothing:
            from xpu_doctor.examination.level_zero import LevelZeroRun

            self.level_zero = LevelZeroRun(self.session.patient, self.session.listener("level zero"))

    def static_results(self) -> tuple[StageResult, ...]:
        """Return the results of the static stages; an interpreter that cannot start as it is gets a second try without its environment.

        Raises:
            OSError: the interpreter cannot be started.
        """
        results = self.static.results()
        first = next(iter(results), None)
        if first is None or first.outcome in (StageOutcome.OK, StageOutcome.ERROR, StageOutcome.HANG):
            return results
        stages = self.session.static_stages
        again = AgentRun(self.session.patient, stages, self.session.listener("static"), flags=("-I",)).results()
        if not any(result.outcome == StageOutcome.OK for result in again):
            return results
        return (StageResult({**first.record, "name": START}, {}), *again)

    def live_results(self) -> tuple[StageResult, ...]:
        """Return the results of the stages that run torch; none where none was to run.

        Raises:
            OSError: the interpreter cannot be started.
        """
        return self.live.results() if self.live else ()

    def end_the_others(self) -> None:
        """End the other processes: the interpreter does not start as it is, and nobody has to wait for more deadlines."""
        if self.live:
            self.live.close()
        if self.level_zero:
            self.level_zero.close()
            self.level_zero = None

    def close(self) -> None:
        """End every interpreter that still runs."""
        self.static.close()
        if self.live:
            self.live.close()
        if self.level_zero:
            self.level_zero.close()


def start(session: Session) -> Running:
    """Start the two interpreters of an examination; call it before importing anything heavy.

    Raises:
        OSError: the interpreter cannot be started.
    """
    return Running(session)


def finish(
    running: Running, plugins: Plugins, while_waiting: Callable[[Snapshot], None] = lambda snapshot: None
) -> Examined:
    """Ask the host, wait for the agent, and return all facts.

    `while_waiting` is called with the facts so far while torch is being imported.

    Raises:
        OSError: the interpreter cannot be started.
    """
    from xpu_doctor.examination.after_import import deeper_facts
    from xpu_doctor.examination.installed import installed_facts
    from xpu_doctor.host.live import LiveHost
    from xpu_doctor.target.stage_facts import groups_of

    session = running.session
    host: Host = session.host or LiveHost(env=session.variables, account=session.rights.account)
    snapshot, timings, static = _first_facts(running, plugins, host)
    answered = _answered(static)
    snapshot = installed_facts(snapshot, session, host, timings)
    if running.live:
        while_waiting(snapshot)
    results = (*static, *(running.live_results() if answered else ()))
    groups = groups_of(results, (*STATIC_STAGES, *session.live_stages))
    live = {name: groups[name] for name in ("imported", "xpu", "run") if name in groups}
    snapshot = deeper_facts(replace(snapshot, **live), session, running.level_zero, timings)
    timings.update({result.name: _seconds(result) for result in results})
    return Examined(snapshot, timings)


def examine_machine(selection: Selection, variables: Mapping[str, str], seconds: float, plugins: Plugins) -> Examined:
    """Return what the machine alone tells, without any interpreter, within so many seconds."""
    from xpu_doctor.host.live import LiveHost
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.probes import PROBES
    from xpu_doctor.probes.runner import run_probes

    wanted = [item for item in (*PROBES, *plugins.probes) if selection.wants(item.layer) or item.name in FOR_ALL]
    gathered = run_probes(LiveHost(env=variables), wanted, seconds, lambda name: None)
    snapshot = Snapshot(
        skipped=selection.skipped,
        failures=(*plugins.failures, *plugins.blamed(gathered.failures)),
        sources=gathered.sources,
        plugins=gathered.plugins,
        **gathered.facts,
    )
    return Examined(snapshot, dict(gathered.timings))


def _first_facts(
    running: Running, plugins: Plugins, host: Host
) -> tuple[Snapshot, dict[str, float], tuple[StageResult, ...]]:
    """Return what the host and the static stages say, how long each probe took, and the stages' results."""
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.probes import PROBES
    from xpu_doctor.probes.runner import run_probes
    from xpu_doctor.target.stage_facts import groups_of, sources_of

    session = running.session
    wanted = [item for item in (*PROBES, *plugins.probes) if session.wants(item.name, item.layer)]
    seconds = session.probe_seconds
    gathered = run_probes(host, wanted, seconds, lambda name: session.tell(name, seconds, "host"), session.limit)
    running.start_level_zero(gathered.facts.get("gpus"))
    static = running.static_results()
    if not _answered(static):
        running.end_the_others()
    snapshot = Snapshot(
        skipped=session.selection.skipped,
        failures=(*plugins.failures, *plugins.blamed(gathered.failures)),
        sources=(*gathered.sources, *sources_of((*STATIC_STAGES, *session.live_stages))),
        plugins=gathered.plugins,
        **{**gathered.facts, **groups_of(static, STATIC_STAGES)},
    )
    return snapshot, dict(gathered.timings), static


def _answered(results: tuple[StageResult, ...]) -> bool:
    """Return whether the interpreter started as it is and said anything."""
    first = next(iter(results), None)
    died = (
        first is not None
        and first.outcome in (StageOutcome.CRASH, StageOutcome.EXIT, StageOutcome.HANG)
        and not first.record.get("exception")
    )
    return first is None or not (first.name == START or (first.name == "interpreter" and died))


def _seconds(result: StageResult) -> float:
    seconds = result.record.get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def now() -> str:
    """Return the time of day in UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
