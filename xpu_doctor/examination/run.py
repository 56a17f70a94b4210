"""Examines this machine and one interpreter: starts the agent first, then asks the host, then waits."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import Selection
from xpu_doctor.process.account import Rights
from xpu_doctor.target.agent_run import LIVE_STAGES, NEEDS, STATIC_STAGES, Examination, Patient, StageResult
from xpu_doctor.target.find import Choice, Surroundings, other_interpreters

if TYPE_CHECKING:
    from xpu_doctor.catalogue.plugins import Plugins
    from xpu_doctor.cli.progress import Progress
    from xpu_doctor.examination.level_zero import LevelZeroRun
    from xpu_doctor.host.live import Host
    from xpu_doctor.model.snapshot import Snapshot

STAGE_LAYERS: Mapping[str, Layer] = {
    "interpreter": Layer.WHEEL,
    "distributions": Layer.WHEEL,
    "build": Layer.WHEEL,
    "shadows": Layer.WHEEL,
    "import": Layer.IMPORT,
    "xpu": Layer.ENUMERATION,
    "allocate": Layer.ENUMERATION,
}
"""Stage of the agent to the layer whose facts it brings; the static ones are needed by every layer above too."""


START = "start"
"""Name of the record of an interpreter that died before any stage, where it starts without its environment."""


@dataclass(frozen=True)
class Examined:
    """The facts, and how long each part took in seconds."""

    snapshot: Snapshot
    timings: dict[str, float]


@dataclass
class Checkup:
    """One examination under way; make it before importing anything heavy, since the agent starts at once."""

    choice: Choice
    selection: Selection
    environment: Mapping[str, str]
    deadlines: Mapping[str, float]
    progress: Progress | None = None
    devices: tuple[str, ...] = ()
    host: Host | None = None
    """The machine to ask; None is this one."""
    rights: Rights = field(default_factory=Rights)
    """Whose rights the interpreter gets, and what the report says about that."""
    timings: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._folder = _working_folder()
        account = self.rights.account
        self.environment = account.variables(self.environment) if account else self.environment
        self._static_stages = tuple(stage for stage in STATIC_STAGES if self.selection.runs(stage))
        live = tuple(
            stage for stage in LIVE_STAGES if self.selection.wants(STAGE_LAYERS[stage]) and self.selection.runs(stage)
        )
        live = tuple(stage for stage in live if set(NEEDS.get(stage, ())) <= set(live))
        self._live_stages = live
        self.patient = Patient(
            self.choice.python,
            self.environment,
            self._folder,
            self.deadlines,
            account=account,
            bare=self.rights.bare and not live,
        )
        self._static = Examination(self.patient, self._static_stages, self._listener("static"))
        self._live = Examination(self.patient, live, self._listener("live")) if live else None
        self.level_zero: LevelZeroRun | None = None

    def _listener(self, agent: str) -> Any:
        progress = self.progress
        return (lambda stage, deadline: progress.begins(stage, deadline, agent)) if progress else None

    def close(self) -> None:
        """End every interpreter that still runs."""
        self._static.close()
        if self._live:
            self._live.close()
        if self.level_zero:
            self.level_zero.close()

    def finish(self, plugins: Plugins) -> Examined:
        """Ask the host, wait for the agent, and return all facts.

        Raises:
            OSError: the interpreter cannot be started.
        """
        from xpu_doctor.host.live import LiveHost
        from xpu_doctor.model.snapshot import Snapshot
        from xpu_doctor.probes import PROBES
        from xpu_doctor.probes.runner import run_probes
        from xpu_doctor.target.stage_facts import groups_of, sources_of

        host = self.host or LiveHost(env=self.environment, account=self.rights.account)
        wanted = [item for item in (*PROBES, *plugins.probes) if self._wants(item.name, item.layer)]
        gathered = run_probes(host, wanted, self.deadlines.get("probes", 30.0), self._tell)
        self._start_level_zero(gathered.facts.get("gpus"))
        static = self._static_results()
        if not _answered(static):
            self._end_the_others()
        snapshot = Snapshot(
            skipped=self.selection.skipped,
            failures=(*plugins.failures, *plugins.blamed(gathered.failures)),
            sources=(*gathered.sources, *sources_of((*STATIC_STAGES, *self._live_stages))),
            plugins=gathered.plugins,
            **{**gathered.facts, **groups_of(static, STATIC_STAGES)},
        )
        from xpu_doctor.examination.installed import installed_facts

        snapshot = installed_facts(snapshot, self, host)
        if self._live:
            _use_the_wait()
        results = (*static, *(self._live.results() if self._live and _answered(static) else ()))
        groups = groups_of(results, (*STATIC_STAGES, *self._live_stages))
        snapshot = replace(snapshot, **{name: groups[name] for name in ("imported", "xpu", "run") if name in groups})
        from xpu_doctor.examination.after_import import deeper_facts

        snapshot = deeper_facts(snapshot, self)
        self.timings.update(gathered.timings)
        self.timings.update({result.name: _seconds(result) for result in results})
        return Examined(snapshot, self.timings)

    def _start_level_zero(self, gpus: object) -> None:
        """Ask Level Zero beside the import, unless the bus shows that there is no Intel GPU to ask for."""
        nothing = isinstance(gpus, tuple) and not any(gpu.vendor in ("intel", "microsoft") for gpu in gpus)
        if self.selection.wants(Layer.DRIVER) and not nothing and "level-zero" not in self.selection.without_probes:
            from xpu_doctor.examination.level_zero import LevelZeroRun

            self.level_zero = LevelZeroRun(self.patient, self._listener("level zero"))

    def _static_results(self) -> tuple[StageResult, ...]:
        """Results of the static stages; an interpreter that cannot start as it is gets a second try without its environment."""
        results = self._static.results()
        first = next(iter(results), None)
        if first is None or first.outcome in ("ok", "error", "hang"):
            return results
        again = Examination(self.patient, self._static_stages, self._listener("static"), flags=("-I",)).results()
        if not any(result.outcome == "ok" for result in again):
            return results
        return (StageResult({**first.record, "name": START}, {}), *again)

    def _end_the_others(self) -> None:
        """The interpreter does not start as it is: nothing else is asked of it, and nobody waits for more deadlines."""
        if self._live:
            self._live.close()
        if self.level_zero:
            self.level_zero.close()
            self.level_zero = None

    def _wants(self, name: str, layer: Layer) -> bool:
        return name not in self.selection.without_probes and (self.selection.wants(layer) or layer is Layer.DOCTOR)

    def _tell(self, name: str) -> None:
        if self.progress:
            self.progress.begins(name, self.deadlines.get("probes", 30.0), "host")

    def others(self) -> tuple[tuple[str, str], ...]:
        """Return other interpreters nearby with the torch in each, found by looking at files."""
        return other_interpreters(self.choice.python, Surroundings(self.environment))


def _answered(results: tuple[StageResult, ...]) -> bool:
    """Whether the interpreter started as it is and said anything."""
    first = next(iter(results), None)
    died = first is not None and first.outcome in ("crash", "exit", "hang") and not first.record.get("exception")
    return first is None or not (first.name == START or (first.name == "interpreter" and died))


def _use_the_wait() -> None:
    """Load what the report will need while torch is still being imported in its own process."""
    from xpu_doctor.catalogue.names import all_rules
    from xpu_doctor.tables.signatures import signatures

    all_rules(frozenset(Layer) - {Layer.APPLICATION})
    signatures()


def _seconds(result: StageResult) -> float:
    seconds = result.record.get("seconds")
    return float(seconds) if isinstance(seconds, (int, float)) else 0.0


def _working_folder() -> str | None:
    """The working folder, None where it was deleted under us."""
    try:
        return os.getcwd()
    except OSError:
        return None


def now() -> str:
    """The time of day in UTC, ISO 8601."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
