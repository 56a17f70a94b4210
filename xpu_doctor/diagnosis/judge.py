"""How all rules judge one snapshot: found, clear, undecided or crashed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from types import CodeType
from typing import Any

from xpu_doctor.diagnosis.evidence import shown
from xpu_doctor.diagnosis.message_findings import Typed, implied, joined
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.diagnosis.strangers import StrangerFailed, is_strange, judged
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, located
from xpu_doctor.model.unknown import Undecided, Unknown
from xpu_doctor.text.visible import described


@dataclass(frozen=True)
class UndecidedRule:
    """A rule that lacked a fact: which, why it is not known, and what to ask for."""

    code: str
    needs: str
    reason: str
    ask: str = ""


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
            names = taken(rule)
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
def taken(rule: Rule) -> tuple[str, ...]:
    """Return the names of the fact groups that a rule's `check` takes."""
    if rule.takes is not None:
        return rule.takes
    code: CodeType = type(rule).check.__code__
    return code.co_varnames[1 : code.co_argcount]
