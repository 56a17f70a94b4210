"""What a probe is, and how probes run side by side with a deadline; one failure never stops the rest.

The check calls it so::

    gathered = run_probes(host, probes, deadline=10.0)
    snapshot = dataclasses.replace(Snapshot(), **gathered.facts, sources=gathered.sources, failures=gathered.failures)

`facts` holds one entry per snapshot field. A probe that failed or was late still has its entry, in which everything is
`Unknown` with the reason; `timings` says how long each probe took.
"""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from xpu_doctor.diagnosis.strangers import StrangerFailed, plain
from xpu_doctor.host.interface import Host
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, Source
from xpu_doctor.model.terms import Part
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.process.time_limit import TimeLimit
from xpu_doctor.text.visible import described

ANYWHERE: tuple[str, ...] = ()
"""`on` of a probe that runs on every system."""

Gather = Callable[[Host], Any]


@dataclass(frozen=True)
class Probe:
    """One gatherer of facts: `gather(host)` returns the value of the snapshot field `fills`."""

    name: str
    layer: Layer
    on: tuple[str, ...]
    gather: Gather
    fills: str
    """Snapshot field that it fills; a plug-in's probe fills `plugins[name]` and has an empty one."""
    about: str = ""
    """First sentence of its docstring."""

    def runs_on(self, platform: str) -> bool:
        """Return whether the probe knows this system."""
        return not self.on or platform in self.on


@dataclass(frozen=True)
class Gathered:
    """What a set of probes brought home."""

    facts: dict[str, Any]
    plugins: dict[str, Any]
    failures: tuple[ProbeFailure, ...]
    sources: tuple[Source, ...]
    timings: dict[str, float]


def probe(
    name: str, *, layer: Layer, on: tuple[str, ...] = ANYWHERE, fills: str | None = None
) -> Callable[[Gather], Probe]:
    """Make a probe of a function `Host -> fact group`; `fills` is its snapshot field where it is not the name."""

    def made(gather: Gather) -> Probe:
        return Probe(
            name=name,
            layer=layer,
            on=on,
            gather=gather,
            fills=name if fills is None else fills,
            about=(gather.__doc__ or "").strip().split("\n")[0],
        )

    return made


class _Task:
    """One probe in its own daemon thread: a stuck one cannot keep the process from ending."""

    def __init__(self, item: Probe, host: Host) -> None:
        self.probe = item
        self.value: Any = None
        self.error = ""
        self.seconds = 0.0
        self.done = False
        self._host = host
        self._thread = threading.Thread(target=self._run, name=f"probe {item.name}", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            self.error, self.done = described(error), True

    def _run(self) -> None:
        started = time.monotonic()
        try:
            value = self.probe.gather(self._host)
            self.value = value if self.probe.fills else plain(value)
        except StrangerFailed as error:
            self.error = str(error)
        except BaseException as error:  # whatever a probe raises is a failure of that probe alone, SystemExit too
            self.error = described(error)
        self.seconds = time.monotonic() - started
        self.done = True

    def wait(self, until: float) -> bool:
        if not self.done:
            self._thread.join(max(0.0, until - time.monotonic()))
        return self.done


def run_probes(
    host: Host,
    probes: Iterable[Probe],
    deadline: float = 10.0,
    tell: Callable[[str], None] | None = None,
    limit: TimeLimit | None = None,
) -> Gathered:
    """Run the probes that know this system side by side; those without an answer after `deadline` seconds are given up.

    `tell` is called with the name of each probe that is waited for longer than a second. One that is not done when `limit` is over
    has not failed: what it would have told is unknown.
    """
    started = time.monotonic()
    tasks = [_Task(item, host) for item in probes if item.runs_on(host.platform)]
    facts: dict[str, Any] = {}
    plugins: dict[str, Any] = {}
    failures: list[ProbeFailure] = []
    timings: dict[str, float] = {}
    until = started + deadline if limit is None else min(started + deadline, limit.ends)
    for task in tasks:
        item = task.probe
        if not task.wait(min(started + 1.0, until)) and tell is not None:
            tell(item.name)
        task.wait(until)
        value, error = task.value, task.error if task.done else f"no answer in {deadline:g} s"
        timings[item.name] = task.seconds if task.done else time.monotonic() - started
        late = limit is not None and limit.ends == until and not task.done
        if limit is not None and late:
            value = unknown_group(item.fills, f"the probe {item.name}: {limit.reason}")
        elif error:
            failures.append(ProbeFailure(Part.PROBE, item.name, error))
            value = unknown_group(item.fills, f"the probe {item.name} failed: {error}")
        if item.fills:
            facts[item.fills] = value
        elif not error and not late:
            plugins[item.name] = value
    sources = tuple(Source(task.probe.fills, f"probe {task.probe.name}") for task in tasks if task.probe.fills)
    return Gathered(facts, plugins, tuple(failures), sources, timings)


def unknown_group(field: str, reason: str) -> Any:
    """Return the value of a snapshot field in which every fact is unknown for one reason."""
    empty = getattr(Snapshot(), field, None) if field else None
    if not dataclasses.is_dataclass(empty) or isinstance(empty, (type, Unknown)):
        return Unknown(reason)
    names = [item.name for item in dataclasses.fields(empty) if isinstance(getattr(empty, item.name), Unknown)]
    return dataclasses.replace(empty, **{name: Unknown(reason) for name in names})
