"""Less is believed of rows that were looked at long ago: a finding that rests on one is less sure, and says so. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding
from xpu_doctor.tables.ageing import is_past_its_date

_LESS = {Confidence.CERTAIN: Confidence.LIKELY, Confidence.LIKELY: Confidence.POSSIBLE}


def aged(findings: Iterable[Finding], today: str) -> tuple[Finding, ...]:
    """Return findings; those that rest on a row past its date on a day, ISO 8601, are less sure.

    Without a day nothing is old.
    """
    return tuple(_aged(finding, today) for finding in findings) if today else tuple(findings)


def _aged(finding: Finding, today: str) -> Finding:
    if not any(_is_old(item, today) for item in finding.evidence):
        return finding
    return replace(
        finding,
        confidence=_LESS.get(finding.confidence, finding.confidence),
        evidence=tuple(_dated(item, today) for item in finding.evidence),
    )


def _is_old(item: Evidence, today: str) -> bool:
    return item.kind is EvidenceKind.TABLE and is_past_its_date(item.fact, item.checked, today)


def _dated(item: Evidence, today: str) -> Evidence:
    if not _is_old(item, today):
        return item
    return replace(item, value=f"{item.value} (looked at {item.checked}: may be out of date)")
