"""The report for people: the interpreter, the ladder, the answer, and behind it what proves it and what was left open."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.report import program_words
from xpu_doctor.report.cause_text import CauseText
from xpu_doctor.report.clean import clean
from xpu_doctor.report.document import Document, FindingDocument, RungDocument
from xpu_doctor.report.phrases import hidden_values, in_full
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.tables.fact_labels import label_of

STATE_STYLES = {
    "ok": ("good",),
    "fault": ("bad", "strong"),
    "blocked": ("quiet",),
    "unknown": ("careful",),
    "skipped": ("quiet",),
}
QUIET_STATES = ("blocked", "skipped")
"""States that say nothing against a layer: the whole rung steps back."""
SUMMARY_AT = 27
"""Column at which the summaries of the ladder begin."""
LABEL = 10
"""Columns of the labels of what a program used."""
NARROW = 64
"""Columns below which a summary may take several lines: what fits on one line would say nothing."""


def render_text(report: Document, terminal: Terminal, *, verbose: bool = False) -> str:
    """Return the whole report as text that ends with a newline; every line fits the terminal, commands and addresses excepted."""
    page = _Page(clean(report), terminal, verbose)
    return "\n".join(page.lines()) + "\n"


class _Page:
    def __init__(self, report: Document, terminal: Terminal, verbose: bool) -> None:
        self.report = report
        self.terminal = terminal
        self.verbose = verbose
        self.cause = CauseText(terminal, verbose, report.tool.command)

    def lines(self) -> Iterator[str]:
        yield from self.program()
        yield from self.headline()
        yield from self.notes()
        yield ""
        yield from self.ladder()
        yield from self.answer()
        yield from self.fix()
        yield from self.expectations()
        yield from self.ask_next()
        yield from self.undecided()
        yield from self.footnotes()

    # ------------------------------------------------------------------------------------------ parts

    def program(self) -> Iterator[str]:
        """Yield what was watched, and what it used: one line for each GPU, then the CPUs, the data and the ranks."""
        watched = self.report.program
        if watched is None:
            return
        yield from self.terminal.wrapped(program_words.headline(watched), styles=("strong",))
        for label, text in program_words.rows(watched):
            yield from self.terminal.wrapped(text, indent=2, lead=f"{label:<{LABEL}}", hang=LABEL + 1)
        shown, more = program_words.shown_ranks(watched)
        if shown:
            yield f"  {'Rank':>4}  {'GPU':>16}  {'CPUs':>9}"
        for row in shown:
            rank, gpu, cpus = program_words.of_rank(row)
            yield f"  {rank:>4}  {gpu:>16}  {cpus:>9}"
        if more:
            yield f"  and {more} more"
        yield ""

    def headline(self) -> Iterator[str]:
        target = self.report.target
        if target.python is None:
            live = self.report.origin == Origin.LIVE
            what = "this machine; no Python is known to examine" if live else f"a {self.report.origin} report"
            yield from self.terminal.wrapped(f"xpu-doctor {self.report.tool.version} examined {what}.")
            return
        version = (
            f" (Python {target.version}" + (f", managed by {target.manager}" if target.manager else "") + ")"
            if target.version
            else ""
        )
        yield from self.terminal.wrapped(f"Examined {target.python}{version}: {target.why}.")

    def notes(self) -> Iterator[str]:
        for note in self.report.notes:
            yield from self.terminal.wrapped(note, lead="Note:", lead_styles=("note", "strong"))

    def ladder(self) -> Iterator[str]:
        for rung in self.report.ladder:
            yield from self.rung(rung)

    def rung(self, rung: RungDocument) -> Iterator[str]:
        """One layer, on one line where the terminal is not narrow; what is cut off stands in the answer, or -v shows it."""
        styles = STATE_STYLES[rung.state]
        mark = self.terminal.mark(rung.state)
        said, *rest = self.summary(rung.summary)
        gap = " " * (11 - len(rung.state)) if said else ""
        quiet = styles if rung.state in QUIET_STATES else ()
        if quiet:
            yield self.terminal.style(f"  {mark} {rung.layer:<12}{rung.state}{gap}{said}", *styles)
        else:
            mark, state = self.terminal.style(mark, *styles), self.terminal.style(rung.state, *styles)
            yield f"  {mark} {rung.layer:<12}{state}{gap}{said}"
        yield from (self.terminal.style(" " * SUMMARY_AT + line, *quiet) for line in rest)

    def summary(self, text: str) -> list[str]:
        """Return what is said of a layer, as lines."""
        one_line = not self.verbose and self.terminal.width >= NARROW
        room = self.terminal.width - SUMMARY_AT
        cut = " " + self.terminal.mark("cut")
        return textwrap.wrap(self.terminal.plain(text), room, max_lines=1 if one_line else 3, placeholder=cut) or [""]

    def answer(self) -> Iterator[str]:
        """Yield the verdict, then each root cause with what to do about it; of an undecided machine also what stood in the way."""
        reason = list(self.reason())
        if reason:
            yield ""
            yield from reason
        if not self.report.root_causes:
            yield from self.unknown_layers()
        yield from self.count()
        shown, guesses = in_full(self.report, verbose=self.verbose)
        for number, finding in enumerate(shown, 1):
            yield ""
            yield from self.cause.lines(number, finding)
        yield from self.guesses(guesses)
        if self.report.root_causes:
            yield from self.unknown_layers("Layers that could not be judged:")

    def reason(self) -> Iterator[str]:
        """Say the verdict in words, where root causes do not say it all."""
        healthy = self.report.verdict == OverallVerdict.HEALTHY
        strong = () if healthy and self.report.root_causes else ("strong",)
        if self.report.reason:
            yield from self.terminal.wrapped(self.report.reason, styles=("good", *strong) if healthy else strong)

    def unknown_layers(self, heading: str = "") -> Iterator[str]:
        """Of a machine that could not be diagnosed, the layers that stayed unknown, and why."""
        unknown = [rung for rung in self.report.ladder if rung.state == "unknown"]
        if self.report.verdict != OverallVerdict.UNDIAGNOSED or self.report.origin == Origin.PASTED:
            return
        if heading and unknown:
            yield ""
            yield self.terminal.style(heading, "strong")
        for rung in unknown:
            yield from self.terminal.wrapped(f"{rung.layer}: {rung.summary}", indent=2, mark="bullet")

    def count(self) -> Iterator[str]:
        """How many faults that do not explain each other were seen, and that their order is that in which to fix them."""
        faults = self.report.independent_faults
        if faults > 1 and self.report.origin != Origin.PASTED:
            yield ""
            yield from self.terminal.wrapped(
                f"{faults} faults, none of which explains another. Fix them in this order:", styles=("strong",)
            )

    def guesses(self, guesses: list[FindingDocument]) -> Iterator[str]:
        if guesses:
            yield ""
            yield from self.terminal.wrapped("Also possible (-v shows evidence and remedy):", styles=("strong",))
        told: dict[str, list[str]] = {}
        for finding in guesses:
            told.setdefault(finding.summary, []).append(f"[{finding.code}]")
        said = {root.summary for root in self.report.root_causes if root not in guesses}
        for summary, codes in told.items():
            text = f"for the same reason: {', '.join(codes)}" if summary in said else f"{summary} {', '.join(codes)}"
            yield from self.terminal.wrapped(text, indent=2, mark="bullet")

    def fix(self) -> Iterator[str]:
        """How the doctor can do some of it itself."""
        steps = self.report.plan
        mine = sum(1 for step in steps if not step.obstacle)
        if not self.report.fix:
            return
        yield ""
        what = "this" if mine == len(steps) == 1 else f"{mine} of these {len(steps)} steps"
        yield from self.terminal.wrapped(f"xpu-doctor can do {what} for you, with a way back. This shows the plan:")
        yield self.terminal.style("    " + self.report.fix, "command")

    def expectations(self) -> Iterator[str]:
        for item in self.report.expectations:
            yield ""
            word, style = {
                "met": ("Expected:", "good"),
                "unmet": ("Expected, but not so:", "bad"),
                "unknown": ("Expected, and could not be told:", "careful"),
            }[item.state]
            yield from self.terminal.wrapped(f"{item.expect} ({item.reason})", lead=word, lead_styles=(style, "strong"))

    def ask_next(self) -> Iterator[str]:
        if self.report.ask_next:
            yield ""
            yield from self.terminal.wrapped("Ask next (--reply prints this as a message):", styles=("strong",))
        for question in self.report.ask_next:
            yield from self.terminal.wrapped(question.why, indent=2, mark="bullet")
            yield from (self.terminal.style("      " + line, "command") for line in question.commands)

    def undecided(self) -> Iterator[str]:
        """Yield what lacked a fact, by the fact: all of it where everything is asked for."""
        if not self.report.undecided or not self.verbose:
            return
        yield ""
        yield self.terminal.style("Could not be decided:", "strong")
        groups: dict[tuple[str, str, str], list[str]] = {}
        for item in self.report.undecided:
            groups.setdefault((item.needs, item.reason, item.ask), []).append(item.code)
        for (needs, reason, ask), codes in groups.items():
            fact = label_of(needs) if needs else "a fact"
            yield from self.terminal.wrapped(
                f"not known: {fact} ({reason}), so not: {', '.join(codes)}", indent=2, mark="bullet"
            )
            if ask:
                yield f"      ask for: {self.terminal.style(ask, 'command')}"

    def footnotes(self) -> Iterator[str]:
        told = {root.code for root in self.report.root_causes}
        crashed = [crash for crash in self.report.crashed if not {"probe-failed", "plugin-failed"} & told]
        lines = [f"{crash.part} {crash.name} failed: {crash.error}" for crash in crashed]
        lines += [f"{item.code} was hidden by --ignore ({item.count})" for item in self.report.ignored]
        if self.report.undecided and not self.verbose and self.report.verdict != OverallVerdict.HEALTHY:
            count = len(self.report.undecided)
            checks = "1 further check" if count == 1 else f"{count} further checks"
            lines.append(f"{checks} lacked a fact; -v lists them and what to ask for")
        lines += list(hidden_values(self.report.redacted or {}))
        if lines:
            yield ""
        for line in lines:
            yield from self.terminal.wrapped(line, styles=("quiet",))
