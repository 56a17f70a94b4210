"""Findings that met messages speak for, under the code of whichever rule they belong to. Pure.

A rule judges facts. Often a text holds no such fact, only the message that the fault left behind. The rows of
data/signatures.toml say which codes a message speaks for, how surely and under which conditions; the rows of
data/known_faults.toml say the same of versions that are known to be bad, those of data/implications.toml of a state of pasted
facts (no device, in WSL ...). `judge` adds what they imply to what the rule of that code found itself, so that no rule has to
know about messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.diagnosis.conditions import Truth
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Remedy, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import known_or

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.facts import ErrorText
    from xpu_doctor.model.facts.pasted import Reported
    from xpu_doctor.tables.signatures import Implication

REPORTED_WEIGHT = 200
"""Weight of the first root cause that a report of the doctor in a text names: an examination is more than a message."""
MAX_EVIDENCE = 4
"""Lines that one implied finding shows."""


@dataclass(frozen=True)
class Implied:
    """What messages and states together say about one finding code."""

    confidence: Confidence
    weight: int
    summary: str
    fix: str
    evidence: tuple[Evidence, ...]
    alone: bool = False
    """Whether the fix is all that is to be done."""
    severity: Severity | None = None
    """What a report that names the code calls it; None where none does."""


def implied(snapshot: Snapshot, silent: frozenset[str] = frozenset()) -> Mapping[str, Implied]:
    """Return what the met messages of a snapshot, and the state of pasted facts, imply: by finding code.

    Messages alone do not speak for the codes in `silent`.
    """
    met = known_or(snapshot.errors.met, ())
    if not met and snapshot.origin != "pasted":
        return {}
    from xpu_doctor.tables import signatures  # the tables are read only where there is a message to judge
    from xpu_doctor.tables.known_faults import known_faults

    rows = signatures.by_id()
    ids = frozenset(error.signature for error in met)
    true = Truth(snapshot, ids)
    result: dict[str, Implied] = {}
    seen: set[str] = set()
    for error in met:
        signature = rows.get(error.signature)
        if signature is None or error.signature in seen:
            continue
        seen.add(error.signature)
        shown = Evidence("errors.met", error.text, error.source)
        for implication in signature.implies:
            if implication.code not in silent and true.of(implication.when, implication.unless):
                _add(result, implication, implication.summary or _filled(signature.meaning, error), (shown,))
    for fault in known_faults():
        if true.of(fault.when):
            _add(result, fault.implication, fault.implication.summary, tuple(facts_of(fault.when, met)))
    if snapshot.origin == "pasted":
        for implication in signatures.implications():
            if implication.fallback and any(voice.confidence is not Confidence.POSSIBLE for voice in result.values()):
                break
            if true.of(implication.when, implication.unless):
                _add(result, implication, implication.summary, tuple(facts_of(implication.when, met)))
        for place, reported in enumerate(snapshot.pasted.reported):
            result[reported.code] = _told(reported, REPORTED_WEIGHT - place, result.get(reported.code))
    return result


def _told(reported: Reported, weight: int, before: Implied | None) -> Implied:
    """A root cause that a report of the doctor names: what else speaks for it is kept as evidence."""
    confidence = next((item for item in Confidence if item.value == reported.confidence), Confidence.POSSIBLE)
    shown = Evidence("pasted.reported", f"the report names {reported.code}", reported.source)
    severity = next((item for item in Severity if item.value == reported.severity), None)
    if before is None:
        return Implied(
            confidence,
            weight,
            reported.summary or f"a report of xpu-doctor names {reported.code}",
            "",
            (shown,),
            severity=severity,
        )
    surer = max(confidence, before.confidence, key=lambda item: item.rank)
    evidence = (shown, *before.evidence)[:MAX_EVIDENCE]
    return Implied(
        surer, weight + before.weight, reported.summary or before.summary, before.fix, evidence, before.alone, severity
    )


@dataclass(frozen=True)
class Typed:
    """What the commands of an implied finding's remedies must fit."""

    system: str = ""
    python: str = ""
    """The interpreter that was examined, where one was."""
    pip: bool = True
    """Whether that interpreter may have pip."""
    snapshot: Snapshot | None = None
    """Whose machine it is, where that is known."""

    def remedies(self, code: str) -> tuple[Remedy, ...]:
        """Return what to do about a code: by what is known of the machine, else what the table says."""
        from xpu_doctor.tables.first_aid import first_aid

        if self.snapshot is not None:
            from xpu_doctor.remedies.by_code import for_machine

            known = for_machine(code, self.snapshot.machine, self.snapshot.pasted)
            if known:
                return known
        return tuple(map(self.fit, first_aid(code, self.system)))

    def fit(self, remedy: Remedy) -> Remedy:
        """Return a remedy of the tables with its commands for this interpreter; without pip there, commands of pip are left out."""
        if not self.python and self.system != "windows":
            return remedy
        return replace(remedy, commands=self._lines(remedy.commands), verify=self._lines(remedy.verify))

    def _lines(self, lines: tuple[str, ...]) -> tuple[str, ...]:
        from xpu_doctor.remedies.commands import program, shells

        shell = shells(self.system)[0]
        if self.system == "windows":
            lines = tuple(re.sub(r"^export (\w+)=(\S+)", r'$env:\1 = "\2"', line) for line in lines)
        if not self.python:
            return lines
        kept = (line for line in lines if self.pip or not line.startswith("python -m pip "))
        return tuple(
            re.sub(r"(?:^|(?<=&& )|(?<=\{ ))python(?= )", lambda _: program(self.python, shell), line) for line in kept
        )


ANYWHERE = Typed()


def joined(
    rule: Rule, own: Iterable[Finding], speaks: Implied | None, typed: Typed = ANYWHERE, loud: bool = False
) -> list[Finding]:
    """Return a rule's own findings with what the messages imply: as more evidence, or as a finding of their own.

    With `loud`, what a message makes likely is an error even where the same state of a machine would only deserve a warning:
    in a pasted text the message is of a failure that somebody complains of.
    """
    findings = list(own)
    if speaks is None:
        return findings
    if findings:
        first = findings[0]
        surer = max(first.confidence, speaks.confidence, key=lambda confidence: confidence.rank)
        evidence = (*first.evidence, *speaks.evidence)[: max(MAX_EVIDENCE, len(first.evidence))]
        weight = first.weight + speaks.weight
        return [
            replace(
                first, confidence=surer, severity=_louder(first, rule, speaks, loud), weight=weight, evidence=evidence
            ),
            *findings[1:],
        ]
    severity = speaks.severity or rule.severity
    if speaks.confidence is Confidence.POSSIBLE and severity is Severity.ERROR:
        severity = Severity.WARNING  # a possibility is no error: being wrong aloud costs more than a miss
    elif (
        loud
        and speaks.severity is None
        and speaks.confidence is not Confidence.POSSIBLE
        and severity is Severity.WARNING
    ):
        severity = Severity.ERROR
    remedies = (
        *((Remedy(speaks.fix[0].upper() + speaks.fix[1:], ""),) if speaks.fix else ()),
        *(() if speaks.alone else typed.remedies(rule.code)),
    )
    return [
        replace(
            rule.found(
                "machine",
                speaks.summary,
                evidence=speaks.evidence,
                remedies=remedies,
                severity=severity,
                confidence=speaks.confidence,
            ),
            weight=speaks.weight,
        )
    ]


def _louder(own: Finding, rule: Rule, speaks: Implied, loud: bool) -> Severity:
    """The severity of a rule's own finding, or the rule's where a message says more than that it is possible."""
    if speaks.severity is not None:
        return speaks.severity
    if speaks.confidence is Confidence.POSSIBLE:
        return own.severity
    least = Severity.ERROR if loud and rule.severity is Severity.WARNING else rule.severity
    return max(own.severity, least, key=lambda severity: severity.rank)


def _add(result: dict[str, Implied], implication: Implication, summary: str, evidence: tuple[Evidence, ...]) -> None:
    """Count one more voice for a code: the surest speaks, the weights add up."""
    before = result.get(implication.code)
    if before is None:
        result[implication.code] = Implied(
            implication.confidence, implication.weight, summary, implication.fix, evidence, implication.alone
        )
        return
    louder = (implication.confidence.rank, implication.weight) > (before.confidence.rank, before.weight)
    told = tuple(item for item in evidence if item not in before.evidence)
    result[implication.code] = Implied(
        max(before.confidence, implication.confidence, key=lambda confidence: confidence.rank),
        before.weight + implication.weight,
        summary if louder and summary else before.summary or summary,
        implication.fix if louder and implication.fix else before.fix or implication.fix,
        ((*told, *before.evidence) if louder else (*before.evidence, *told))[:MAX_EVIDENCE],
        before.alone or implication.alone,
    )


def facts_of(conditions: Iterable[str], met: tuple[ErrorText, ...]) -> Iterable[Evidence]:
    """Yield the facts and lines that conditions rest on."""
    for condition in conditions:
        if condition.startswith("!"):
            continue
        if condition.startswith("signature:"):
            names = condition[len("signature:") :].split("|")
            yield from (Evidence("errors.met", error.text, error.source) for error in met if error.signature in names)
        else:
            path = condition.removeprefix("known:")
            yield Evidence(re.split("[<>=]", path)[0], "", "")


def _filled(meaning: str, error: ErrorText) -> str:
    """Put what the pattern's groups matched into a sentence: `{0}` is the first group."""
    for number, group in enumerate(error.groups):
        meaning = meaning.replace(f"{{{number}}}", " ".join(group.split())[:120])
    return meaning
