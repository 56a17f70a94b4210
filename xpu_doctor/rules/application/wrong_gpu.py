"""The watched program computed on the integrated GPU while the card was idle."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import use_of
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Machine, Watched
from xpu_doctor.model.findings import Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known_or
from xpu_doctor.remedies.variables import set_lines
from xpu_doctor.rules.support.watching import HERE, called, field, gpu_evidence, is_integrated, not_known, program
from xpu_doctor.text.amounts import percent

LEAST = 0.05
"""Share from which on an integrated GPU computes, and does not merely draw the program's window."""


class WrongGpu(Rule):
    """The watched program computed on the integrated GPU while the card was idle."""

    code = "wrong-gpu"
    layer = Layer.APPLICATION
    severity = Severity.WARNING
    explains = dict[str, str]()

    def check(self, watched: Maybe[tuple[Watched, ...]], machine: Machine) -> Iterator[Finding]:
        """Found where an integrated GPU worked for the program, and a discrete GPU of the same maker did not."""
        seen = program(watched)
        field(seen.gpus, "gpus")
        use = use_of(seen)
        working = [row for row in use.gpus if row.used and (row.share or 0.0) >= LEAST]
        if not working or len(use.gpus) < 2:
            return
        kinds = {row.place: is_integrated(row.gpu) for row in use.gpus}
        if any(kinds[row.place] is False for row in working):
            return
        idle = [row for row in use.gpus if row.busy_seconds is not None and not row.used and kinds[row.place] is False]
        if any(kinds[row.place] is None for row in working) and idle:
            place = next(row.place for row in working if kinds[row.place] is None)
            raise Undecided(Unknown("whether the GPU is integrated is not known", f"{HERE}.gpus[{place}].integrated"))
        if not idle:
            if any(row.busy_seconds is None or kinds[row.place] is None for row in use.gpus):
                raise not_known(use)
            return
        inside, card = working[0], idle[0]
        yield self.found(
            "machine",
            f"the program computed on the integrated {called(inside.gpu)} ({percent(inside.share or 0.0)} of the time), and {called(card.gpu)} was idle",
            evidence=gpu_evidence(use),
            remedies=_the_card(known_or(machine.os, "linux")),
        )


def _the_card(system: str) -> tuple[Remedy, ...]:
    listing = (
        'python -c "import torch; [print(i, torch.xpu.get_device_name(i)) for i in range(torch.xpu.device_count())]"'
    )
    return (
        Remedy(
            "Name the card in the program: torch.device('xpu:N'), with N from this list",
            "xpu alone means xpu:0, and that is the integrated GPU where the driver lists it first.",
            commands=(listing,),
        ),
        Remedy(
            "Or show the card alone to the program",
            "The card then becomes xpu:0. The number is that of the list above; the card is often 0.",
            commands=set_lines({"ONEAPI_DEVICE_SELECTOR": "level_zero:0"}, system),
        ),
    )
