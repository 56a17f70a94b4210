"""How all rules judge one snapshot: found, clear, undecided or crashed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from xpu_doctor.diagnosis.conditions import Truth
from xpu_doctor.diagnosis.evidence import shown
from xpu_doctor.diagnosis.message_findings import CommandContext, MessageEvidence, merge, message_findings
from xpu_doctor.diagnosis.rule import Rule, parameters
from xpu_doctor.diagnosis.strangers import StrangerFailed, is_strange, judged
from xpu_doctor.model.facts.combined import COMBINED
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, located
from xpu_doctor.model.terms import Origin, Part, StageOutcome
from xpu_doctor.model.unknown import Undecided, Unknown, denied, holds, known_or
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
    rules = tuple(rules)
    true = Truth(snapshot, frozenset(error.signature for error in known_or(snapshot.errors.met, ())))
    groups, context = FactGroups(snapshot), _command_context(snapshot, true)
    messages: Mapping[str, MessageEvidence] = {}
    if any(rule.layer is not Layer.DOCTOR for rule in rules):
        messages = message_findings(snapshot, true, _not_asked(rules, snapshot))
    for rule in rules:
        try:
            found = _judge_one(rule, groups, messages.get(rule.code), context)
            findings.extend(shown(snapshot, finding) for finding in found)
        except Undecided as missing:
            undecided.append(UndecidedRule(rule.code, missing.unknown.fact, missing.unknown.reason))
        except Exception as error:  # a rule of a plug-in may raise anything
            crashed.append(
                ProbeFailure(
                    Part.RULE, rule.code, str(error) if isinstance(error, StrangerFailed) else described(error)
                )
            )
    return Judgement(tuple(findings), tuple(undecided), tuple(crashed))


def _judge_one(
    rule: Rule, groups: FactGroups, message: MessageEvidence | None, context: CommandContext
) -> list[Finding]:
    """Return what a rule and the messages of its code find.

    Raises:
        Undecided: the rule lacks a fact, and no message stands in for it.
    """
    try:
        facts = groups.arguments(rule)
        own = judged(rule, facts) if _is_of_a_plugin(rule) else list(rule.check(*facts))
    except Undecided:
        if message is None:
            raise
        return merge(rule, None, message, context)
    if message is None and not own:  # most rules of most snapshots
        return []
    return merge(rule, own, message, context)


@cache
def _is_of_a_plugin(rule: Rule) -> bool:
    return is_strange(rule)


def _not_asked(rules: Iterable[Rule], snapshot: Snapshot) -> frozenset[str]:
    """Codes for which messages do not count: those that cannot be on the system of a text, and those of the compute layer where a machine
    was examined and nothing was computed, since a message of another stage is no fault of it.
    """
    if snapshot.origin == Origin.PASTED:
        system = _shown_system(snapshot)
        return frozenset(
            rule.code
            for rule in rules
            if system and rule.systems and system not in rule.systems and not is_strange(rule)
        )
    stages = snapshot.run.stages
    if isinstance(stages, Unknown) or any(
        item.name == "compute" and item.outcome != StageOutcome.SKIPPED for item in stages
    ):
        return frozenset()
    return frozenset(rule.code for rule in rules if rule.layer is Layer.COMPUTE)


def _shown_system(snapshot: Snapshot) -> str:
    """Return the one operating system that takes part, as far as a text shows; empty where there may be two."""
    machine = snapshot.machine
    system = known_or(machine.os, "")
    linux = isinstance(snapshot.kernel.version, str) or isinstance(machine.distribution, str)
    if system == "windows":
        return "" if linux or holds(machine.wsl) or holds(snapshot.pasted.in_container) else system
    return system if linux and not holds(machine.wsl) else ""


def _command_context(snapshot: Snapshot, true: Truth) -> CommandContext:
    """Return the system, and the interpreter, for which remedies from the tables are written."""
    pasted = snapshot.origin == Origin.PASTED
    return CommandContext(
        system=known_or(snapshot.machine.os, ""),
        python=known_or(snapshot.python.executable, ""),
        pip=not denied(snapshot.installer.has_pip),
        pasted=snapshot if pasted else None,
        true=true.of,
    )


class FactGroups:
    """The fact groups of a snapshot by name, each located once, and those that stand for several, as rules take them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._located: dict[str, Any] = {}

    def arguments(self, rule: Rule) -> list[Any]:
        """Return the groups that a rule's `check` takes.

        Raises:
            Undecided: no probe gave one of them.
        """
        return [self._group(name) for name in parameters(rule)]

    def _group(self, name: str) -> Any:
        if name not in self._located:
            self._located[name] = self._find(name)
        return self._located[name]

    def _find(self, name: str) -> Any:
        if name == "snapshot":
            return self._snapshot
        if name in COMBINED:
            kind = COMBINED[name]
            return kind(**{part: self._group(part) for part in kind.__dataclass_fields__})
        if name in Snapshot.__dataclass_fields__:
            return located(getattr(self._snapshot, name), name)
        if name in self._snapshot.plugins:
            return self._snapshot.plugins[name]
        raise Undecided(Unknown(f"no probe gave facts named {name}", name))
