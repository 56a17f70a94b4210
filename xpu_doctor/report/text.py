"""The report for people: the interpreter, the ladder, the root causes with proof and remedy."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping

from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.report.clean import clean
from xpu_doctor.report.document import Document, EvidenceDocument, FindingDocument, RemedyDocument
from xpu_doctor.report.terminal import Terminal

STATE_STYLES = {
    "ok": ("green",),
    "fault": ("red", "bold"),
    "blocked": ("yellow",),
    "unknown": ("yellow",),
    "skipped": ("dim",),
}
SEVERITY_STYLES = {"error": ("red", "bold"), "warning": ("yellow", "bold"), "info": ("cyan",)}
RISKS = {
    "none": "none",
    "reinstall": "packages of this environment are removed and reinstalled",
    "re-login": "you must log out and in again",
    "reboot": "the machine must be restarted",
    "admin": "needs administrator rights and changes the system",
}
MAX_EVIDENCE = 6
HIDDEN_KINDS = {
    "ip": "address",
    "mac": "address",
    "email": "address",
    "credentials": "password",
    "serial": "serial number",
    "uuid": "UUID",
    "word": "own word",
}
"""What kinds of hidden values are called where the kind does not say it."""


def render_text(report: Document, terminal: Terminal, *, verbose: bool = False) -> str:
    """Return the whole report as text that ends with a newline; every line fits the terminal, commands excepted."""
    page = _Page(clean(report), terminal, verbose)
    return "\n".join(page.lines()) + "\n"


class _Page:
    def __init__(self, report: Document, terminal: Terminal, verbose: bool) -> None:
        self.report = report
        self.terminal = terminal
        self.verbose = verbose

    def lines(self) -> Iterator[str]:
        yield from self.headline()
        yield from self.notes()
        yield ""
        yield from self.ladder()
        verdict = list(self.verdict())
        if verdict:
            yield ""
            yield from verdict
        yield from self.count()
        shown, guesses = self.divided()
        for number, finding in enumerate(shown, 1):
            yield ""
            yield from self.root_cause(number, finding)
        yield from self.guesses(guesses)
        yield from self.fix()
        yield from self.expectations()
        yield from self.ask_next()
        yield from self.footnotes()

    # ------------------------------------------------------------------------------------------ parts

    def headline(self) -> Iterator[str]:
        target = self.report.target
        if target.python is None:
            yield from self.wrapped(f"xpu-doctor {self.report.tool.version} examined a {self.report.origin} report.")
            return
        version = (
            f" (Python {target.version}" + (f", managed by {target.manager}" if target.manager else "") + ")"
            if target.version
            else ""
        )
        yield from self.wrapped(f"Examined {target.python}{version}: {target.why}.", styles=("bold",))

    def notes(self) -> Iterator[str]:
        for note in self.report.notes:
            yield from self.wrapped(f"Note: {note}", styles=("yellow",))

    def ladder(self) -> Iterator[str]:
        for rung in self.report.ladder:
            styles = STATE_STYLES[rung.state]
            label = self.terminal.style(f"{self.terminal.mark(rung.state)} {rung.layer:<12}{rung.state:<9}", *styles)
            first, *rest = textwrap.wrap(rung.summary, self.terminal.width - 27, max_lines=3, placeholder=" ...") or [
                ""
            ]
            yield f"  {label}  {first}".rstrip()
            yield from (" " * 27 + line for line in rest)

    def verdict(self) -> Iterator[str]:
        """Say the verdict in words, where root causes do not say it all; of a machine also which layers could not be judged."""
        report = self.report
        healthy = report.verdict == OverallVerdict.HEALTHY
        bold = ("bold",) if not (healthy and report.root_causes) else ()
        if report.reason:
            yield from self.wrapped(report.reason, styles=("green" if healthy else "yellow", *bold))
        if report.verdict == OverallVerdict.UNDIAGNOSED and report.origin != Origin.PASTED:
            for rung in report.ladder:
                if rung.state == "unknown":
                    yield from self.wrapped(f"{rung.layer}: {rung.summary}", indent=2, bullet=True)

    def count(self) -> Iterator[str]:
        """How many faults that do not explain each other were seen, and that their order is that in which to fix them."""
        faults = self.report.independent_faults
        if faults > 1 and self.report.origin != Origin.PASTED:
            yield ""
            yield from self.wrapped(
                f"{faults} faults, none of which explains another. Fix them in this order:", styles=("bold",)
            )

    def root_cause(self, number: int, finding: FindingDocument) -> Iterator[str]:
        title = (
            "Root cause"
            if number == 1 and finding.severity == "error"
            else {"error": "Also", "warning": "Warning", "info": "Note"}[finding.severity]
        )
        sure = "" if finding.confidence == "certain" else f" ({finding.confidence})"
        yield from self.wrapped(f"{title}: {finding.summary}{sure}", styles=SEVERITY_STYLES[finding.severity])
        yield self.terminal.style(f"  [{finding.code}] {finding.layer} layer, {finding.severity}", "dim")
        yield from self.evidence(finding.evidence)
        yield from self.explained(finding.explains)
        for index, remedy in enumerate(finding.remedies):
            if index and not self.verbose and finding.severity == "info":
                break
            yield from self.remedy(remedy, "Do this" if index == 0 else "And" if remedy.besides else "Or")
        yield from self.wrapped(f"More: {self.report.tool.command} explain {finding.code}", indent=2, styles=("dim",))
        if finding.page:
            yield self.terminal.style(f"  {finding.page}", "dim")

    def divided(self) -> tuple[list[FindingDocument], list[FindingDocument]]:
        """Return the root causes to show in full, and what is only possible besides: of a pasted text that may be much."""
        roots = self.report.root_causes
        if self.verbose or self.report.origin != Origin.PASTED:
            return roots, []
        sure = [finding for finding in roots if finding.confidence != "possible"]
        return (
            (sure, [finding for finding in roots if finding.confidence == "possible"])
            if sure
            else (roots[:1], roots[1:])
        )

    def guesses(self, guesses: list[FindingDocument]) -> Iterator[str]:
        if guesses:
            yield ""
            yield self.terminal.style("Also possible (-v shows evidence and remedy):", "bold")
        told: dict[str, list[str]] = {}
        for finding in guesses:
            told.setdefault(finding.summary, []).append(f"[{finding.code}]")
        said = {root.summary for root in self.report.root_causes if root not in guesses}
        for summary, codes in told.items():
            text = f"for the same reason: {', '.join(codes)}" if summary in said else f"{summary} {', '.join(codes)}"
            yield from self.wrapped(text, indent=2, bullet=True)

    def evidence(self, evidence: Iterable[EvidenceDocument]) -> Iterator[str]:
        rows = list(evidence)
        if rows:
            yield "  Proof:"
        limit = len(rows) if self.verbose else MAX_EVIDENCE
        for row in rows[:limit]:
            source = (
                f"  ({row.source})"
                if self.verbose or row.fact == "" or ", line " in row.source or row.source.startswith("file ")
                else ""
            )
            met = row.kind == "message"
            yield from self.wrapped(
                f"{row.source}: {row.value}" if met else f"{row.fact} = {row.value}{source}", indent=4, bullet=True
            )
        if len(rows) > limit:
            yield f"    {self.terminal.mark('bullet')} and {len(rows) - limit} more (-v shows them)"

    def explained(self, findings: Iterable[FindingDocument], depth: int = 0) -> Iterator[str]:
        for position, finding in enumerate(findings):
            if depth == 0 and position == 0:
                yield "  This explains:"
            yield from self.wrapped(
                f"{finding.summary} [{finding.code}]", indent=4 + 3 * depth, mark=self.terminal.mark("branch")
            )
            yield from self.explained(finding.explains, depth + 1)

    def remedy(self, remedy: RemedyDocument, word: str) -> Iterator[str]:
        yield from self.wrapped(f"{word}: {remedy.title}", indent=2, styles=("bold",))
        if remedy.why:
            yield from self.wrapped(remedy.why, indent=4)
        yield from (self.terminal.style("    " + line, "cyan") for line in remedy.commands)
        if remedy.risk != "none":
            yield from self.wrapped(f"Risk: {RISKS.get(remedy.risk, remedy.risk)}.", indent=4)
        if remedy.verify:
            yield "    Then verify:"
            yield from (self.terminal.style("      " + line, "cyan") for line in remedy.verify)
        if remedy.url:
            yield f"    See {remedy.url}"

    def fix(self) -> Iterator[str]:
        """How the doctor can do some of it itself."""
        steps = self.report.plan
        mine = sum(1 for step in steps if not step.obstacle)
        if not self.report.fix:
            return
        yield ""
        what = "this" if mine == len(steps) == 1 else f"{mine} of these {len(steps)} steps"
        yield from self.wrapped(f"xpu-doctor can do {what} for you, with a way back. This shows the plan:")
        yield self.terminal.style("    " + self.report.fix, "cyan")

    def expectations(self) -> Iterator[str]:
        for item in self.report.expectations:
            yield ""
            word = {"met": "Expected", "unmet": "Expected, but not so", "unknown": "Expected, and could not be told"}[
                item.state
            ]
            styles = {"met": ("green",), "unmet": ("red", "bold"), "unknown": ("yellow", "bold")}[item.state]
            yield from self.wrapped(f"{word}: {item.expect} ({item.reason})", styles=styles)

    def ask_next(self) -> Iterator[str]:
        if self.report.ask_next:
            yield ""
            yield self.terminal.style("Ask next (--reply prints this as a message):", "bold")
        for question in self.report.ask_next:
            yield from self.wrapped(question.why, indent=2, bullet=True)
            yield from (self.terminal.style("      " + line, "cyan") for line in question.commands)
        if not self.report.undecided or not self.verbose:
            return
        yield ""
        yield self.terminal.style("Could not be decided:", "bold")
        groups: dict[tuple[str, str, str], list[str]] = {}
        for item in self.report.undecided:
            groups.setdefault((item.needs, item.reason, item.ask), []).append(item.code)
        for (needs, reason, ask), codes in groups.items():
            yield from self.wrapped(
                f"{needs or 'a fact'} is not known ({reason}), so not: {', '.join(codes)}", indent=2, bullet=True
            )
            if ask:
                yield f"      ask for: {ask}"

    def footnotes(self) -> Iterator[str]:
        told = {root.code for root in self.report.root_causes}
        crashed = [crash for crash in self.report.crashed if not {"probe-failed", "plugin-failed"} & told]
        lines = [f"{crash.part} {crash.name} failed: {crash.error}" for crash in crashed]
        lines += [f"{item.code} was hidden by --ignore ({item.count})" for item in self.report.ignored]
        if self.report.undecided and not self.verbose and self.report.verdict != OverallVerdict.HEALTHY:
            count = len(self.report.undecided)
            lines.append(
                f"{count} question{'s' if count != 1 else ''} could not be decided; -v lists them and what to ask for"
            )
        lines += list(_hidden(self.report.redacted or {}))
        if lines:
            yield ""
        for line in lines:
            yield from self.wrapped(line, styles=("dim",))

    # ------------------------------------------------------------------------------------------ helpers

    def wrapped(
        self, text: str, *, indent: int = 0, styles: tuple[str, ...] = (), bullet: bool = False, mark: str = ""
    ) -> Iterator[str]:
        sign = mark or (self.terminal.mark("bullet") if bullet else "")
        first = " " * indent + (f"{sign} " if sign else "")
        rest = " " * len(first)
        lines = textwrap.wrap(
            text,
            self.terminal.width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        yield from (self.terminal.style(line, *styles) for line in lines or [first.rstrip()])


def _hidden(redacted: Mapping[str, int]) -> Iterator[str]:
    """How many values of each kind were hidden, in one line."""
    counts: dict[str, int] = {}
    for kind, count in redacted.items():
        called = HIDDEN_KINDS.get(kind, kind)
        counts[called] = counts.get(called, 0) + count
    told = [
        f"{count} {called if count == 1 else called + ('es' if called.endswith('s') else 's')}"
        for called, count in counts.items()
        if count
    ]
    if told:
        yield f"Hidden: {', '.join(told)}; --no-redact shows them"
