"""What a report would say twice: one sentence for two findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from xpu_doctor.model.findings import Finding

PROPER_NAMES = ("Intel", "Linux", "Microsoft", "Windows")
"""Words that stay capital within a sentence."""


def said_once(roots: Iterable[Finding], meanings: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return root causes of which no two have the same sentence, and none explains what only repeats it.

    `meanings` are sentences by code, in place of a sentence that was told before.
    """
    told: set[str] = set()
    result: list[Finding] = []
    for root in roots:
        summary = root.summary
        if summary in told and meanings.get(root.code):
            summary = meanings[root.code]
        told.add(summary)
        if summary is not root.summary or root.explains:
            root = replace(root, summary=summary, explains=_others(root.explains, {root.summary}))  # noqa: PLW2901 - the same root cause, told otherwise
        result.append(root)
    return tuple(result)


def meaning(sentence: str) -> str:
    """Return the sentence that describes a rule as a summary: without its full stop, and not capital."""
    first = sentence.strip().split("\n", 1)[0].rstrip(".")
    name = first.partition(" ")[0]
    written_so = name.startswith(PROPER_NAMES) or (not name[1:].islower() and len(name) > 1)
    return first if written_so else first[:1].lower() + first[1:]


def _others(findings: Iterable[Finding], above: set[str]) -> tuple[Finding, ...]:
    """Return findings without those that repeat what stands above them; what these explain takes their place."""
    result: list[Finding] = []
    for finding in findings:
        if finding.summary in above:
            result += _others(finding.explains, above)
        elif not finding.explains:
            result.append(finding)
        else:
            result.append(replace(finding, explains=_others(finding.explains, {*above, finding.summary})))
    return tuple(result)
