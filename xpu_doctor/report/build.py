"""The one report builder: from a snapshot, live or read from texts, to a document, and its delivery."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.catalogue.names import all_rules, load, own_rules
from xpu_doctor.diagnosis.diagnose import Options, diagnose
from xpu_doctor.model.codec import encode
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import CHECKED
from xpu_doctor.model.version import __version__
from xpu_doctor.remedies.own_environment import NOTE, is_only_the_doctors
from xpu_doctor.report.closing import in_one_line, tell_files
from xpu_doctor.report.document import Document, QuestionDocument, document
from xpu_doctor.report.formats import View, format_called, format_of
from xpu_doctor.report.redaction import NOT_REDACTED, index_hosts, redacted_document
from xpu_doctor.report.reply import next_questions
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.report.text import render_text
from xpu_doctor.report.this_process import own_command, peak_memory_bytes
from xpu_doctor.tables.ageing import old_tables
from xpu_doctor.text.output import to_each, to_stderr, write
from xpu_doctor.text.output_file import is_stdout
from xpu_doctor.text.redact import redactor_here
from xpu_doctor.treatment.plan import Permission, Step, TreatmentPlan, plan_of
from xpu_doctor.treatment.project import with_explicit_index
from xpu_doctor.treatment.sources import Source, planned_from

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.diagnose import Diagnosis
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.text.redact import Redactor


@dataclass(frozen=True)
class PlannedReport:
    """A report, and the plan of `fix` with its commands as they are run."""

    report: Document
    plan: TreatmentPlan
    hide: Callable[[str], str] = str
    """Returns a further text for the report without what is private."""


@dataclass(frozen=True)
class Report:
    """What the caller wants reported."""

    expect: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    fail_on: str = "error"
    redact: bool = True
    created: str = ""
    words: tuple[str, ...] = ()
    """What the user wants hidden besides."""
    node: str | None = None
    """What the report calls this machine; None leaves it without a name."""

    def of_snapshot(
        self,
        snapshot: Snapshot,
        *,
        layers: tuple[Layer, ...] = CHECKED,
        timings: Mapping[str, float] | None = None,
        notes: tuple[str, ...] = (),
        users: tuple[str, ...] = (),
    ) -> Document:
        """Judge a snapshot and return the document; `users` are names to hide that the environment of this process does not show."""
        return self.with_plan(snapshot, layers=layers, timings=timings, notes=notes, users=users).report

    def with_plan(
        self,
        snapshot: Snapshot,
        *,
        layers: tuple[Layer, ...] = CHECKED,
        timings: Mapping[str, float] | None = None,
        notes: tuple[str, ...] = (),
        users: tuple[str, ...] = (),
        edit_project: bool = False,
        source: Source | None = None,
    ) -> PlannedReport:
        """Judge a snapshot; return the document, and the plan of `fix` with its commands as they are run.

        Raises:
            xpu_doctor.treatment.sources.SourceError: a step cannot take its wheels from `source`.
        """
        diagnosis = diagnose(snapshot, all_rules(_judged(snapshot, layers)), self._options(layers))
        permission = Permission(edit_project, {rule.code for rule in load().rules})
        plan = planned_from(plan_of(diagnosis.root_causes, snapshot, permission), source or Source())
        plan = with_explicit_index(plan, sys.executable)
        own = is_only_the_doctors(snapshot.target, snapshot.torch, snapshot.distributions)
        notes = (*((NOTE,) if own else ()), *notes)
        report = self._document(diagnosis, snapshot, dict(timings or {}), notes, own_command(), plan.steps)
        redactor = self._redactor(snapshot, users)
        if redactor is None:
            return PlannedReport(_not_redacted(report), plan)
        return PlannedReport(redacted_document(report, redactor, self.words), plan, redactor.text)

    def _redactor(self, snapshot: Snapshot, users: tuple[str, ...]) -> Redactor | None:
        """Return what hides names and secrets of an examination; None where nothing is to be hidden."""
        if not self.redact:
            return None

        known = (*users, snapshot.access.user) if isinstance(snapshot.access.user, str) else users
        return redactor_here(users=known, hosts=index_hosts(snapshot), words=self.words)

    def rehearse(self, snapshot: Snapshot) -> None:
        """Do once what `of_snapshot` and the printing do, without the plug-ins' rules, and keep nothing of it."""
        diagnosis = diagnose(snapshot, own_rules(_judged(snapshot, CHECKED)), self._options(CHECKED))
        report = self._document(diagnosis, snapshot, {}, (), own_command())
        render_text(redacted_document(report, redactor_here(hosts=index_hosts(snapshot)), self.words), Terminal())

    def of_texts(
        self,
        diagnosis: Diagnosis,
        snapshot: Snapshot,
        redactor: Redactor | None,
        notes: tuple[str, ...] = (),
        others: Sequence[Snapshot] = (),
    ) -> Document:
        """Return the document on texts that were read, with the questions whose answers would decide; `others` are of the same machine.

        `redactor` is what hid the names and secrets of the texts, None where nothing was to be hidden.
        """
        asked = next_questions(diagnosis, snapshot, others)
        report = self._document(diagnosis, snapshot, {}, notes, "xpu-doctor")
        report = replace(report, ask_next=[QuestionDocument(question.why, list(question.asks)) for question in asked])
        return _not_redacted(report) if redactor is None else redacted_document(report, redactor, self.words)

    def _options(self, layers: tuple[Layer, ...]) -> Options:
        return Options(self.fail_on, self.expect, self.ignore, layers, self.created[:10], load().blamed)

    def _document(
        self,
        diagnosis: Diagnosis,
        snapshot: Snapshot,
        timings: dict[str, float],
        notes: tuple[str, ...],
        command: str,
        steps: tuple[Step, ...] = (),
    ) -> Document:
        return document(
            diagnosis,
            snapshot,
            encode(snapshot),
            version=__version__,
            created=self.created,
            timings=timings,
            notes=(*notes, *filter(None, (old_tables(self.created),))),
            peak_memory=peak_memory_bytes(),
            command=command,
            steps=steps,
            fail_on=self.fail_on,
            node=self.node,
        )


def _judged(snapshot: Snapshot, layers: tuple[Layer, ...]) -> frozenset[Layer]:
    """Return the layers whose rules judge a snapshot."""
    return frozenset(layer for layer in (*layers, Layer.DOCTOR) if layer.value not in snapshot.skipped)


def _not_redacted(report: Document) -> Document:
    return replace(report, notes=[*report.notes, NOT_REDACTED])


def deliver(
    report: Document,
    given: str | None = None,
    outputs: Sequence[str] = (),
    *,
    verbose: bool = False,
    python: str | None = None,
    private: bool = False,
    quiet: bool = False,
) -> int:
    """Write the report to each output, in the format that was given or that its ending names; return the exit code.

    `-` is stdout, and so is no output at all. No file is ever one of the examined interpreter `python`; a `private` report is for
    its owner's eyes alone. Where stdout gets none, stderr says what it comes to; `quiet` says nothing on either.

    Raises:
        xpu_doctor.text.output.OutputError: one of them cannot be written; the others are.
    """

    def put(path: str) -> None:
        wanted = format_of(path, given)
        text = rendered(report, wanted, to_file=not is_stdout(path), verbose=verbose)
        write(text, path, python=python, private=private, own_sequences=wanted == "text")

    if outputs or not quiet:
        to_each(outputs, put)
    if not quiet:
        tell_files(in_one_line(report), outputs)
    return report.exit_code


def deliver_beside(
    report: Document,
    given: str | None = None,
    outputs: Sequence[str] = (),
    *,
    verbose: bool = False,
    python: str | None = None,
    private: bool = False,
) -> None:
    """Write the report to each output, or to stderr where there is none, since stdout belongs to the program that was watched.

    Raises:
        xpu_doctor.text.output.OutputError: an output cannot be written; the others are.
    """

    def put(path: str) -> None:
        wanted = format_of(path, given)
        text = rendered(report, wanted, to_file=not is_stdout(path), verbose=verbose)
        write(text, path, python=python, private=private, own_sequences=wanted == "text")

    if outputs:
        to_each(outputs, put)
        tell_files(in_one_line(report), outputs)
        return
    name = format_of("", given)
    text = format_called(name).render(report, View(to_file=False, verbose=verbose, on_stderr=True))
    to_stderr(f"\n{text}" if name == "text" else text, own_sequences=name == "text")


def rendered(report: Document, name: str, *, to_file: bool, verbose: bool) -> str:
    """Return the report in the format of a name."""
    return format_called(name).render(report, View(to_file, verbose))
