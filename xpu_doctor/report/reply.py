"""What to ask next: the few commands whose answers would decide, as a list and as a message to a customer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from xpu_doctor.diagnosis.conclusion import by_itself
from xpu_doctor.diagnosis.conditions import condition_holds
from xpu_doctor.diagnosis.observed_success import device_works, nothing_failed
from xpu_doctor.model.findings import Confidence, Severity
from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.package_tools import as_typed_on
from xpu_doctor.remedies.place import with_python
from xpu_doctor.report.reply_parts import by_name, help_with, helping, markdown, named
from xpu_doctor.tables.distributions import Distribution, distribution_of
from xpu_doctor.tables.layouts import Layout, layouts, pythons
from xpu_doctor.tables.questions import Question
from xpu_doctor.tables.rows import rows
from xpu_doctor.text.visible import visible

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.diagnose import Diagnosis
    from xpu_doctor.model.findings import Finding
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.report.document import Document, FindingDocument

MAX_QUESTIONS = 3
ABOUT_A_FAILURE = ("watch", "traceback", "pip-list")
"""Questions where the install works and a failure has no cause yet: what failed, in whose code, and what is installed."""
MAX_CAUSES = 3
"""Independent errors that a reply tells in full, with what helps; it only names those after them."""


def next_questions(diagnosis: Diagnosis, snapshot: Snapshot, others: Sequence[Snapshot] = ()) -> tuple[Question, ...]:
    """Return up to three questions whose answers decide between the causes that are left; none where a cause is certain.

    `others` are snapshots of the same machine: what one of them shows is not asked.
    """
    roots = diagnosis.root_causes
    faults = [root for root in roots if root.severity is not Severity.INFO]
    if faults and faults[0].confidence is Confidence.CERTAIN:
        return ()
    works = device_works(snapshot) and nothing_failed(snapshot)
    if works and (not faults or diagnosis.verdict is OverallVerdict.HEALTHY):
        return tuple(question for question in rows(Question) if question.id == "complaint")
    if not faults and device_works(snapshot):
        by_id = {question.id: question for question in rows(Question)}
        wanted = [by_id[name] for name in ABOUT_A_FAILURE if name in by_id]
        return tuple(question for question in wanted if _fits(question, snapshot))
    open_codes = [root.code for root in faults[:5]] or [item.code for item in diagnosis.undecided]
    shown = (snapshot, *(other for other in others if other is not snapshot))
    in_vain = () if any(map(_may_have_a_traceback, shown)) else ("traceback",)
    distribution = next((found for each in shown if (found := distribution_of(each.machine)).id), Distribution())
    fitting = [
        asked
        for question in rows(Question)
        if question.id not in in_vain
        and all(_fits(question, each) for each in shown)
        and (asked := _with_tools(question, distribution)).asks
    ]
    chosen: list[Question] = [row for row in rows(Question) if row.id == "collect-env" and _says_nothing(roots, shown)]
    chosen += [question for question in fitting if question.id == "watch"]
    fitting = [question for question in fitting if question not in chosen]
    decided = {code for question in chosen for code in question.decides if question.id == "watch"}
    left = dict.fromkeys(code for code in open_codes if code not in decided)
    while fitting and len(chosen) < MAX_QUESTIONS:
        best = max(fitting, key=lambda question: _worth(question, left))
        if _worth(best, left) == 0:
            break
        chosen.append(best)
        fitting.remove(best)
        # What one question decides, the next need not: three questions are all that a person answers.
        for code in best.decides:
            left.pop(code, None)
    if not chosen:
        chosen = [question for question in fitting if question.id in ("collect-env", "traceback")][:MAX_QUESTIONS]
    if not chosen:
        chosen = [question for question in fitting if question.id == "check"]
    layout = next((row for each in shown if (row := layouts().get(known_or(each.pasted.layout, "")))), None)
    python = next((name for each in shown if (name := known_or(each.python.executable, "")) in pythons()), "")
    if any(known_or(each.machine.os, "") for each in shown):
        return tuple(_typed(question, python, layout) for question in chosen)
    twins = [question for question in rows(Question) if all(_fits(question, each, "windows") for each in shown)]
    return tuple(_typed(_on_either(question, twins), python, layout) for question in chosen)


def _may_have_a_traceback(snapshot: Snapshot) -> bool:
    """Return whether an error is told, or something failed: that torch finds no device is said without any error."""
    pasted = snapshot.pasted
    failed = bool(pasted.failures) or bool(known_or(pasted.applications, ()))
    return failed or snapshot.origin != Origin.PASTED or (pasted.trouble and snapshot.xpu.available is not False)


def _says_nothing(roots: Sequence[Finding], shown: Sequence[Snapshot]) -> bool:
    """Return whether texts name neither a program nor a GPU and hold no output: "it says false"."""
    return not roots and all(
        each.origin == Origin.PASTED
        and each.pasted.about_torch is False
        and not isinstance(each.gpus, tuple)
        and not each.pasted.blocks
        for each in shown
    )


def _with_tools(question: Question, distribution: Distribution) -> Question:
    """Return a question whose lines call the package tool of the distribution; without lines where it has none for them."""
    if question.in_words:
        return question
    asks = tuple(line for ask in question.asks if (line := as_typed_on(distribution, ask)))
    return question if asks == question.asks else msgspec.structs.replace(question, asks=asks)


def _on_either(question: Question, twins: Sequence[Question]) -> Question:
    """Return a question to somebody whose system is not known: what is typed on Linux, and on Windows where that decides as much."""
    if question.os != "linux" or question.in_words:
        return question
    wanted = set(question.decides)
    twin = max(
        (other for other in twins if other.os == "windows"),
        key=lambda other: len(wanted & set(other.decides)),
        default=None,
    )
    lines = ("# on Linux:", *question.asks)
    if twin is not None and wanted & set(twin.decides):
        lines += ("# on Windows:", *twin.asks)
    return msgspec.structs.replace(question, asks=lines)


def _typed(question: Question, python: str, layout: Layout | None) -> Question:
    """Return a question whose lines call the interpreter that the texts show, with the place where they are typed."""
    asks = tuple(with_python(ask, python) for ask in question.asks)
    if question.in_words or layout is None or asks == question.asks:
        return question
    return msgspec.structs.replace(question, asks=asks, why=f"{question.why} Run it {layout.where}.")


def _fits(question: Question, snapshot: Snapshot, supposed: str = "linux") -> bool:
    """Return whether a question is one for this system, the supposed one where none is known, and not answered."""
    if snapshot.origin != Origin.PASTED and not question.in_words:
        return False  # an examination has answered what commands show
    met = snapshot.errors.met
    ids = frozenset(error.signature for error in met) if isinstance(met, tuple) else frozenset()
    system = snapshot.machine.os if isinstance(snapshot.machine.os, str) else ""
    if question.os and question.os != (system or supposed):
        return False
    if question.unless_all and all(condition_holds(condition, snapshot, ids) for condition in question.unless_all):
        return False
    return not any(condition_holds(condition, snapshot, ids) for condition in question.unless)


def _worth(question: Question, left: Iterable[str]) -> int:
    """How much a question decides: the earlier a cause stands in the ranking, the more."""
    order = list(left)
    return sum(len(order) - place for place, code in enumerate(order) if code in question.decides)


def reply(report: Document, diagnosis: Diagnosis, snapshot: Snapshot, others: Sequence[Snapshot] = ()) -> str:
    """Return the message to the customer, in Markdown; what it says of the machine is the report's."""
    lines = ["Thank you for the report.", ""]
    healthy = report.verdict == OverallVerdict.HEALTHY
    roots = [] if healthy else [root for root in report.root_causes if root.severity != "info"]
    told = _told(roots, report.origin)
    lines += list(_opinion(report.reason, roots, told, report.origin))
    asked = next_questions(diagnosis, snapshot, others)
    if asked:
        lines += ["", "To be sure, please send:" if roots else "To find the cause, please send:", ""]
        for number, question in enumerate(asked, 1):
            if question.in_words:
                lines += [f"{number}. {' '.join(question.asks)}. {question.why}", ""]
                continue
            lines += [
                f"{number}. Please run the following. {question.why}",
                "",
                "   ```",
                *(f"   {ask}" for ask in question.asks),
                "   ```",
                "",
            ]
        lines.append("Please paste it as text, whole, between lines of three backticks.")
    elif any(remedy.commands for root in told[:MAX_CAUSES] for remedy in helping(root)):
        lines += ["", "If that does not help, please send the whole output of the commands above."]
    elif roots:
        lines += ["", "If that does not help, please say what you tried and what happened."]
    return visible("\n".join(lines).rstrip() + "\n")


def _told(roots: Sequence[FindingDocument], origin: str) -> Sequence[FindingDocument]:
    """Return the causes that are told as such: the first, and the errors that it does not explain; causes guessed from a text rival it."""
    told = list(roots[:1])
    for root in roots[1:]:
        if root.severity != "error" or root.confidence == "possible":
            continue
        if root.confidence == "certain" or origin != Origin.PASTED or _stands_alone(root, told):
            told.append(root)
    return told


def _stands_alone(root: FindingDocument, told: Sequence[FindingDocument]) -> bool:
    """Return whether a likely cause rests on facts of its own: another explanation of the same lines would be its rival."""
    before = {(item.fact, item.value) for each in told for item in each.evidence}
    own = [item for item in root.evidence if item.kind == "fact" and item.fact != "pasted.no_device"]
    return (
        bool(own)
        and root.layer not in ("application", "compute")
        and not any((item.fact, item.value) in before for item in own)
        and not any(item.kind == "message" for item in root.evidence)
    )


def _opinion(
    reason: str, roots: Sequence[FindingDocument], told: Sequence[FindingDocument], origin: str
) -> Iterable[str]:
    """Yield what the texts say so far, the verdict first, and what to do about it where that is likely enough."""
    if reason:
        yield markdown(reason if roots else by_itself(reason))
    elif not roots:
        yield "What you sent does not show the cause yet."
    if not roots:
        return
    if reason:
        yield ""
    first = roots[0]
    words = {
        "certain": "The cause is",
        "likely": "Most likely",
        "possible": "It is possible that this is the cause",
    }
    yield f"{words[first.confidence]}: {markdown(first.summary)} ({named(first)})."
    yield from help_with(first, origin)
    for other in told[1:MAX_CAUSES]:
        yield ""
        yield f"Independent of that: {markdown(other.summary)} ({named(other)})."
        yield from help_with(other, origin)
    yield from by_name("Independent of these as well; what helps comes after them:", told[MAX_CAUSES:])
    if first.confidence != "certain":
        yield from by_name("Also to be considered:", [root for root in roots[1:3] if root not in told], advise=True)
