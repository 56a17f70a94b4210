"""A finding as plain lines, for formats that carry text in a field: proof, commands, page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from xpu_doctor.tables.fact_labels import label_of

if TYPE_CHECKING:
    from xpu_doctor.report.document import FindingDocument, RemedyDocument


def finding_lines(finding: FindingDocument, *, other_ways: bool = True) -> Iterator[str]:
    """Yield what proves a finding, and what to do; without `other_ways` only the first way, with its next steps."""
    for row in finding.evidence:
        yield f"Proof: {row.source if row.kind == 'message' else label_of(row.fact)}: {row.value}"
    for index, remedy in enumerate(finding.remedies):
        if index and not remedy.besides and not other_ways:
            break
        yield from _remedy_lines(remedy, "Do this" if index == 0 else "And" if remedy.besides else "Or")
    if finding.page:
        yield f"More: {finding.page}"


def _remedy_lines(remedy: RemedyDocument, word: str) -> Iterator[str]:
    yield f"{word}: {remedy.title}"
    if remedy.why:
        yield remedy.why
    yield from (f"    {line}" for line in remedy.commands)
    if remedy.verify:
        yield "Then verify:"
        yield from (f"    {line}" for line in remedy.verify)


def flat(findings: list[FindingDocument]) -> Iterator[tuple[FindingDocument, FindingDocument | None]]:
    """Yield every finding of a tree, each with the one that explains it, or None."""
    for finding in findings:
        yield finding, None
        yield from _below(finding)


def _below(finding: FindingDocument) -> Iterator[tuple[FindingDocument, FindingDocument | None]]:
    for child in finding.explains:
        yield child, finding
        yield from _below(child)
