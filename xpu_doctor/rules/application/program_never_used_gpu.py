"""The watched program computed, and never on the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import ProgramUse, RankUse, Use, use_of
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Machine, Watched
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, holds, known_or
from xpu_doctor.remedies.program import onto_the_gpu
from xpu_doctor.rules.support.watching import (
    command_evidence,
    cpu_evidence,
    gpu_evidence,
    hook_evidence,
    not_known,
    program,
    since_torch,
    spot_evidence,
)

SHOWN_RANKS = 4


class ProgramNeverUsedGpu(Rule):
    """The watched program computed, and never on the GPU."""

    code = "program-never-used-gpu"
    layer = Layer.APPLICATION
    symptom = True
    explains = dict[str, str]()

    def check(self, watched: Maybe[tuple[Watched, ...]], machine: Machine) -> Iterator[Finding]:
        """Found where torch or the counters say so of a program that computed; of a distributed one also where some ranks alone did not."""
        seen = program(watched)
        use = use_of(seen)
        system = known_or(machine.os, "linux")
        if use.kind is ProgramUse.NEVER:
            yield self._of_program(seen, use, system)
            return
        idle = [rank for rank in use.ranks if rank.use is ProgramUse.NEVER]
        if idle:
            yield self._of_ranks(seen, use, idle, system)
        elif use.kind is ProgramUse.UNKNOWN and seen.inside != ():
            raise not_known(use)

    def _of_program(self, seen: Watched, use: Use, system: str) -> Finding:
        offered = any(holds(report.available) for report in known_or(seen.inside, ()))
        fine = ", although torch offered it a device" if offered else ""
        return self.found(
            "machine",
            f"the program computed on the CPU alone: it used no GPU in {since_torch(seen, use)}{fine}",
            confidence=Confidence.CERTAIN if use.by_hook else Confidence.LIKELY,
            evidence=(
                *command_evidence(seen),
                *hook_evidence(seen),
                *gpu_evidence(use),
                *cpu_evidence(seen, use),
                *spot_evidence(seen),
            ),
            remedies=onto_the_gpu(seen, system),
        )

    def _of_ranks(self, seen: Watched, use: Use, idle: list[RankUse], system: str) -> Finding:
        numbers = ", ".join(str(rank.rank) for rank in idle[:SHOWN_RANKS])
        more = f" and {len(idle) - SHOWN_RANKS} more" if len(idle) > SHOWN_RANKS else ""
        ranks = f"rank{'' if len(idle) == 1 else 's'} {numbers}{more}"
        return self.found(
            "ranks",
            f"{ranks} of {len(use.ranks)} used no GPU, while others did",
            evidence=(*command_evidence(seen), *hook_evidence(seen), *gpu_evidence(use)),
            remedies=onto_the_gpu(seen, system),
        )
