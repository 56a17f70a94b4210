"""No process of the watched program imported torch."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import is_python
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Watched
from xpu_doctor.model.findings import Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known_or
from xpu_doctor.rules.support.watching import HERE, command_evidence, field, program


class TorchNotImported(Rule):
    """No process of the watched program imported torch."""

    code = "torch-not-imported"
    layer = Layer.APPLICATION
    severity = Severity.INFO
    explains = dict[str, str]()

    def check(self, watched: Maybe[tuple[Watched, ...]]) -> Iterator[Finding]:
        """Found where the hook was in every Python process and none imported torch; undecided where some had no hook."""
        seen = program(watched)
        if field(seen.inside, "inside"):
            return
        if seen.pythons_without_hook:
            raise Undecided(Unknown("some Python processes ran without the hook", f"{HERE}.pythons_without_hook"))
        listed = known_or(seen.processes, ())
        none = bool(listed) and not seen.further_processes and not any(map(is_python, listed))
        names = ", ".join(dict.fromkeys(process.name for process in listed[:4]))
        summary = (
            f"no Python ran: the program was {names}" if none else "no Python process of the program imported torch"
        )
        yield self.found(
            "machine",
            summary,
            evidence=(*command_evidence(seen), f"{HERE}.inside", *((f"{HERE}.processes",) if none else ())),
            remedies=(
                Remedy(
                    "Watch the command that runs torch itself",
                    "A client, a wrapper that hands the work to a server, or a container: the program that computes is not below this one. "
                    "xpu-doctor watch --pid PID watches a process that runs already.",
                ),
            ),
        )
