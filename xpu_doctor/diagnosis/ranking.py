"""From findings to root causes: each with the findings that it explains folded under it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from xpu_doctor.model.findings import FIRST, Confidence, Finding, Layer, Severity

WHOLE_MACHINE = "machine"
"""The subject that agrees with every other one of the same machine."""
APART = frozenset({"host", "container"})
"""Subjects that a text shows side by side: the whole machine is neither of them."""

Explains = Mapping[str, Collection[str]]
"""Finding code to the codes that it explains."""


def rank(
    findings: Iterable[Finding], explains: Explains, symptoms: frozenset[str] = frozenset()
) -> tuple[Finding, ...]:
    """Return the root causes, most likely first; what a cause explains is nested under the strongest such cause."""
    ordered = sorted(findings, key=lambda finding: _weight(finding, symptoms))
    parent: dict[int, int] = {}
    for child, finding in enumerate(ordered):
        # Strongest first, so that the first cause that fits is the one to fold under.
        for index, cause in enumerate(ordered):
            if (
                index != child
                and explains_it(cause, finding, explains)
                and _sure_enough(cause, finding, symptoms)
                and not _descends(index, child, parent)
            ):
                parent[child] = index
                break
    roots = [_tree(index, ordered, parent) for index in range(len(ordered)) if index not in parent]
    return tuple(sorted(roots, key=lambda finding: _root_weight(finding, symptoms)))


def explains_it(cause: Finding, finding: Finding, explains: Explains) -> bool:
    """Return whether one finding explains another: the knowledge has an edge, subjects agree, and a note hides no fault."""
    if finding.code not in explains.get(cause.code, frozenset()) or not subjects_agree(cause.subject, finding.subject):
        return False
    return cause.severity is not Severity.INFO or finding.severity is Severity.INFO


def subjects_agree(one: str, other: str) -> bool:
    """Return whether two findings can speak of the same thing."""
    return one == other or (WHOLE_MACHINE in (one, other) and not {one, other} & APART)


def _sure_enough(cause: Finding, finding: Finding, symptoms: frozenset[str]) -> bool:
    """Return whether a cause is more than a guess, and no weaker than the finding it would hide; a symptom may hide under a guess."""
    return finding.code in symptoms or (
        cause.confidence is not Confidence.POSSIBLE and cause.confidence.rank >= finding.confidence.rank
    )


def _descends(index: int, ancestor: int, parent: Mapping[int, int]) -> bool:
    """Return whether `index` already hangs, directly or not, under `ancestor`: plug-ins may declare circles."""
    while index in parent:
        index = parent[index]
        if index == ancestor:
            return True
    return False


def _weight(finding: Finding, symptoms: frozenset[str]) -> tuple[int, bool, int, int, int, str, str]:
    """Faults before notes, causes before symptoms, sure before likely, specific evidence first, then lower layers."""
    return (
        -finding.severity.rank,
        finding.code in symptoms,
        -finding.confidence.rank,
        -finding.weight,
        finding.layer.rank,
        finding.code,
        finding.subject,
    )


def _root_weight(finding: Finding, symptoms: frozenset[str]) -> tuple[int, bool, bool, bool, int, int, int, str, str]:
    """As `_weight`; among causes that are more than possible, one that explains a symptom that was met comes first."""
    severity, symptom, confidence, specific, layer, code, subject = _weight(finding, symptoms)
    guess = finding.confidence is Confidence.POSSIBLE
    met = not guess and any(child.code in symptoms for child in flat(finding.explains))
    return (severity, symptom, guess, not met, confidence, specific, layer, code, subject)


def mending_rank(layer: Layer) -> tuple[int, int]:
    """Return a layer's place in the order of fixing: from the bottom up, but the wheel before the libraries that come with it."""
    return (Layer.RUNTIME.rank, 1) if layer is Layer.WHEEL else (layer.rank, 2)


def in_mending_order(roots: Iterable[Finding], symptoms: frozenset[str] = frozenset()) -> tuple[Finding, ...]:
    """Return root causes that were seen side by side in the order in which to fix them; what forbids any examination comes first."""

    def place(finding: Finding) -> tuple[int, bool, bool, bool, tuple[int, int]]:
        guess = finding.confidence is Confidence.POSSIBLE
        return (
            -finding.severity.rank,
            finding.code in symptoms,
            guess,
            finding.weight < FIRST,
            mending_rank(finding.layer),
        )

    return tuple(sorted(roots, key=place))


def _tree(index: int, ordered: list[Finding], parent: Mapping[int, int]) -> Finding:
    """Return a finding with what it explains below it; what is more than a guess at the cause of an error matters as much as that error."""
    own = ordered[index]
    children = tuple(_tree(child, ordered, parent) for child in range(len(ordered)) if parent.get(child) == index)
    if not children and not own.explains:
        return own
    counted = (own,) if own.confidence is Confidence.POSSIBLE else (own, *children)
    return replace(
        own,
        explains=children,
        severity=max((finding.severity for finding in counted), key=lambda severity: severity.rank),
    )


def flat(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return all findings of a tree, roots first."""
    result: list[Finding] = []
    for finding in findings:
        result.append(finding)
        result.extend(flat(finding.explains))
    return tuple(result)
