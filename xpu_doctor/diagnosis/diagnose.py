"""From a snapshot to a diagnosis: rules judge, ranking folds, the ladder is climbed, the verdict follows. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from xpu_doctor.diagnosis.ageing import aged
from xpu_doctor.diagnosis.conclusion import concluded
from xpu_doctor.diagnosis.expectations import Expectation, judge_expectation
from xpu_doctor.diagnosis.judge import Judgement, UndecidedRule, judge
from xpu_doctor.diagnosis.ladder import Rung, climb
from xpu_doctor.diagnosis.missing_facts import ask_again, ask_for
from xpu_doctor.diagnosis.observed_success import restrained, tempered
from xpu_doctor.diagnosis.ranking import flat, in_mending_order, rank
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.selection import CHECKED
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot
from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.model.unknown import known_or


@dataclass(frozen=True)
class Options:
    """What the caller wants of a diagnosis."""

    fail_on: str = "error"
    """`error`, `warning` or `never`."""
    expect: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    layers: tuple[Layer, ...] = CHECKED
    today: str = ""
    """The day of the diagnosis, ISO 8601, by which rows of tables are old; empty where their age does not count."""
    blame: Callable[[tuple[ProbeFailure, ...]], tuple[ProbeFailure, ...]] = tuple
    """Names the plug-in in failures of a plug-in's rule."""


@dataclass(frozen=True)
class Ignored:
    """A finding that `--ignore` hid, and how often."""

    code: str
    count: int


@dataclass(frozen=True)
class Found:
    """What all rules found in a snapshot, before a verdict is drawn."""

    root_causes: tuple[Finding, ...]
    undecided: tuple[UndecidedRule, ...]
    crashed: tuple[ProbeFailure, ...]
    ignored: tuple[Ignored, ...]
    expectations: tuple[Expectation, ...]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, why, how sure that is, and what could not be decided."""

    verdict: OverallVerdict
    reason: str
    """The verdict in words."""
    exit_code: int
    ladder: tuple[Rung, ...]
    root_causes: tuple[Finding, ...]
    undecided: tuple[UndecidedRule, ...]
    crashed: tuple[ProbeFailure, ...]
    ignored: tuple[Ignored, ...]
    expectations: tuple[Expectation, ...]


def diagnose(snapshot: Snapshot, rules: Sequence[Rule], options: Options = Options()) -> Diagnosis:
    """Judge a snapshot by all rules and return the diagnosis."""
    found = find(snapshot, rules, options)
    ladder = climb(found.root_causes, snapshot, symptoms_of(rules), options.layers)
    return conclude(found, ladder, options.fail_on, snapshot)


def find(snapshot: Snapshot, rules: Sequence[Rule], options: Options = Options()) -> Found:
    """Judge a snapshot by all rules and return what they found, the root causes in their order."""
    skipped = snapshot.skipped
    asked = [rule for rule in rules if rule.layer.value not in skipped] if skipped else rules
    judgement = _judged(asked, snapshot, options)
    findings = aged(tempered(judgement.findings, asked, snapshot), options.today)
    findings = restrained(findings, snapshot)
    kept = tuple(finding for finding in findings if finding.code not in options.ignore)
    symptoms = symptoms_of(rules)
    roots = rank(kept, {rule.code: rule.explains for rule in rules}, symptoms)
    if (
        snapshot.origin != Origin.PASTED
    ):  # of a text the likeliest cause comes first; faults that were seen are fixed from the bottom up
        roots = in_mending_order(roots, symptoms)
    return Found(
        root_causes=roots,
        undecided=_with_asks(judgement.undecided, {finding.code for finding in flat(roots)}, snapshot),
        crashed=(*snapshot.failures, *judgement.crashed),
        ignored=_ignored(findings, options.ignore),
        expectations=tuple(judge_expectation(text, snapshot) for text in options.expect),
    )


def conclude(found: Found, ladder: tuple[Rung, ...], fail_on: str, *snapshots: Snapshot) -> Diagnosis:
    """Return the diagnosis of these snapshots: what was found, and the verdict that follows from it."""
    roots, hidden = found.root_causes, bool(found.ignored)
    conclusion = concluded(roots, ladder, found.expectations, fail_on, *snapshots, ignored=hidden)
    codes = {finding.code for finding in flat(roots)}
    return Diagnosis(
        verdict=conclusion.verdict,
        reason=conclusion.reason,
        exit_code=conclusion.exit_code,
        ladder=ladder,
        root_causes=roots,
        undecided=tuple(item for item in found.undecided if item.code not in codes),
        crashed=found.crashed,
        ignored=found.ignored,
        expectations=found.expectations,
    )


def symptoms_of(rules: Iterable[Rule]) -> frozenset[str]:
    """Return the codes of the rules that tell how something failed, and not why."""
    return _symptoms_of(tuple(rules))


@lru_cache(maxsize=8)
def _symptoms_of(rules: tuple[Rule, ...]) -> frozenset[str]:
    return frozenset(rule.code for rule in rules if rule.symptom)


def _judged(rules: Sequence[Rule], snapshot: Snapshot, options: Options) -> Judgement:
    """Judge by all rules; those about the doctor itself come last, since they speak of rules that crashed."""
    first = judge([rule for rule in rules if rule.layer is not Layer.DOCTOR], snapshot)
    crashed = options.blame(first.crashed)
    if crashed:
        snapshot = replace(snapshot, failures=(*snapshot.failures, *crashed))
    last = judge([rule for rule in rules if rule.layer is Layer.DOCTOR], snapshot)
    return Judgement((*first.findings, *last.findings), (*first.undecided, *last.undecided), (*crashed, *last.crashed))


def _with_asks(undecided: Iterable[UndecidedRule], found: set[str], snapshot: Snapshot) -> tuple[UndecidedRule, ...]:
    """Return what could not be decided with what to ask for; a machine that was examined is not asked again for what was just looked at."""
    examined = snapshot.origin != Origin.PASTED
    system = known_or(snapshot.machine.os, "")
    return tuple(
        UndecidedRule(
            item.code,
            item.needs,
            item.reason,
            ask_again(snapshot.skipped) if examined else ask_for(item.needs, system),
        )
        for item in undecided
        if item.code not in found
    )


def _ignored(findings: Iterable[Finding], codes: Iterable[str]) -> tuple[Ignored, ...]:
    counts = {code: sum(1 for finding in findings if finding.code == code) for code in dict.fromkeys(codes)}
    return tuple(Ignored(code, count) for code, count in counts.items() if count)
