"""The report as Markdown for an issue: the cause with its proof and commands, the ladder, and folded up what collect_env would print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from xpu_doctor.model.codec import SnapshotError, decode
from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.report import program_words
from xpu_doctor.report.environment_block import NOT_ASKED, environment_block
from xpu_doctor.report.markdown_text import code, escaped, fenced
from xpu_doctor.report.phrases import (
    MARKDOWN_BEGINS,
    MARKDOWN_ENDS,
    RISKS,
    VERDICTS,
    in_full,
    is_placed,
    sureness,
    title_of,
)
from xpu_doctor.tables.fact_labels import label_of

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document, EvidenceDocument, FindingDocument, RemedyDocument

MAX_EVIDENCE = 8
MAX_CAUSES = 8
"""Root causes that are told in full."""
MAX_CHARACTERS = 60_000
"""GitHub takes 65,536 for an issue; the folded facts are left out where they would not fit."""
LANGUAGES = {"linux": "sh"}
"""On Windows a remedy may be for either of two shells."""


def render_markdown(report: Document, *, verbose: bool = False) -> str:
    """Return the whole report, ready to be pasted into an issue."""
    page = _Page(report, verbose)
    told = "\n".join(page.lines()) + "\n"
    facts = "\n".join(page.facts()) + "\n"
    return (told + facts if len(told) + len(facts) <= MAX_CHARACTERS else told) + f"{MARKDOWN_ENDS}\n"


class _Page:
    def __init__(self, report: Document, verbose: bool) -> None:
        self.report = report
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        yield f"{MARKDOWN_BEGINS}{VERDICTS.get(self.report.verdict, escaped(self.report.verdict))}"
        yield ""
        yield from self.program()
        yield from self.examined()
        if self.report.reason:
            yield from (f"**{escaped(self.report.reason)}**", "")
        yield from self.causes()
        yield from self.fix()
        yield from self.expectations()
        yield from self.ladder()
        yield from self.questions()
        yield from self.besides()

    def program(self) -> Iterator[str]:
        """Yield what was watched, and what it used, as a table."""
        watched = self.report.program
        if watched is None:
            return
        yield from (escaped(program_words.headline(watched).replace("`", "")), "")
        yield from ("| Used | |", "| --- | --- |")
        yield from (f"| {label} | {escaped(text)} |" for label, text in program_words.rows(watched))
        shown, more = program_words.shown_ranks(watched)
        if shown:
            yield from ("", "| Rank | GPU | CPUs |", "| ---: | ---: | ---: |")
            yield from (f"| {' | '.join(map(escaped, program_words.of_rank(row)))} |" for row in shown)
        if more:
            yield from ("", f"and {more} more")
        yield ""

    def examined(self) -> Iterator[str]:
        target, tool = self.report.target, self.report.tool
        by = f"xpu-doctor {escaped(tool.version)}, {escaped(self.report.created)}"
        if target.python is None:
            yield f"Read from a {escaped(self.report.origin)} report by {by}."
        else:
            python = f"Python {escaped(target.version)}" if target.version else ""
            manager = f"managed by {escaped(target.manager)}" if target.manager else ""
            about = ", ".join(filter(None, (python, manager)))
            yield f"Examined {code(target.python)}{f' ({about})' if about else ''} with {by}."
        yield ""
        for note in self.report.notes:
            yield from (f"> {escaped(note)}", "")

    # ------------------------------------------------------------------------------------------ causes

    def causes(self) -> Iterator[str]:
        shown, guesses = in_full(self.report, verbose=self.verbose)
        if self.report.independent_faults > 1 and self.report.origin != Origin.PASTED:
            yield f"{self.report.independent_faults} faults, none of which explains another. Fix them in this order:"
            yield ""
        for number, finding in enumerate(shown[:MAX_CAUSES], 1):
            yield from self.cause(number, finding)
        rest = [*shown[MAX_CAUSES:], *guesses]
        if rest:
            yield from ("Also possible:" if guesses else "Also found:", "")
            yield from (f"- {_named(finding)}" for finding in rest)
            yield ""

    def cause(self, number: int, finding: FindingDocument) -> Iterator[str]:
        yield f"#### {title_of(number, finding)}: {escaped(finding.summary)}{sureness(finding)}"
        yield ""
        yield from (f"\\[{code(finding.code)}\\] {finding.layer} layer, {finding.severity}", "")
        if finding.evidence:
            yield from ("Proof:", "", *self.evidence(finding.evidence), "")
        if finding.explains:
            yield from ("This explains:", "", *_explained(finding.explains), "")
        for index, remedy in enumerate(finding.remedies):
            yield from _remedy(remedy, "Do this" if index == 0 else "And" if remedy.besides else "Or")
        more = f" or <{finding.page}>" if _is_page(finding.page) else ""
        yield from (f"More: {code(f'{self.report.tool.command} explain {finding.code}')}{more}", "")

    def evidence(self, rows: list[EvidenceDocument]) -> Iterator[str]:
        limit = len(rows) if self.verbose else MAX_EVIDENCE
        for row in rows[:limit]:
            if row.kind == "message":
                yield f"- {escaped(row.source)}: {code(row.value)}"
            else:
                source = f" ({escaped(row.source)})" if is_placed(row) or (self.verbose and row.source) else ""
                yield f"- {escaped(label_of(row.fact))}: {code(row.value) or '(empty)'}{source}"
        if len(rows) > limit:
            yield f"- and {len(rows) - limit} more"

    def fix(self) -> Iterator[str]:
        if not self.report.fix:
            return
        yield from ("xpu-doctor can do some of this itself, with a way back. This shows the plan:", "")
        yield from (*fenced([self.report.fix]), "")

    # ------------------------------------------------------------------------------------------ the rest

    def expectations(self) -> Iterator[str]:
        for item in self.report.expectations:
            yield f"- Expected {code(item.expect)}: **{escaped(item.state)}** ({escaped(item.reason)})"
        if self.report.expectations:
            yield ""

    def ladder(self) -> Iterator[str]:
        if not self.report.ladder:
            return
        yield "| Layer | State | What was seen |"
        yield "| --- | --- | --- |"
        for rung in self.report.ladder:
            state = f"**{rung.state}**" if rung.state == "fault" else rung.state
            yield f"| {rung.layer} | {state} | {escaped(rung.summary)} |"
        yield ""

    def questions(self) -> Iterator[str]:
        for question in self.report.ask_next:
            yield from (f"Would decide: {escaped(question.why)}", "", *fenced(question.commands), "")

    def besides(self) -> Iterator[str]:
        rows = [
            f"{escaped(crash.part)} {escaped(crash.name)} failed: {escaped(crash.error)}"
            for crash in self.report.crashed
        ]
        rows += [f"{code(item.code)} was hidden by --ignore ({item.count})" for item in self.report.ignored]
        if self.report.undecided and self.report.verdict != OverallVerdict.HEALTHY:
            rows.append(f"{len(self.report.undecided)} rules lacked a fact and were not decided")
        yield from (f"- {row}" for row in rows)
        if rows:
            yield ""

    def facts(self) -> Iterator[str]:
        """Yield what collect_env would print, folded up; without an examination there is nothing to tell."""
        try:
            block = environment_block(decode(self.report.snapshot))
        except SnapshotError:
            return
        yield from ("<details>", "<summary>The environment, in the lines of torch's collect_env</summary>", "")
        yield from (*fenced(block.lines, "text"), "")
        reasons: dict[str, list[str]] = {}
        for name, reason in block.unknown:
            reasons.setdefault(reason, []).append(name)
        for reason, names in reasons.items():
            yield f"- Not known ({escaped(reason)}): {escaped(', '.join(names))}"
        yield f"- {NOT_ASKED}"
        yield from ("", "</details>")


def _named(finding: FindingDocument) -> str:
    return f"{escaped(finding.summary)} ({code(finding.code)})"


def _explained(findings: Iterable[FindingDocument], depth: int = 0) -> Iterator[str]:
    for finding in findings:
        yield f"{'  ' * depth}- {_named(finding)}"
        yield from _explained(finding.explains, depth + 1)


def _remedy(remedy: RemedyDocument, word: str) -> Iterator[str]:
    yield from (f"**{word}:** {escaped(remedy.title)}", "")
    if remedy.why:
        yield from (escaped(remedy.why), "")
    language = LANGUAGES.get(remedy.os, "")
    if remedy.commands:
        yield from (*fenced(remedy.commands, language), "")
    if remedy.risk != "none":
        yield from (f"Risk: {RISKS.get(remedy.risk, escaped(remedy.risk))}.", "")
    if remedy.verify:
        yield from ("Then verify:", "", *fenced(remedy.verify, language), "")
    if remedy.url:
        yield from (f"See <{remedy.url}>" if _is_page(remedy.url) else f"See {code(remedy.url)}", "")


def _is_page(address: str) -> bool:
    """Return whether an address is one that Markdown may link as it stands."""
    return address.startswith("https://") and not any(mark in address for mark in "<>()[]`\\ \t\n\"'")
