"""What a rule is, and how all rules judge one snapshot: found, clear, undecided or crashed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from types import CodeType
from typing import Any, ClassVar

from xpu_doctor.diagnosis.message_findings import Typed, implied, joined
from xpu_doctor.diagnosis.strangers import StrangerFailed, is_strange, judged
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, located, value_at
from xpu_doctor.model.unknown import Undecided, Unknown
from xpu_doctor.text.visible import described

MAX_VALUE = 400
"""Characters of a value that evidence shows."""


@dataclass(frozen=True)
class UndecidedRule:
    """A rule that lacked a fact: which, why it is not known, and what to ask for."""

    code: str
    needs: str
    reason: str
    ask: str = ""


class Rule:
    """Base of all rules: pure, one finding code each; parameters of `check` are snapshot fields by name."""

    code: ClassVar[str]
    layer: ClassVar[Layer]
    severity: ClassVar[Severity] = Severity.ERROR
    confidence: ClassVar[Confidence] = Confidence.CERTAIN
    explains: ClassVar[frozenset[str]] = frozenset()
    symptom: ClassVar[bool] = False
    """A symptom tells how something failed, not why; it is a root cause only where nothing explains it."""
    from_table: ClassVar[bool] = False
    """The judgement rests on a table of versions or devices; observed success makes it a note."""

    check: Any
    """`check(self, torch: Torch, gpus: ...) -> Iterator[Finding]`; yields nothing where the rule is clear."""

    def found(
        self,
        subject: str,
        summary: str,
        *,
        evidence: Iterable[str | Evidence] = (),
        remedies: Iterable[Remedy] = (),
        severity: Severity | None = None,
        confidence: Confidence | None = None,
    ) -> Finding:
        """Build this rule's finding; evidence given as fact paths is filled in from the snapshot by `judge`."""
        shown = tuple(item if isinstance(item, Evidence) else Evidence(item, "", "") for item in evidence)
        return Finding(
            self.code,
            self.layer,
            severity or self.severity,
            confidence or self.confidence,
            subject,
            summary,
            shown,
            tuple(remedies),
        )


@dataclass(frozen=True)
class Judgement:
    """What all rules said of one snapshot."""

    findings: tuple[Finding, ...]
    undecided: tuple[UndecidedRule, ...]
    crashed: tuple[ProbeFailure, ...]


def judge(rules: Iterable[Rule], snapshot: Snapshot) -> Judgement:
    """Run each rule on the snapshot; a rule that lacks a fact or crashes never stops the others."""
    findings: list[Finding] = []
    undecided: list[UndecidedRule] = []
    crashed: list[ProbeFailure] = []
    groups = _Groups(snapshot)
    rules = tuple(rules)
    spoken = (
        implied(snapshot, _not_asked(rules, snapshot)) if any(rule.layer is not Layer.DOCTOR for rule in rules) else {}
    )
    typed, loud = _typed(snapshot), snapshot.origin == "pasted"
    for rule in rules:
        speaks = spoken.get(rule.code)
        try:
            names = _parameters(type(rule).check.__code__)
            facts = [groups.group(name) for name in names]
            own = judged(rule, facts) if is_strange(rule) else list(rule.check(*facts))
            if not own and not loud and "errors" not in names:
                speaks = (
                    None  # facts of the machine itself cleared the rule: a message that could mean it does not count
                )
            if own or speaks:
                findings.extend(shown(snapshot, finding) for finding in joined(rule, own, speaks, typed, loud))
        except Undecided as missing:
            if speaks:
                findings.extend(shown(snapshot, finding) for finding in joined(rule, (), speaks, typed, loud))
            else:
                undecided.append(UndecidedRule(rule.code, missing.unknown.fact, missing.unknown.reason))
        except Exception as error:  # a rule of a plug-in may raise anything
            crashed.append(
                ProbeFailure("rule", rule.code, str(error) if isinstance(error, StrangerFailed) else described(error))
            )
    return Judgement(tuple(findings), tuple(undecided), tuple(crashed))


def _not_asked(rules: Iterable[Rule], snapshot: Snapshot) -> frozenset[str]:
    """Codes of the compute layer where a machine was examined and nothing was computed: a message of another stage is no fault of it."""
    stages = snapshot.run.stages
    if (
        snapshot.origin == "pasted"
        or isinstance(stages, Unknown)
        or any(item.name == "compute" and item.outcome != "skipped" for item in stages)
    ):
        return frozenset()
    return frozenset(rule.code for rule in rules if rule.layer is Layer.COMPUTE)


def _typed(snapshot: Snapshot) -> Typed:
    """The system, and the interpreter, for which remedies from the tables are written."""
    system, python = snapshot.machine.os, snapshot.python.executable
    examined = python if isinstance(python, str) and snapshot.origin != "pasted" else ""
    pasted = snapshot if snapshot.origin == "pasted" else None
    return Typed(system if isinstance(system, str) else "", examined, snapshot.installer.has_pip is not False, pasted)


class _Groups:
    """The fact groups of a snapshot by name, each located once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._located: dict[str, Any] = {}

    def group(self, name: str) -> Any:
        """Return a group by its name.

        Raises:
            Undecided: no probe gave such a group.
        """
        if name not in self._located:
            self._located[name] = self._find(name)
        return self._located[name]

    def _find(self, name: str) -> Any:
        if name == "snapshot":
            return self._snapshot
        if name in Snapshot.__dataclass_fields__:
            return located(getattr(self._snapshot, name), name)
        if name in self._snapshot.plugins:
            return self._snapshot.plugins[name]
        raise Undecided(Unknown(f"no probe gave facts named {name}", name))


@cache
def _parameters(code: CodeType) -> tuple[str, ...]:
    """Names of the fact groups that a rule's `check` takes."""
    return code.co_varnames[1 : code.co_argcount]


def shown(snapshot: Snapshot, finding: Finding) -> Finding:
    """Return the finding with the value and source of each evidence path filled in."""
    return replace(finding, evidence=tuple(dict.fromkeys(_filled(snapshot, item) for item in finding.evidence)))


def _filled(snapshot: Snapshot, item: Evidence) -> Evidence:
    source = item.source or snapshot.source_of(item.fact)
    if item.value:
        return Evidence(item.fact, item.value, source)
    try:
        value = value_at(snapshot, item.fact)
    except LookupError:
        return Evidence(item.fact, "(not in the snapshot)", source)
    return Evidence(
        item.fact,
        f"0x{value:04x}" if item.fact.endswith(".device_id") and type(value) is int else display(value),
        source,
    )


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
