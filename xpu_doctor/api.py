"""The commands as functions, for programs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from xpu_doctor.catalogue.names import all_rules, load, probe_layers
from xpu_doctor.diagnosis.diagnose import Options
from xpu_doctor.diagnosis.known_messages import match
from xpu_doctor.diagnosis.rule import parameters
from xpu_doctor.examination.run import examine_machine, finish, now, start
from xpu_doctor.examination.session import Session
from xpu_doctor.model.facts.combined import COMBINED
from xpu_doctor.model.findings import LADDER
from xpu_doctor.model.selection import WATCHED_LAYERS, select
from xpu_doctor.model.snapshot import Snapshot, with_watched
from xpu_doctor.model.terms import ChosenBy
from xpu_doctor.model.unknown import known_or
from xpu_doctor.model.version import __version__
from xpu_doctor.process.time_limit import TimeLimit
from xpu_doctor.remedies.own_environment import is_only_the_doctors
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.snapshot_file import SnapshotFile, snapshot_file
from xpu_doctor.tables.program_modules import modules_to_name
from xpu_doctor.target.find import Choice, Surroundings, find_target
from xpu_doctor.target.rights import rights_for
from xpu_doctor.target.stages import STAGES
from xpu_doctor.text.word_index import IndexedText
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.project import project_files

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.examination.run import Running
    from xpu_doctor.model.facts import Python
    from xpu_doctor.pasted.run import Triaged
    from xpu_doctor.report.comparison.document import ComparisonDocument
    from xpu_doctor.report.fleet.document import FleetDocument
    from xpu_doctor.text.safe import SafeText
    from xpu_doctor.treatment.place import Place
    from xpu_doctor.treatment.plan import TreatmentPlan
    from xpu_doctor.treatment.sources import Source
    from xpu_doctor.watching.run import Seen


def check(
    python: str | None = None,
    *,
    only: Sequence[str] = (),
    skip: Sequence[str] = (),
    deadlines: Mapping[str, float] | None = None,
    environment: Mapping[str, str] | None = None,
    redact: bool = True,
    words: Sequence[str] = (),
    time_limit: float | None = None,
    node: str | None = None,
) -> Document:
    """Examine this machine and one interpreter, and return the report.

    `python` is the path of an interpreter or of an environment's folder; None chooses one as the command line does. `only` and
    `skip` take layer and probe names; `deadlines` gives seconds by stage of the agent; `environment` is what the interpreter
    gets, by default this process's own. What is not done after `time_limit` seconds stays unknown; `node` is what the report calls
    this machine. Names, addresses and secrets are hidden, and `words` too, unless `redact` is false.
    The interpreter's crashes and hangs are findings in the report, never exceptions.

    Raises:
        xpu_doctor.TargetError: there is no interpreter to examine.
        KeyError: a name in `only` or `skip` is neither a layer nor a probe.
        OSError: the interpreter cannot be started.
    """
    variables = dict(os.environ if environment is None else environment)
    choice = find_target(python, Surroundings(variables))
    limit = None if time_limit is None else TimeLimit.from_now(time_limit)
    selection = select(only, skip, probe_layers())
    with start(Session(choice, selection, variables, dict(deadlines or {}), limit=limit)) as running:
        return report_on(running, Report(created=now(), redact=redact, words=tuple(words), node=node))


def report_on(running: Running, report: Report) -> Document:
    """Finish an examination under way and report on it.

    Raises:
        OSError: the interpreter cannot be started.
    """
    examined = finish(running, load(), partial(_rehearse, report))
    rights = running.session.rights
    users = (rights.account.name,) if rights.account else ()
    notes = (*rights.notes, *running.session.late_notes)
    return report.of_snapshot(examined.snapshot, timings=examined.timings, notes=notes, users=users)


def facts_of(
    running: Running, *, redact: bool = True, words: tuple[str, ...] = (), node: str | None = None
) -> SnapshotFile:
    """Finish an examination under way, and return its facts to be saved; nothing is judged. `node` names the machine.

    Raises:
        OSError: the interpreter cannot be started.
    """
    examined = finish(running, load())
    rights = running.session.rights
    users = (rights.account.name,) if rights.account else ()
    notes = (*rights.notes, *running.session.late_notes)
    file = snapshot_file(examined.snapshot, now(), redact=redact, words=words, users=users, notes=notes)
    return replace(file, node=node)


AFTER_PROGRAM = 15.0
"""Deadline in seconds of each stage that is examined after a watched program has ended, and its user waits."""


def watch(
    command: Sequence[str],
    *,
    interval: float = 1.0,
    seconds: float | None = None,
    inside: bool = True,
    device_type: str = "xpu",
    environment: Mapping[str, str] | None = None,
    redact: bool = True,
    words: Sequence[str] = (),
) -> Document:
    """Run a command, watch what it and its children use of GPU and CPU, and return the report after its end.

    The command gets this process's own standard streams. A sample is taken every `interval` seconds; after `seconds` the watch ends,
    and the command is still waited for. `inside` has Pythons write down what torch did in them. `device_type` is the name of the
    torch device that the program was expected to use. How the command ended is among the facts, `snapshot.watched[0]`.

    Raises:
        ValueError: the command is empty.
        xpu_doctor.CommandError: the command cannot be started.
    """
    from xpu_doctor.watching.order import Order
    from xpu_doctor.watching.run import Watch

    if not command:
        raise ValueError("there is no command to watch")
    variables = dict(os.environ if environment is None else environment)
    order = Order(tuple(command), 0, interval, seconds, inside, device_type, variables)
    with Watch(order, modules_to_name) as started:
        started.follow()
        document = report_on_watch(started.seen(), Report(created=now(), redact=redact, words=tuple(words)), variables)
        started.rest()
    return document


def report_on_watch(seen: Seen, report: Report, variables: Mapping[str, str]) -> Document:
    """Add to what was seen of a program what files tell of its Python and of this machine, and report on all that.

    An interrupt ends the examination of the files; the report then stands on what was seen alone.
    """
    try:
        snapshot, timings, notes, users = _around(seen, variables)
    except (KeyboardInterrupt, OSError) as error:
        why = error.strerror or error if isinstance(error, OSError) else "it was interrupted"
        snapshot, timings, users = Snapshot(), {}, ()
        notes = (f"What the program ran in could not be examined: {why}.",)
    snapshot = with_watched(snapshot, seen.watched)
    return report.of_snapshot(
        snapshot, layers=WATCHED_LAYERS, timings=timings, notes=(*seen.notes, *notes), users=users
    )


def _around(
    seen: Seen, variables: Mapping[str, str]
) -> tuple[Snapshot, dict[str, float], tuple[str, ...], tuple[str, ...]]:
    """Return facts of the machine, and of the Python that ran where one is known; timings, notes, and names to hide.

    Raises:
        OSError: the interpreter cannot be started.
    """
    if not seen.python:
        selection = select(("device", "kernel", "access"), (), probe_layers())
        examined = examine_machine(selection, variables, AFTER_PROGRAM, load())
        return examined.snapshot, examined.timings, (), ()
    selection = select((), ("import",), probe_layers())
    deadlines = dict.fromkeys((*(stage.name for stage in STAGES), "probes"), AFTER_PROGRAM)
    rights = rights_for(seen.python)
    choice = Choice(seen.python, seen.why, ChosenBy.PROGRAM)
    with start(Session(choice, selection, dict(variables), deadlines, rights=rights)) as running:
        examined = finish(running, load())
    users = (rights.account.name,) if rights.account else ()
    return examined.snapshot, examined.timings, rights.notes, users


@dataclass(frozen=True)
class Planned:
    """A live examination with the plan of `fix`."""

    report: Document
    plan: TreatmentPlan
    python: Python
    place: Place | None
    """What the plan may change; None where the environment is not known, or its packages lie outside of it."""
    project: str
    """The project whose files it may change, as its manager is told of it; empty where it changes none."""
    hide: Callable[[str], str]
    """Returns a further text for the report without what is private."""
    own: bool = False
    """Whether it is the doctor's own environment, examined for want of another, without torch."""


def plan_on(running: Running, report: Report, *, edit_project: bool, source: Source) -> Planned:
    """Finish an examination under way, report on it, and plan what `fix` would do.

    Raises:
        OSError: the interpreter cannot be started.
        xpu_doctor.treatment.sources.SourceError: a step cannot take its wheels from `source`.
    """
    examined = finish(running, load(), partial(_rehearse, report))
    python = examined.snapshot.python
    made = report.with_plan(examined.snapshot, timings=examined.timings, edit_project=edit_project, source=source)
    plan = made.plan
    prefix, site = known_or(python.real_prefix, ""), known_or(python.own_site, "")
    executable = known_or(python.executable, "")
    place = place_of(executable, prefix, (site,)) if executable and prefix and site else None
    project = examined.snapshot.installer.project if any(step.changes_project for step in plan.to_run) else ""
    if project and place is not None:
        managers = {step.remedy.manager for step in plan.to_run if step.changes_project}
        files = (path for manager in managers for path in project_files(manager, project))
        place = replace(place, files=(*place.files, *files))
    seen = examined.snapshot
    own = is_only_the_doctors(seen.target, seen.torch, seen.distributions)
    return Planned(made.report, plan, python, place, project, made.hide, own)


def snapshot_of(choice: Choice, environment: Mapping[str, str]) -> Snapshot:
    """Return what files tell of an interpreter and its packages; nothing of torch is run.

    Raises:
        OSError: the interpreter cannot be started.
    """
    selection = select(("wheel",), (), probe_layers())
    with start(Session(choice, selection, dict(environment))) as running:
        return finish(running, load()).snapshot


def _rehearse(report: Report, snapshot: Snapshot) -> None:
    """Judge and print what is known so far, and throw it away, while torch is still being imported in its own process.

    What that loads, compiles and caches is ready when the last facts come in. A fault here would come again in the report itself.
    """
    with suppress(Exception):
        match(IndexedText(""), "")
        report.rehearse(snapshot)


def triage(*texts: str, redact: bool = True, words: Sequence[str] = ()) -> Document:
    """Diagnose from pasted texts, and return the report; several texts are taken as one machine.

    A text may be of any kind (a log, a traceback, an issue) or a saved JSON report. Of one that is longer than 1 MiB the
    beginning and the end are read, and the report's `notes` say so.
    Names, addresses and secrets are hidden before the texts are read, and `words` too, unless `redact` is false.

    Raises:
        xpu_doctor.SnapshotError: a text is a saved report, and damaged or of a newer version, or an output of the doctor's that holds no facts.
    """
    import io

    from xpu_doctor.text.safe import read_safely

    named = [
        (f"text {number}", read_safely(io.BytesIO(text.encode("utf-8", "replace")), f"text {number}"))
        for number, text in enumerate(texts, 1)
    ]
    return report_on_texts(named, Report(created=now(), redact=redact, words=tuple(words)))[0]


def report_on_texts(texts: Sequence[tuple[str, SafeText]], report: Report) -> tuple[Document, Triaged]:
    """Read texts of one machine, given as (name, text); return the report on them, and what they came to.

    Raises:
        xpu_doctor.SnapshotError: a text is a saved report, and damaged or of a newer version, or an output of the doctor's that holds no facts.
    """
    from xpu_doctor.pasted.run import triage_texts

    options = Options(report.fail_on, (), report.ignore, LADDER, report.created[:10])
    triaged = triage_texts(texts, rules=all_rules(), options=options, redact=report.redact, words=report.words)
    document = report.of_texts(triaged.diagnosis, triaged.snapshot, triaged.redactor, triaged.notes, triaged.snapshots)
    return document, triaged


def compare(*texts: str, redact: bool = True, words: Sequence[str] = ()) -> ComparisonDocument:
    """Compare saved reports, and return what differs, most telling first; the first text is side A, the second B, and so on.

    A text may also be of any kind that `triage` reads. Names, addresses and secrets are hidden, and `words` too, unless `redact`
    is false.

    Raises:
        ValueError: there are fewer than two texts.
        xpu_doctor.SnapshotError: a text is a saved report, and damaged or of a newer version, or an output of the doctor's that holds no facts.
    """
    import io

    from xpu_doctor.text.safe import read_safely

    named = [
        (f"text {number}", read_safely(io.BytesIO(text.encode("utf-8", "replace")), f"text {number}"))
        for number, text in enumerate(texts, 1)
    ]
    return compare_texts(named, redact=redact, words=words)


def compare_texts(
    texts: Sequence[tuple[str, SafeText]], *, redact: bool = True, words: Sequence[str] = ()
) -> ComparisonDocument:
    """Compare texts, each of one side, given as (name, text).

    Raises:
        ValueError: there are fewer than two texts.
        xpu_doctor.SnapshotError: a text is a saved report, and damaged or of a newer version, or an output of the doctor's that holds no facts.
    """
    from xpu_doctor.comparison.compare import compare as compare_sides
    from xpu_doctor.pasted.sides import read_sides
    from xpu_doctor.report.comparison.document import comparison_document
    from xpu_doctor.tables.fact_readers import fact_readers

    today, rules = now(), all_rules()
    read = read_sides(texts, rules=rules, today=today[:10], redact=redact, words=words)
    comparison = compare_sides(read.sides, {**fact_readers(), **_of_plugins(rules)})
    return comparison_document(comparison, version=__version__, created=today, notes=read.notes, redacted=read.hidden)


def fleet(
    *paths: str,
    expected: Sequence[str] | None = None,
    fail_on: Sequence[str] = ("error",),
    hosts: str = "keep",
    redact: bool = True,
    words: Sequence[str] = (),
    workers: int = 1,
) -> FleetDocument:
    """Say which of many nodes differ, and why, from what `check --json` wrote on each of them.

    A path is a folder, a pattern, a file, or an archive of files. `expected` are the names of nodes that should be there; `fail_on`
    says what makes the exit code 1: `error`, `warning`, `missing`, `outlier` or `never`; `hosts` whether the names of nodes are
    kept (`keep`) or replaced by numbers (`number`). With more than one of `workers`, processes are started where there are many reports.

    Raises:
        ValueError: a path names nothing.
    """
    return fleet_of(paths, expected=expected, fail_on=fail_on, hosts=hosts, redact=redact, words=words, workers=workers)


def fleet_of(
    paths: Sequence[str],
    *,
    standard_input: BinaryIO | None = None,
    expected: Sequence[str] | None = None,
    fail_on: Sequence[str] = ("error",),
    hosts: str = "keep",
    redact: bool = True,
    words: Sequence[str] = (),
    workers: int = 1,
    tell: Callable[[int], None] = lambda _: None,
) -> FleetDocument:
    """As `fleet`; the path `-` is `standard_input`, and `tell` is told how many reports were read so far.

    Raises:
        ValueError: a path names nothing.
    """
    from xpu_doctor.fleet.inputs import items
    from xpu_doctor.fleet.survey import survey
    from xpu_doctor.report.fleet.document import fleet_document
    from xpu_doctor.report.fleet.redaction import redacted_fleet, with_numbered_hosts
    from xpu_doctor.report.redaction import NOT_REDACTED
    from xpu_doctor.text.redact import redactor_here

    found = survey(items(paths, standard_input), expected=expected, workers=workers, tell=tell)
    notes = () if redact else (NOT_REDACTED,)
    document = fleet_document(found, version=__version__, created=now(), fail_on=fail_on, notes=notes)
    if hosts == "number":
        document = with_numbered_hosts(document)
    return redacted_fleet(document, redactor_here(words=words), words) if redact else document


def _of_plugins(rules: Sequence[Rule]) -> dict[str, tuple[str, ...]]:
    """Return which rules take the facts of which plug-in's probe."""
    own = Snapshot.__dataclass_fields__.keys() | COMBINED.keys()
    taken = [
        (f"plugins.{name}", rule.code) for rule in rules for name in parameters(rule) if name not in (*own, "snapshot")
    ]
    return {path: tuple(code for at, code in taken if at == path) for path, _ in taken}
