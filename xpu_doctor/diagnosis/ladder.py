"""The stack from the silicon up: one rung per layer, with its state and the reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from xpu_doctor.diagnosis.layer_proofs import PROOFS, Proof
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.model.facts.pasted import ReportedRung
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.selection import CHECKED
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin


class State(Enum):
    """How far a layer is known to work."""

    OK = "ok"
    FAULT = "fault"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Rung:
    """A layer's state and why."""

    layer: Layer
    state: State
    summary: str


RESTS_ON: Mapping[Layer, tuple[Layer, ...]] = {
    Layer.KERNEL: (Layer.DEVICE,),
    Layer.ACCESS: (Layer.DEVICE, Layer.KERNEL),
    Layer.DRIVER: (Layer.DEVICE, Layer.KERNEL, Layer.ACCESS),
    Layer.RUNTIME: (Layer.WHEEL,),
    Layer.IMPORT: (Layer.WHEEL, Layer.RUNTIME),
    Layer.ENUMERATION: (
        Layer.DEVICE,
        Layer.KERNEL,
        Layer.ACCESS,
        Layer.DRIVER,
        Layer.RUNTIME,
        Layer.WHEEL,
        Layer.IMPORT,
    ),
    Layer.COMPUTE: (
        Layer.DEVICE,
        Layer.KERNEL,
        Layer.ACCESS,
        Layer.DRIVER,
        Layer.RUNTIME,
        Layer.WHEEL,
        Layer.IMPORT,
        Layer.ENUMERATION,
    ),
}
"""A layer to those whose fault makes its facts unobtainable; runtime and wheel are judged on their own evidence first."""


def climb(
    roots: Iterable[Finding], snapshot: Snapshot, symptoms: frozenset[str], layers: Sequence[Layer] = CHECKED
) -> tuple[Rung, ...]:
    """Return one rung per layer, from the bottom up."""
    findings = flat(roots)
    explained = {id(child) for root in roots for child in flat(root.explains)}
    rungs: list[Rung] = []
    for layer in layers:
        own = [finding for finding in findings if finding.layer is layer and finding.severity is not Severity.INFO]
        if snapshot.origin == Origin.PASTED:  # a guess is no fault
            own = [finding for finding in own if finding.confidence is not Confidence.POSSIBLE]
        causes = [finding for finding in own if finding.code not in symptoms or id(finding) not in explained]
        rungs.append(_rung(layer, snapshot, own, causes, rungs))
    return _as_reported(_lifted(rungs, snapshot), roots, snapshot)


def _as_reported(rungs: tuple[Rung, ...], roots: Iterable[Finding], snapshot: Snapshot) -> tuple[Rung, ...]:
    """Return the rungs with the states that a report of the doctor in the text gives them: it has seen more than it shows.

    A fault that the text proves besides stays one, and so does what it shows to work where the report knows nothing.
    """
    told = {rung.layer: rung for rung in snapshot.pasted.reported_ladder}
    if not told:
        return rungs
    named = {item.code for item in snapshot.pasted.reported}
    besides = {root.layer for root in roots if root.confidence is not Confidence.POSSIBLE and root.code not in named}
    return tuple(_told(rung, told.get(rung.layer.value), rung.layer in besides) for rung in rungs)


def _told(rung: Rung, told: ReportedRung | None, besides: bool) -> Rung:
    """Return a rung as a report tells it, unless the text shows more."""
    state = next((state for state in State if told is not None and state.value == told.state), None)
    shown = (rung.state is State.FAULT and besides) or (rung.state is State.OK and state is State.UNKNOWN)
    if told is None or state is None or state is rung.state or shown:
        return rung
    return Rung(rung.layer, state, told.summary)


def _rung(layer: Layer, snapshot: Snapshot, own: list[Finding], causes: list[Finding], below: list[Rung]) -> Rung:
    if layer.value in snapshot.skipped:
        return Rung(layer, State.SKIPPED, "not asked for")
    if causes or (own and layer is Layer.IMPORT):
        worst = max(causes or own, key=lambda finding: finding.severity.rank)
        return Rung(layer, State.FAULT, worst.summary)
    proof = PROOFS[layer](snapshot)
    fault = _fault_below(layer, below)
    if own or (fault is not None and not proof.works):
        return Rung(
            layer, State.BLOCKED, f"needs the {fault.value} layer, which is at fault" if fault else own[0].summary
        )
    return Rung(layer, _state(proof), proof.summary)


def _state(proof: Proof) -> State:
    return State.OK if proof.works else State.SKIPPED if proof.pointless else State.UNKNOWN


def _fault_below(layer: Layer, below: list[Rung]) -> Layer | None:
    rests = RESTS_ON.get(layer, ())
    return next((rung.layer for rung in below if rung.layer in rests and rung.state is State.FAULT), None)


TOLD = "nothing was found against it: torch said that it finds a GPU"


def _lifted(rungs: list[Rung], snapshot: Snapshot) -> tuple[Rung, ...]:
    """Return the rungs, with those as working that were not seen themselves but on which a higher working one rests.

    Of a text no more is known than what torch said in it: since 2.13 it counts devices without SYCL, and a count proves no runtime.
    """
    said = snapshot.origin == Origin.PASTED and snapshot.xpu.allocated is not True
    result: list[Rung] = []
    for index, rung in enumerate(rungs):
        proved = next(
            (
                higher
                for higher in rungs[index + 1 :]
                if higher.state is State.OK and higher.layer in _PROVES.get(rung.layer, ())
            ),
            None,
        )
        unseen = rung.state in (State.UNKNOWN, State.BLOCKED)
        if proved is None or not unseen:
            result.append(rung)
            continue
        told = said and proved.layer is Layer.ENUMERATION
        result.append(Rung(rung.layer, State.OK, TOLD if told else f"works: the {proved.layer.value} layer proved it"))
    return tuple(result)


_PROVES: Mapping[Layer, tuple[Layer, ...]] = {
    **dict.fromkeys(RESTS_ON[Layer.ENUMERATION], (Layer.ENUMERATION, Layer.COMPUTE)),
    Layer.ENUMERATION: (Layer.COMPUTE,),
}
"""A layer to the higher ones whose success proves it."""
