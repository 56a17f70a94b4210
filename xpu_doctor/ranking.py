"""From findings to root causes: each with the findings that it explains folded under it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xpu_doctor.findings import Confidence, Finding, Severity

WHOLE_MACHINE = "machine"
"""The subject that agrees with every other one of the same machine."""
APART = frozenset({"host", "container"})
"""Subjects that a text shows side by side: one never explains the other."""

Explains = Mapping[str, frozenset[str]]
"""Finding code to the codes that it explains."""


def rank(findings: Iterable[Finding], explains: Explains, symptoms: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Return the root causes, most likely first; what a cause explains is nested under the strongest such cause."""
    ordered = sorted(findings, key=lambda finding: _order(finding, explains, symptoms))
    parent: dict[int, int] = {}
    for child, finding in enumerate(ordered):
        causes = [index for index, cause in enumerate(ordered) if index != child and _explains(cause, finding, explains, symptoms)]
        if causes:
            parent[child] = causes[0]
    ranked = [_tree(index, ordered, parent) for index in range(len(ordered)) if index not in parent]
    return tuple(sorted(ranked, key=lambda finding: _root_order(finding, explains, symptoms)))


def _explains(cause: Finding, finding: Finding, explains: Explains, symptoms: frozenset[str]) -> bool:
    """Whether the knowledge has an edge, the subjects agree, and the cause is not weaker than what it would hide."""
    if finding.code not in symptoms and cause.confidence.rank < finding.confidence.rank:
        return False
    if finding.code not in explains.get(cause.code, frozenset()) or not subjects_agree(cause.subject, finding.subject):
        return False
    return cause.severity.rank >= finding.severity.rank or cause.severity is Severity.WARNING


def subjects_agree(one: str, other: str) -> bool:
    """Whether two findings can speak of the same thing."""
    return one == other or (WHOLE_MACHINE in (one, other) and not {one, other} & APART)


def _order(finding: Finding, explains: Explains, symptoms: frozenset[str]) -> tuple[int, int, int, int, int, str, str]:
    return (
        -finding.severity.rank,
        int(finding.code in symptoms),
        -finding.confidence.rank,
        -finding.weight,
        finding.layer.rank,
        finding.code,
        finding.subject,
    )


def _root_order(finding: Finding, explains: Explains, symptoms: frozenset[str]) -> tuple[int, int, int, int, int, int, int, str]:
    """As `_order`; among equally sure causes the one that explains a symptom that was really met comes first."""
    severity, symptom, confidence, weight, layer, code, subject = _order(finding, explains, symptoms)
    met = any(folded.code in symptoms for folded in finding.explains)
    possible = finding.confidence is Confidence.POSSIBLE
    return (severity, symptom, int(possible), -int(met), confidence, weight, layer, f"{code} {subject}")


def _tree(index: int, ordered: list[Finding], parent: dict[int, int]) -> Finding:
    children = tuple(_tree(child, ordered, parent) for child in range(len(ordered)) if parent.get(child) == index)
    return replace(ordered[index], explains=children)


def flat(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return all findings of a tree, roots first."""
    result: list[Finding] = []
    for finding in findings:
        result.append(finding)
        result.extend(flat(finding.explains))
    return tuple(result)
