"""Evidence as it is shown: the value and the source of each fact that a finding names."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from xpu_doctor.model.findings import Evidence, EvidenceKind, Finding
from xpu_doctor.model.snapshot import Snapshot, value_at
from xpu_doctor.model.unknown import Unknown

MAX_VALUE = 400
"""Characters of a value that evidence shows."""


def shown(snapshot: Snapshot, finding: Finding) -> Finding:
    """Return the finding with the value and source of each evidence path filled in."""
    evidence = tuple(dict.fromkeys(_filled(snapshot, item) for item in finding.evidence))
    return finding if evidence == finding.evidence else replace(finding, evidence=evidence)


def _filled(snapshot: Snapshot, item: Evidence) -> Evidence:
    if item.source and item.value:
        return item
    source = item.source or snapshot.source_of(item.fact)
    return replace(item, value=item.value or _value(snapshot, item), source=source)


def _value(snapshot: Snapshot, item: Evidence) -> str:
    if item.kind is not EvidenceKind.FACT:
        return item.value
    try:
        value = value_at(snapshot, item.fact)
    except LookupError:
        return "(not in the snapshot)"
    return f"0x{value:04x}" if item.fact.endswith(".device_id") and type(value) is int else display(value)


def display(value: Any) -> str:
    """Return a fact's value as one line of text."""
    if isinstance(value, Unknown):
        return f"unknown: {value.reason}"
    if value is None or value == "" or value == ():
        return "none"
    if isinstance(value, tuple):
        return ", ".join(display(item) for item in value[:8]) + (
            f" ... ({len(value)} in all)" if len(value) > 8 else ""
        )
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(_said(value).split())
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def _said(value: Any) -> str:
    """Return what a fact is called: of a group of facts its name, or what else tells it from its like."""
    if hasattr(value, "__dataclass_fields__"):
        words = (getattr(value, name, None) for name in ("name", "address", "path", "text", "index"))
        return next((str(word) for word in words if isinstance(word, (str, int)) and word != ""), str(value))
    return str(value)
