"""One root cause as text: what it is and what to do at once, then the proof, what it explains, other ways, how to verify."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from xpu_doctor.report.document import EvidenceDocument, FindingDocument, RemedyDocument
from xpu_doctor.report.phrases import RISKS, is_placed, sureness, title_of
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.tables.fact_labels import label_of

SEVERITY_STYLES = {"error": "bad", "warning": "careful", "info": "note"}
MAX_EVIDENCE = 6


@dataclass(frozen=True)
class CauseText:
    """Writes root causes for a terminal; `command` is how the doctor is called here."""

    terminal: Terminal
    verbose: bool
    command: str

    def lines(self, number: int, finding: FindingDocument) -> Iterator[str]:
        """Yield a root cause, the answer first."""
        lead, others = _ways(finding, self.verbose)
        yield from self.title(number, finding)
        for remedy in lead:
            yield from self.remedy(remedy, "And" if remedy.besides else "Do this")
        yield from self.evidence(finding.evidence)
        yield from self.explained(finding.explains)
        verify = dict.fromkeys(next((remedy.verify for remedy in reversed(lead) if remedy.verify), []))
        for remedy in others:
            yield from self.remedy(remedy, "And" if remedy.besides else "Or", lead[0])
            if verify.keys().isdisjoint(remedy.verify):
                yield from self.verification(remedy.verify, 4)
            else:
                verify.update(dict.fromkeys(remedy.verify))
        yield from self.verification(list(verify))
        yield self.terminal.style(f"  More: {self.command} explain {finding.code}", "quiet")
        if finding.page:
            yield self.terminal.style(f"  {finding.page}", "quiet")

    def title(self, number: int, finding: FindingDocument) -> Iterator[str]:
        """Yield what is wrong, how sure that is, and the code by which it is looked up."""
        yield from self.terminal.wrapped(
            f"{finding.summary}{sureness(finding)}",
            lead=f"{title_of(number, finding)}:",
            lead_styles=(SEVERITY_STYLES[finding.severity], "strong"),
            styles=("strong",),
        )
        yield from self.terminal.wrapped(
            f"[{finding.code}] {finding.layer} layer, {finding.severity}", indent=2, styles=("quiet",)
        )

    def remedy(self, remedy: RemedyDocument, word: str, before: RemedyDocument | None = None) -> Iterator[str]:
        """Yield a way to fix it: what to type, what that costs, and why it helps, unless the way `before` has said that."""
        yield from self.terminal.wrapped(remedy.title, indent=2, lead=f"{word}:", lead_styles=("strong",))
        yield from (self.terminal.style("    " + line, "command") for line in remedy.commands)
        if remedy.risk != "none":
            yield from self.terminal.wrapped(f"Risk: {RISKS.get(remedy.risk, remedy.risk)}.", indent=4)
        if remedy.why and not (before and before.why == remedy.why):
            yield from self.terminal.wrapped(remedy.why, indent=4)
        if remedy.url and not (before and before.url == remedy.url):
            yield f"    See {remedy.url}"

    def verification(self, lines: Sequence[str], indent: int = 2) -> Iterator[str]:
        """Yield what to type afterwards."""
        if lines:
            yield self.terminal.style(" " * indent + "Then verify:", "strong")
            yield from (self.terminal.style(" " * (indent + 2) + line, "command") for line in lines)

    def evidence(self, evidence: Iterable[EvidenceDocument]) -> Iterator[str]:
        """Yield what proves it."""
        rows = list(evidence)
        if rows:
            yield self.terminal.style("  Proof:", "strong")
        limit = len(rows) if self.verbose else MAX_EVIDENCE
        for row in rows[:limit]:
            yield from self.terminal.wrapped(self.proof(row), indent=4, mark="bullet")
        if len(rows) > limit:
            yield f"    {self.terminal.mark('bullet')} and {len(rows) - limit} more (-v shows them)"

    def proof(self, row: EvidenceDocument) -> str:
        """Return one thing that proves it, in words."""
        if row.kind == "message":
            return f"{row.source}: {row.value}"
        placed = self.verbose or is_placed(row)
        return f"{label_of(row.fact)}: {row.value}" + (f" ({row.source})" if placed else "")

    def explained(self, findings: Iterable[FindingDocument], depth: int = 0) -> Iterator[str]:
        """Yield the findings that go away with this one."""
        for position, finding in enumerate(findings):
            if depth == 0 and position == 0:
                yield self.terminal.style("  This explains:", "strong")
            yield from self.terminal.wrapped(f"{finding.summary} [{finding.code}]", indent=4 + 3 * depth, mark="branch")
            yield from self.explained(finding.explains, depth + 1)


def _ways(finding: FindingDocument, verbose: bool) -> tuple[list[RemedyDocument], list[RemedyDocument]]:
    """Return the first remedy with the steps that follow it, and the other ways; a note has one remedy unless all is asked for."""
    remedies = finding.remedies
    if finding.severity == "info" and not verbose:
        return remedies[:1], []
    end = next((place for place, remedy in enumerate(remedies) if place and not remedy.besides), len(remedies))
    return remedies[:end], remedies[end:]
