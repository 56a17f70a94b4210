"""Words and choices that the formats for people share: how a finding is called, and what is shown of many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from xpu_doctor.model.terms import Origin, OverallVerdict

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document, EvidenceDocument, FindingDocument

VERDICTS: Mapping[str, str] = {
    OverallVerdict.FINDINGS: "a fault was found",
    OverallVerdict.UNDIAGNOSED: "could not be diagnosed",
    OverallVerdict.HEALTHY: "healthy",
    OverallVerdict.TOOL_FAILED: "xpu-doctor failed",
}
"""The verdict in a few words."""
MARKDOWN_BEGINS = "### xpu-doctor: "
MARKDOWN_ENDS = "<!-- end of the xpu-doctor report -->"
"""By these lines triage tells a report in the text of an issue."""
RISKS: Mapping[str, str] = {
    "none": "low; no restart, no administrator, and no torch is replaced",
    "reinstall": "packages of this environment are removed and reinstalled",
    "re-login": "you must log out and in again",
    "reboot": "the machine must be restarted",
    "admin": "needs administrator rights and changes the system",
}
"""What carrying out a remedy costs."""
HIDDEN_KINDS: Mapping[str, str] = {
    "ip": "address",
    "mac": "address",
    "email": "address",
    "credentials": "password",
    "serial": "serial number",
    "uuid": "UUID",
    "word": "own word",
}
"""What kinds of hidden values are called where the kind does not say it."""
SEVERITIES: Mapping[str, str] = {"error": "Also", "warning": "Warning", "info": "Note"}


def is_placed(row: EvidenceDocument) -> bool:
    """Return whether the source of evidence is a place in a text, which a reader may want to see, and no probe."""
    return ", line " in row.source or row.source.startswith("file ")


def title_of(number: int, finding: FindingDocument) -> str:
    """Return what a finding is called, the first of a report being number 1."""
    return (
        "Root cause"
        if number == 1 and finding.severity == "error"
        else SEVERITIES.get(finding.severity, finding.severity)
    )


def sureness(finding: FindingDocument) -> str:
    """Return how sure a finding is, in brackets, or empty where it is certain."""
    return "" if finding.confidence == "certain" else f" ({finding.confidence})"


def in_full(report: Document, *, verbose: bool = False) -> tuple[list[FindingDocument], list[FindingDocument]]:
    """Return the root causes to show in full, and what is only possible besides: of a pasted text that may be much."""
    roots = report.root_causes
    if verbose or report.origin != Origin.PASTED:
        return roots, []
    sure = [finding for finding in roots if finding.confidence != "possible"]
    guesses = [finding for finding in roots if finding.confidence == "possible"]
    return (sure, guesses) if sure else (roots[:1], roots[1:])


def hidden_values(redacted: Mapping[str, int]) -> Iterator[str]:
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
