"""Helpers for authors of rules and plug-ins: judge one rule on a few facts, without a machine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.findings import Finding
from xpu_doctor.model.snapshot import Snapshot


class RuleCrashed(AssertionError):
    """The rule raised where it should have judged."""


def judge_one(rule: Rule, facts: Mapping[str, Any]) -> tuple[str, tuple[Finding, ...]]:
    """Judge one rule on a partial snapshot given as plain values, e.g. `{"torch": {"build": "cpu"}}`.

    Facts that are left out are unknown. Returns `found`, `clear` or `undecided`, and the findings.

    Raises:
        RuleCrashed: the rule raised.
        msgspec.ValidationError: the facts do not fit the snapshot; the message names the place.
    """
    import msgspec

    judgement = judge([rule], msgspec.convert(dict(facts), Snapshot))
    if judgement.crashed:
        raise RuleCrashed(judgement.crashed[0].error)
    outcome = "found" if judgement.findings else "undecided" if judgement.undecided else "clear"
    return outcome, judgement.findings
