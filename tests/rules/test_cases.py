"""Every rule on its own cases: found, clear or undecided, as fixtures/rules says."""

from __future__ import annotations

import pytest

from tests.support.cases import Case, cases
from xpu_doctor.catalogue.pages import rules_by_code
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.findings import Finding


@pytest.mark.parametrize("case", cases(), ids=str)
def test_case(case: Case) -> None:
    """The rule says of the case's snapshot what the case says."""
    result = judge([rules_by_code()[case.code]()], case.facts())
    assert not result.crashed, result.crashed
    said = "found" if result.findings else "undecided" if result.undecided else "clear"
    assert said == case.outcome, result
    if case.outcome == "found":
        assert any(_matches(finding, case) for finding in result.findings), "\n".join(map(_words, result.findings))
    if case.outcome == "undecided":
        assert all(row.needs and row.reason for row in result.undecided), result.undecided


def _matches(finding: Finding, case: Case) -> bool:
    wanted = {"severity": case.severity, "confidence": case.confidence, "subject": case.subject}
    said = {"severity": finding.severity.value, "confidence": finding.confidence.value, "subject": finding.subject}
    return (
        all(not value or said[name] == value for name, value in wanted.items())
        and case.contains in _words(finding)
        and (not case.lacks or case.lacks not in _words(finding))
    )


def _words(finding: Finding) -> str:
    """All the text of a finding that a case may ask for."""
    remedies = [
        part for remedy in finding.remedies for part in (remedy.title, remedy.why, *remedy.commands, *remedy.verify)
    ]
    evidence = [f"{item.fact} = {item.value} ({item.source})" for item in finding.evidence]
    return "\n".join(
        [
            f"{finding.severity.value} {finding.confidence.value} {finding.subject}: {finding.summary}",
            *evidence,
            *remedies,
        ]
    )
