"""Operators without an XPU kernel ran on the processor."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Errors, FallbackOperator, Watched
from xpu_doctor.model.findings import Evidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, known, known_or
from xpu_doctor.remedies.program import off_the_fallback
from xpu_doctor.rules.support.watching import HERE

ROUTES = {
    "listed": "in torch's list of operators without an XPU kernel",
    "forced": "forced by PYTORCH_XPU_FALLBACK_OP",
    "unimplemented": "allowed by PYTORCH_ENABLE_XPU_FALLBACK",
}
"""Why an operator fell back, by the word of the facts."""
SHOWN, NAMED = 8, 3
"""Operators that are shown as evidence, and named in the summary."""


class OpCpuFallback(Rule):
    """Operators without an XPU kernel ran on the processor."""

    code = "op-cpu-fallback"
    layer = Layer.COMPUTE
    severity = Severity.WARNING
    explains = {
        "low-performance": "operations that run on the CPU, and the copies to it and back, take the time",
    }

    def check(self, errors: Errors, watched: Maybe[tuple[Watched, ...]]) -> Iterator[Finding]:
        """Found where torch named operators of a watched program that fell back; messages of other texts are added by `judge`."""
        programs = known_or(watched, ())
        if not programs or not isinstance(programs[0].fallback_operators, tuple):
            known(errors.met)
            return
        operators = programs[0].fallback_operators
        if operators:
            yield self._of_program(operators, programs[0])

    def _of_program(self, operators: tuple[FallbackOperator, ...], seen: Watched) -> Finding:
        order = sorted(enumerate(operators), key=lambda row: -row[1].count)
        calls = sum(operator.count for operator in operators)
        times = f"{calls} time{'' if calls == 1 else 's'}"
        return self.found(
            "machine",
            f"{_named([operator.name for _, operator in order])} ran on the CPU for want of an XPU kernel, {times} in all",
            evidence=tuple(
                Evidence(
                    f"{HERE}.fallback_operators[{place}]",
                    f"{operator.name or 'an operator that torch does not name'}: {operator.count} calls, {ROUTES.get(operator.route, operator.route)}",
                    "",
                )
                for place, operator in order[:SHOWN]
            ),
            remedies=off_the_fallback({operator.route for operator in operators}, seen),
        )


def _named(names: list[str]) -> str:
    told = [name for name in names if name]
    if not told:
        return "operators that torch does not name"
    more = f" and {len(told) - NAMED} more operators" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
