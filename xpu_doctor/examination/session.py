"""What one examination was asked for; its steps get it whole, and change nothing of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import FOR_ALL, Selection
from xpu_doctor.process.time_limit import TimeLimit
from xpu_doctor.target.agent_run import Listener, Patient
from xpu_doctor.target.find import Choice
from xpu_doctor.target.rights import Rights
from xpu_doctor.target.stages import BY_NAME, LIVE_STAGES, STATIC_STAGES, layer_of, needs_of

if TYPE_CHECKING:
    from xpu_doctor.host.interface import Host

PROBE_SECONDS = 30.0
"""How long the probes of the host may take together, unless the user gave a deadline."""

Tell = Callable[[str, float, str], None]
"""Called with a stage or probe that begins, its deadline in seconds, and the process that it runs in."""


def _say_nothing(stage: str, seconds: float, process: str) -> None:
    """Nobody waits at a terminal."""


def _working_folder() -> str | None:
    """Return the working folder, None where it was deleted under us."""
    try:
        return os.getcwd()
    except OSError:
        return None


@dataclass(frozen=True)
class Session:
    """One examination: which interpreter and machine, which layers, with whose rights and which deadlines."""

    choice: Choice
    selection: Selection
    environment: Mapping[str, str]
    """The environment of the interpreter; `patient` holds what another account gets of it."""
    deadlines: Mapping[str, float] = field(default_factory=dict)
    """Seconds by stage; `probes` for all probes of the host."""
    devices: tuple[str, ...] = ()
    """Devices to run the timed matmul on; empty means each XPU device that takes a tensor."""
    host: Host | None = None
    """The machine to ask; None is this one."""
    rights: Rights = field(default_factory=Rights)
    """Whose rights the interpreter gets, and what the report says about that."""
    tell: Tell = _say_nothing
    limit: TimeLimit | None = None
    """When the whole has to be done; what is not stays unknown."""
    folder: str | None = field(default_factory=_working_folder)

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment as the interpreter gets it."""
        account = self.rights.account
        return account.variables(self.environment) if account else self.environment

    @property
    def patient(self) -> Patient:
        """The interpreter, and how the agent is started in it."""
        bare = self.rights.bare and not self.live_stages
        return Patient(
            self.choice.python,
            self.variables,
            self.folder,
            self.deadlines,
            account=self.rights.account,
            bare=bare,
            limit=self.limit,
        )

    @property
    def static_stages(self) -> tuple[str, ...]:
        """Stages to run that read files only."""
        return tuple(name for name in STATIC_STAGES if self.runs(BY_NAME[name].probe))

    @property
    def live_stages(self) -> tuple[str, ...]:
        """Stages to run that run torch."""
        wanted = [name for name in LIVE_STAGES if self.wants(BY_NAME[name].probe, layer_of(name))]
        return tuple(name for name in wanted if set(needs_of(name)) <= set(wanted))

    @property
    def late_notes(self) -> tuple[str, ...]:
        """What a report says where the time limit is over."""
        if self.limit is None or not self.limit.is_over:
            return ()
        return (
            f"the {self.limit.seconds:g} s for the whole examination were over: what was not done by then is unknown",
        )

    @property
    def probe_seconds(self) -> float:
        """How long the probes of the host may take together."""
        return self.deadlines.get("probes", PROBE_SECONDS)

    def runs(self, probe: str) -> bool:
        """Return whether a probe was not left out by name."""
        return probe not in self.selection.without_probes

    def wants(self, probe: str, layer: Layer) -> bool:
        """Return whether a probe and its layer were asked for; the doctor's own layer always is."""
        return self.runs(probe) and (self.selection.wants(layer) or layer is Layer.DOCTOR or probe in FOR_ALL)

    def listener(self, process: str) -> Listener:
        """Return what a run of the agent tells its progress to."""
        return lambda stage, seconds: self.tell(stage, seconds, process)
