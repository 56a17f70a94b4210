"""What met messages say, under the code of whichever rule it belongs to, merged with the rule's own findings. Pure.

A rule judges facts. Often a text holds no such fact, only the message that the fault left behind. The rows of
data/signatures.toml say which codes a message means, how surely and under which conditions; the rows of
data/known_faults.toml say the same of versions that are known to be bad, those of data/implications.toml of a state of pasted
facts (no device, in WSL ...). `merge` adds it to what the rule of that code found itself, so that no rule has to
know about messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.diagnosis.conditions import Truth
from xpu_doctor.diagnosis.rule import Rule, parameters
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding, Remedy, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import known_or

if TYPE_CHECKING:
    from xpu_doctor.model.facts import ErrorText
    from xpu_doctor.model.facts.pasted import Reported
    from xpu_doctor.tables.first_aid import Holds
    from xpu_doctor.tables.signatures import Implication

REPORTED_WEIGHT = 200
"""Weight of the first root cause that a report of the doctor in a text names: an examination is more than a message."""
MAX_EVIDENCE = 4
"""Lines that one implied finding shows."""


@dataclass(frozen=True)
class MessageEvidence:
    """What messages and states together say about one finding code."""

    confidence: Confidence
    weight: int
    summary: str
    fix: str
    evidence: tuple[Evidence, ...]
    fix_is_all: bool = False
    """Whether the fix is all that is to be done."""
    severity: Severity | None = None
    """What a report that names the code calls it; None where none does."""
    words: tuple[int, int] = (0, 0)
    """Rank and weight of the row that gave the summary."""


def message_findings(snapshot: Snapshot, true: Truth, silent: frozenset[str]) -> Mapping[str, MessageEvidence]:
    """Return what the met messages of a snapshot, and the state of pasted facts, imply: by finding code.

    Messages do not count for the codes in `silent`; `true` knows which conditions of the tables hold.
    """
    met = known_or(snapshot.errors.met, ())
    if not met and snapshot.origin != Origin.PASTED:
        return {}
    from xpu_doctor.tables import signatures  # the tables are read only where there is a message to judge
    from xpu_doctor.tables.known_faults import known_faults

    rows = signatures.by_id()
    ids = frozenset(error.signature for error in met)
    result: dict[str, MessageEvidence] = {}
    seen: set[str] = set()
    for error in (*met, *snapshot.errors.mentioned):
        signature = rows.get(error.signature)
        if signature is None or error.signature in seen:
            continue
        # Rows are counted once: a message that repeats in a log is not more certain than one that stands alone.
        seen.add(error.signature)
        told = error.signature in ids
        shown = Evidence("errors.met" if told else "errors.mentioned", error.text, error.source, EvidenceKind.MESSAGE)
        for implication in signature.implies:
            if implication.code not in silent and true.of(implication.when, implication.unless):
                meant = implication if told else _only_possible(implication)
                _add(result, meant, implication.summary or _filled(signature.meaning, error), (shown,))
    for fault in known_faults():
        if true.of(fault.when):
            shown = Evidence(fault.row.table, fault.id, fault.row.source, EvidenceKind.TABLE, fault.row.checked)
            _add(result, fault.implication, fault.implication.summary, (shown, *facts_of(fault.when, met)))
    if snapshot.origin == Origin.PASTED:
        for implication in signatures.implications():
            # Fallbacks come last, so nothing but fallbacks is left.
            if implication.fallback and any(item.confidence is not Confidence.POSSIBLE for item in result.values()):
                break
            if implication.code not in silent and true.of(implication.when, implication.unless):
                _add(result, implication, implication.summary, tuple(facts_of(implication.when, met)))
        # A report of the doctor lists its root causes in order; falling weights keep that order.
        for place, reported in enumerate(snapshot.pasted.reported):
            result[reported.code] = _reported(reported, REPORTED_WEIGHT - place, result.get(reported.code))
    return result


def _only_possible(implication: Implication) -> Implication:
    """Return what a message implies that a text only mentions: in a question, a quotation or in code."""
    return replace(implication, confidence=Confidence.POSSIBLE, weight=min(implication.weight, 0))


def _reported(reported: Reported, weight: int, before: MessageEvidence | None) -> MessageEvidence:
    """Return the evidence of a root cause that a report of the doctor names; what else points to it is kept as evidence."""
    confidence = next((item for item in Confidence if item.value == reported.confidence), Confidence.POSSIBLE)
    shown = Evidence("pasted.reported", f"the report names {reported.code}", reported.source)
    severity = next((item for item in Severity if item.value == reported.severity), None)
    if before is None:
        return MessageEvidence(
            confidence,
            weight,
            reported.summary or f"a report of xpu-doctor names {reported.code}",
            "",
            (shown,),
            severity=severity,
        )
    surer = max(confidence, before.confidence, key=lambda item: item.rank)
    evidence = (shown, *before.evidence)[:MAX_EVIDENCE]
    return MessageEvidence(
        confidence=surer,
        weight=weight + before.weight,
        summary=reported.summary or before.summary,
        fix=before.fix,
        evidence=evidence,
        fix_is_all=before.fix_is_all,
        severity=severity,
    )


@dataclass(frozen=True)
class CommandContext:
    """What the commands of remedies from the tables must fit."""

    system: str = ""
    python: str = ""
    """The interpreter that was examined, where one was."""
    pip: bool = True
    """Whether that interpreter may have pip."""
    pasted: Snapshot | None = None
    """What a text tells of a machine, where facts come from a text; None where a machine was examined."""
    true: Holds | None = None
    """Which conditions of the tables hold."""

    def remedies(self, code: str) -> tuple[Remedy, ...]:
        """Return what to do about a code: by what is known of the machine, else what the table says."""
        from xpu_doctor.tables.first_aid import first_aid

        known = self._of_machine(code)
        if known:
            return known
        return tuple(map(self.fit, first_aid(code, self.system, self.true))) or self._of_another_system(code)

    def _of_another_system(self, code: str) -> tuple[Remedy, ...]:
        """Return what to do about a code that only another system has, where a text shows both."""
        if self.pasted is None or not self.system:
            return ()
        from xpu_doctor.remedies.systems import under_its_name
        from xpu_doctor.tables.first_aid import first_aid

        return under_its_name(first_aid(code, "", self.true))

    def of_place(self, code: str) -> tuple[Remedy, ...]:
        """Return what to do about a code of a text in the place that it shows: a container, an application, another stack; else nothing."""
        if self.pasted is None or self.true is None:
            return ()
        from xpu_doctor.remedies.by_code import CODES
        from xpu_doctor.tables.first_aid import of_place

        if code in CODES and known_or(self.pasted.machine.distribution, ""):
            return ()  # the rule's own remedies are those of the distribution
        return self._of_machine(code) or tuple(map(self.fit, of_place(code, self.system, self.true)))

    def _of_machine(self, code: str) -> tuple[Remedy, ...]:
        """Return the remedies that functions build from what a text tells of the machine and of its containers."""
        if self.pasted is None:
            return ()
        from xpu_doctor.remedies.by_code import for_machine

        return self.of_container(code) or for_machine(code, self.pasted.machine, self.pasted.pasted)

    def of_told_versions(self, code: str) -> tuple[Remedy, ...]:
        """Return the remedy that installs the version which a text says works."""
        if self.pasted is None or not self.pasted.pasted.good_versions:
            return ()
        from xpu_doctor.remedies.told_good import told_good

        return tuple(map(self.fit, told_good(code, self.pasted)))

    def of_container(self, code: str) -> tuple[Remedy, ...]:
        """Return how the GPU gets into the containers of a text, where the code speaks of that."""
        if self.pasted is None:
            return ()
        from xpu_doctor.remedies.by_code import for_container

        return for_container(code, self.pasted.machine, self.pasted.pasted)

    def fit(self, remedy: Remedy) -> Remedy:
        """Return a remedy of the tables with its commands for this interpreter; without pip there, commands of pip are left out."""
        if self.pasted is not None and known_or(self.pasted.xpu.devices, ()):
            from xpu_doctor.remedies.device import for_cards

            remedy = for_cards(remedy, known_or(self.pasted.xpu.devices, ()))
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
            re.sub(r"(?<![\w./\\'\"-])python(?= )", lambda _: program(self.python, shell), line) for line in kept
        )


def merge(
    rule: Rule, own: Iterable[Finding] | None, message: MessageEvidence | None, context: CommandContext
) -> list[Finding]:
    """Return a rule's own findings with what the messages of its code say; `own` is None where the rule is undecided.

    - A rule that found something keeps its words: a message makes the first finding surer, weightier and, at most, more severe.
    - A rule that is undecided, or that judges messages itself, leaves the finding to the message.
    - A rule that cleared the facts of a machine is right: a message that only could mean it does not count. In a pasted text it
      counts, since such a text never holds all facts.
    """
    findings = [_in_place(finding, context) for finding in own or ()]
    if message is None:
        return findings
    if findings:
        return [_strengthened(findings[0], rule, message, context), *findings[1:]]
    cleared = own is not None and context.pasted is None and "errors" not in parameters(rule)
    return [] if cleared else [_of_message(rule, message, context)]


def _in_place(own: Finding, context: CommandContext) -> Finding:
    """Return a rule's finding of a text with the remedies of the place that the text shows, where there are such; a fault is never without one."""
    if context.pasted is None:
        return own
    if not own.remedies and own.severity is Severity.INFO:
        return own
    known = context.of_place(own.code) if own.remedies else context.remedies(own.code)
    return replace(own, remedies=known) if known else own


def _strengthened(own: Finding, rule: Rule, message: MessageEvidence, context: CommandContext) -> Finding:
    """Return a rule's own finding with the evidence of a message; where that makes a fault of a note, with what to do about it."""
    severity = _raised_severity(own, rule, message, context)
    lacks = not own.remedies and severity is not Severity.INFO and context.pasted is not None
    return replace(
        own,
        confidence=max(own.confidence, message.confidence, key=lambda confidence: confidence.rank),
        severity=severity,
        weight=own.weight + message.weight,
        remedies=(*context.of_told_versions(own.code), *(context.remedies(own.code) if lacks else own.remedies)),
        evidence=(*own.evidence, *message.evidence)[: max(MAX_EVIDENCE, len(own.evidence))],
    )


def _of_message(rule: Rule, message: MessageEvidence, context: CommandContext) -> Finding:
    """Return the finding that rests on a message only."""
    steps = context.of_container(rule.code)  # these say what the fix says, for what runs the container
    fix = (Remedy(message.fix[0].upper() + message.fix[1:], ""),) if message.fix and not steps else ()
    found = rule.found(
        "machine",
        message.summary,
        evidence=message.evidence,
        remedies=steps
        or (*context.of_told_versions(rule.code), *fix, *(() if message.fix_is_all else context.remedies(rule.code))),
        severity=_severity_alone(rule, message, context),
        confidence=message.confidence,
    )
    return replace(found, weight=message.weight)


def _severity_alone(rule: Rule, message: MessageEvidence, context: CommandContext) -> Severity:
    """How severe a finding is that rests on a message alone.

    A possibility is no error, since being wrong aloud costs more than a miss. In a pasted text the message is of a failure that
    somebody complains of, so what it makes likely is an error even where the state of a machine would deserve only a warning.
    """
    possible = message.confidence is Confidence.POSSIBLE
    severity = message.severity or rule.severity
    if possible and severity is Severity.ERROR:
        return Severity.WARNING
    complained = context.pasted is not None and message.severity is None and not possible
    return Severity.ERROR if complained and severity is Severity.WARNING else severity


def _raised_severity(own: Finding, rule: Rule, message: MessageEvidence, context: CommandContext) -> Severity:
    """Return the severity of a rule's own finding, or the rule's where a message says more than that it is possible."""
    if message.severity is not None:
        return message.severity
    if message.confidence is Confidence.POSSIBLE:
        return own.severity
    complained = context.pasted is not None and rule.severity is Severity.WARNING
    least = Severity.ERROR if complained else rule.severity
    return max(own.severity, least, key=lambda severity: severity.rank)


def _add(
    result: dict[str, MessageEvidence], implication: Implication, summary: str, evidence: tuple[Evidence, ...]
) -> None:
    """Add what one more message says of a code: the surest gives the words, and the weights add up."""
    before = result.get(implication.code)
    if before is None:
        result[implication.code] = MessageEvidence(
            confidence=implication.confidence,
            weight=implication.weight,
            summary=summary,
            fix=implication.fix,
            evidence=evidence,
            fix_is_all=implication.alone,
            words=(implication.confidence.rank, implication.weight),
        )
        return
    weighed = (implication.confidence.rank, implication.weight)
    stronger = weighed > before.words
    further = tuple(item for item in evidence if item not in before.evidence)
    result[implication.code] = MessageEvidence(
        confidence=max(before.confidence, implication.confidence, key=lambda confidence: confidence.rank),
        weight=before.weight + implication.weight,
        summary=summary if stronger and summary else before.summary or summary,
        fix=implication.fix if stronger and implication.fix else before.fix or implication.fix,
        evidence=((*further, *before.evidence) if stronger else (*before.evidence, *further))[:MAX_EVIDENCE],
        fix_is_all=before.fix_is_all or implication.alone,
        words=max(before.words, weighed),
    )


def facts_of(conditions: Iterable[str], met: tuple[ErrorText, ...]) -> Iterable[Evidence]:
    """Yield the facts and lines that conditions rest on."""
    for condition in conditions:
        if condition.startswith("!"):
            continue
        if condition.startswith("signature:"):
            names = condition[len("signature:") :].split("|")
            yield from (
                Evidence("errors.met", error.text, error.source, EvidenceKind.MESSAGE)
                for error in met
                if error.signature in names
            )
        else:
            path = condition.removeprefix("known:")
            yield Evidence(re.split("[<>=]", path)[0], "", "")


def _filled(meaning: str, error: ErrorText) -> str:
    """Put what the pattern's groups matched into a sentence: `{0}` is the first group."""
    for number, group in enumerate(error.groups):
        meaning = meaning.replace(f"{{{number}}}", " ".join(group.split())[:120])
    return meaning
