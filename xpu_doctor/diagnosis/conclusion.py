"""The verdict on a whole report, in one word and in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from xpu_doctor.diagnosis.expectations import Expectation
from xpu_doctor.diagnosis.ladder import Rung, State
from xpu_doctor.diagnosis.observed_success import device_works, nothing_failed
from xpu_doctor.diagnosis.program_words import in_a_sentence, judged_program, worked_words
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.facts.pasted import Failure, Working
from xpu_doctor.model.findings import Confidence, Finding, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import ExpectationState, Origin, OverallVerdict

NEVER = "never"
"""The `--fail-on` that lets every finding pass."""
EXIT_CODES: Mapping[OverallVerdict, ExitCode] = {
    OverallVerdict.FINDINGS: ExitCode.FINDINGS,
    OverallVerdict.UNDIAGNOSED: ExitCode.UNDIAGNOSED,
    OverallVerdict.HEALTHY: ExitCode.OK,
    OverallVerdict.TOOL_FAILED: ExitCode.TOOL_FAILED,
}
SHOWN = 120
"""Characters of a line that a reason quotes."""
RANKED = "; what follows is ranked by how likely it is"
ONLY_POSSIBLE = "; what follows is only possible"
GOOD = "; what follows is good to know"
GOOD_TO_KNOW = f"Nothing here has to be fixed{GOOD}."
ONLY_WARNINGS = "No error was found. The warnings below are about what is slow now or may fail later."
NOTHING_JUDGED = "Nothing was judged: no layer was asked for, or there is nothing in it to judge."
NOTHING_ELSE = "Nothing was found except what --ignore hides."


@dataclass(frozen=True)
class Conclusion:
    """What a report comes to."""

    verdict: OverallVerdict
    reason: str

    @property
    def exit_code(self) -> int:
        """The exit code that says so."""
        return int(EXIT_CODES[self.verdict])


def concluded(
    roots: Sequence[Finding],
    ladder: Sequence[Rung],
    expectations: Sequence[Expectation],
    fail_on: str,
    *snapshots: Snapshot,
    ignored: bool = False,
) -> Conclusion:
    """Return what root causes and the ladder come to; several snapshots are subjects of one text, and `ignored` says that some were hidden."""
    threshold = Severity(fail_on).rank if fail_on != NEVER else len(Severity)
    counted = [root for root in roots if not _guess(root)] if _of_pasted(snapshots) else roots
    found = any(finding.severity.rank >= threshold for finding in flat(counted))
    if found or any(item.state is ExpectationState.UNMET for item in expectations):
        verdict = OverallVerdict.FINDINGS
    elif any(item.state is ExpectationState.UNKNOWN for item in expectations):
        verdict = OverallVerdict.UNDIAGNOSED
    else:
        verdict = _without_findings(roots, ladder, snapshots)
    if (
        verdict is OverallVerdict.HEALTHY
        and not (roots or ignored or expectations)
        and _nothing_judged(ladder, snapshots)
    ):
        return Conclusion(OverallVerdict.UNDIAGNOSED, NOTHING_JUDGED)
    if ignored and verdict is OverallVerdict.HEALTHY and not _works(snapshots):
        return Conclusion(verdict, NOTHING_ELSE)
    return Conclusion(verdict, _reason(verdict, roots, ladder, snapshots))


def _without_findings(
    roots: Sequence[Finding], ladder: Sequence[Rung], snapshots: Sequence[Snapshot]
) -> OverallVerdict:
    """Return the verdict where nothing was found: healthy is no text that shows a failure, nor one whose complaint has no answer."""
    pasted = [snapshot for snapshot in snapshots if snapshot.origin == Origin.PASTED]
    if pasted and any(root.severity is Severity.ERROR and not _guess(root) for root in roots):
        return OverallVerdict.HEALTHY  # the cause is known, and `--fail-on never` lets it pass
    if any(_guess(root) and any(child.severity is Severity.ERROR for child in flat(root.explains)) for root in roots):
        return OverallVerdict.UNDIAGNOSED
    if not roots and any(
        rung.state is State.FAULT for rung in ladder
    ):  # a report says so that was cut before its causes
        return OverallVerdict.UNDIAGNOSED
    if any(snapshot.pasted.failures for snapshot in pasted):
        return OverallVerdict.UNDIAGNOSED
    if not all(map(nothing_failed, pasted)) and not _answered(roots):
        return OverallVerdict.UNDIAGNOSED
    if pasted and all(map(_shows_work, pasted)):
        return OverallVerdict.HEALTHY
    unknown = any(rung.state is State.UNKNOWN for rung in ladder)
    return OverallVerdict.UNDIAGNOSED if unknown else OverallVerdict.HEALTHY


def _nothing_judged(ladder: Sequence[Rung], snapshots: Sequence[Snapshot]) -> bool:
    """Return whether every layer was skipped; a text is judged by what it says, and not by layers."""
    return not _of_pasted(snapshots) and all(rung.state is State.SKIPPED for rung in ladder)


def _guess(root: Finding) -> bool:
    """Return whether a root cause is only possible: what it would explain stays without a cause."""
    return root.confidence is Confidence.POSSIBLE


def _of_pasted(snapshots: Sequence[Snapshot]) -> bool:
    return any(snapshot.origin == Origin.PASTED for snapshot in snapshots)


def _answered(roots: Sequence[Finding]) -> bool:
    """Return whether a note explains what somebody complains of: something in the text points to it."""
    return any(
        root.severity is Severity.INFO and root.weight > 0 and root.confidence is not Confidence.POSSIBLE
        for root in roots
    )


def _shows_work(snapshot: Snapshot) -> bool:
    return bool(snapshot.pasted.working) and device_works(snapshot)


def _reason(
    verdict: OverallVerdict, roots: Sequence[Finding], ladder: Sequence[Rung], snapshots: Sequence[Snapshot]
) -> str:
    """Return the verdict in words; empty where root causes speak for themselves."""
    if _of_pasted(snapshots):
        return _of_text(verdict, roots, snapshots)
    if verdict is OverallVerdict.UNDIAGNOSED:
        return "No fault was proved, but not every layer could be judged:"
    if verdict is not OverallVerdict.HEALTHY:
        return ""
    watched = _of_program(snapshots)
    if not roots:
        return watched or _all_clear(ladder)
    return " ".join(filter(None, (watched, _without_errors(roots))))


def _of_program(snapshots: Sequence[Snapshot]) -> str:
    """Return what a watched program did on the GPU; empty where none was seen to compute there."""
    programs = [program for program in map(judged_program, snapshots) if program is not None and program.computed]
    return in_a_sentence(worked_words(programs[0])) if programs else ""


def _without_errors(roots: Sequence[Finding]) -> str:
    """Return what notes and warnings come to; errors that a lenient `--fail-on` lets pass say it all."""
    if any(root.severity is Severity.ERROR for root in roots):
        return ""
    return ONLY_WARNINGS if any(root.severity is Severity.WARNING for root in roots) else GOOD_TO_KNOW


def _all_clear(ladder: Sequence[Rung]) -> str:
    seen = {rung.layer.value: rung for rung in ladder}
    if seen.get("compute") and seen["compute"].state is State.OK:
        return f"All clear: PyTorch computes on the Intel GPU. {seen['compute'].summary}."
    if seen.get("enumeration") and seen["enumeration"].state is State.OK:
        return "All clear: PyTorch sees the Intel GPU and can use it."
    return "All clear: no fault in the layers that were asked for."


def _of_text(verdict: OverallVerdict, roots: Sequence[Finding], snapshots: Sequence[Snapshot]) -> str:
    """Return what a text comes to: what works first, then a failure whose cause it does not show."""
    faults = [root for root in roots if root.severity is not Severity.INFO]
    if faults and faults[0].confidence is not Confidence.POSSIBLE:
        return ""
    works, failure = _works(snapshots), _last_failure(snapshots)
    ranked = RANKED if faults else ""
    if failure is not None:
        shown = (
            f"the text shows a failure whose cause it does not show ({failure.source}: {failure.line[:SHOWN]}){ranked}"
        )
        return f"{works}, and {shown}." if works else f"{shown[0].upper()}{shown[1:]}."
    if works:
        if _answered(roots):
            return f"{works}{GOOD}."
        also = ONLY_POSSIBLE if faults else ""
        return f"{works}; look at the application or the model{also}."
    if verdict is OverallVerdict.HEALTHY:
        return _without_errors(roots) if roots else "Nothing in the text is wrong: torch finds a GPU in it."
    return f"The text does not prove a cause{ranked}."


def by_itself(reason: str) -> str:
    """Return a verdict in words without what it says of findings below it, for who is shown none."""
    for pointer in (RANKED, ONLY_POSSIBLE, GOOD):
        reason = reason.replace(pointer, "")
    return reason


def _works(snapshots: Sequence[Snapshot]) -> str:
    """Return that the install works, and which lines show it best; empty where none does, or a subject has no device."""
    if any(snapshot.pasted.no_device is True for snapshot in snapshots):
        return ""
    for snapshot in snapshots:
        if _shows_work(snapshot):
            return f"The install works: {' and '.join(map(_said, _best(snapshot.pasted.working)))}"
        if snapshot.origin == Origin.PASTED and device_works(snapshot):
            return "The install works: torch finds a GPU in the text"
    return ""


def _best(working: Sequence[Working]) -> Sequence[Working]:
    """Return the line that names the device, and the one that shows most."""
    device = [item for item in working if item.shows == "device"][:1]
    return [*device, *(item for item in working[:1] if item not in device)]


def _said(item: Working) -> str:
    return f"{item.what} ({item.source}: {item.line[:SHOWN]})"


def _last_failure(snapshots: Sequence[Snapshot]) -> Failure | None:
    """Return the failure that a text ends with, an exception rather than another sign of it."""
    every = [failure for snapshot in snapshots for failure in snapshot.pasted.failures]
    named = [failure for failure in every if failure.kind in ("exception", "abort")]
    return (named or every)[-1] if every else None
