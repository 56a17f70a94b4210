"""Facts that need to know what is installed: the target, its manager, its libraries. They run while torch is being imported."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from xpu_doctor.model.facts import OtherPython, Stage, Target
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, Source
from xpu_doctor.model.terms import Part, StageOutcome
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.probes.installer import installer_facts
from xpu_doctor.probes.libraries import closure_facts
from xpu_doctor.probes.runner import unknown_group
from xpu_doctor.process.time_limit import Overdue, within
from xpu_doctor.target.find import Surroundings, other_interpreters

if TYPE_CHECKING:
    from xpu_doctor.examination.session import Session
    from xpu_doctor.host.interface import Host


def installed_facts(snapshot: Snapshot, session: Session, host: Host, timings: dict[str, float]) -> Snapshot:
    """Return the snapshot with the target, its package manager and the walk of its libraries filled in; note how long each took."""
    snapshot = replace(snapshot, target=_target(snapshot, session))
    for name, part in (("installer", _with_installer), ("closure", _with_libraries)):
        if not session.runs(name):
            continue
        started = time.monotonic()
        try:
            snapshot = within(session.limit, partial(part, snapshot, session, host))
        except Overdue as late:
            field = "libraries" if name == "closure" else name
            snapshot = replace(snapshot, **{field: unknown_group(field, str(late))})
        except Exception as error:  # a damaged environment may make any reader stumble; the rest must go on
            failure = ProbeFailure(Part.PROBE, name, f"{type(error).__name__}: {error}")
            snapshot = replace(snapshot, failures=(*snapshot.failures, failure))
        timings[name] = time.monotonic() - started
    return snapshot


def _target(snapshot: Snapshot, session: Session) -> Target:
    stage = snapshot.run.stage("interpreter")
    late = isinstance(stage, Stage) and stage.outcome == StageOutcome.SKIPPED
    supported = isinstance(snapshot.python.version, str) and not (
        stage and not isinstance(stage, Unknown) and stage.exception == "refused"
    )
    others = (
        tuple(
            OtherPython(python, torch)
            for python, torch in other_interpreters(session.choice.python, Surroundings(session.variables))
        )
        if snapshot.torch.installed is False
        else Unknown("not looked for")
    )
    return Target(
        executable=session.choice.python,
        why=session.choice.why,
        version=snapshot.python.version,
        others=others,
        supported=supported if stage is not None and not late else Unknown("the interpreter did not answer"),
        folder=session.folder or "",
        chosen_by=session.choice.by,
    )


def _with_installer(snapshot: Snapshot, session: Session, host: Host) -> Snapshot:
    facts = installer_facts(snapshot.python, snapshot.distributions, session.variables, session.folder or "", host)
    return replace(
        snapshot,
        installer=facts,
        sources=(*snapshot.sources, Source("installer", "configuration files and variables of pip and uv")),
    )


def _with_libraries(snapshot: Snapshot, session: Session, host: Host) -> Snapshot:
    if not session.selection.wants(Layer.RUNTIME):
        return snapshot

    facts = closure_facts(snapshot.python, snapshot.torch, session.variables, session.folder or "")
    return replace(
        snapshot, libraries=facts, sources=(*snapshot.sources, Source("libraries", "walk of the library files"))
    )
