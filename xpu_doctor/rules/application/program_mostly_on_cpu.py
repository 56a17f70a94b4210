"""The watched program used the GPU a little, and did most of its work on the CPU."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import ProgramUse
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Machine, Watched
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, known_or
from xpu_doctor.remedies.program import on_the_cpu
from xpu_doctor.rules.support.watching import (
    command_evidence,
    cpu_evidence,
    gpu_evidence,
    hook_evidence,
    since_torch,
    spot_evidence,
    used_so,
)
from xpu_doctor.text.amounts import percent


class ProgramMostlyOnCpu(Rule):
    """The watched program used the GPU a little, and did most of its work on the CPU."""

    code = "program-mostly-on-cpu"
    layer = Layer.APPLICATION
    severity = Severity.WARNING
    confidence = Confidence.LIKELY
    explains = dict[str, str]()

    def check(self, watched: Maybe[tuple[Watched, ...]], machine: Machine) -> Iterator[Finding]:
        """Found where the GPU worked for a small share of the time, and the processes that use it kept CPUs busy meanwhile."""
        found = used_so(watched, ProgramUse.MOSTLY_CPU)
        if found is None:
            return
        seen, use, share = found
        yield self.found(
            "machine",
            f"the program worked mostly on the CPU: the GPU was busy {percent(share)} of {since_torch(seen, use)}, while {use.reason}",
            evidence=(
                *command_evidence(seen),
                *gpu_evidence(use),
                *cpu_evidence(seen, use),
                *spot_evidence(seen),
                *hook_evidence(seen),
            ),
            remedies=on_the_cpu(seen, known_or(machine.os, "linux")),
        )
