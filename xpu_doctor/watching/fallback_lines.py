"""From what torch printed of operators that fell back to the CPU to facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from xpu_doctor.model.facts.watched import FallbackOperator
from xpu_doctor.tables.fallback_operators import listed_operators
from xpu_doctor.watching.stderr_tally import Tally

LISTED_OPERATORS = 100
NAMESPACE = "aten::"


def fallback_operators(tally: Tally, *, enabled: bool, version: str = "") -> tuple[FallbackOperator, ...]:
    """Return the operators that fell back, most frequent first.

    `enabled` says whether PYTORCH_ENABLE_XPU_FALLBACK was set for the program, which may also set it itself; `version` is torch's.
    """
    forced = {_short(name) for name in tally.forced}
    rows = [FallbackOperator(name, count, _route(name, forced, enabled, version)) for name, count in tally.fell.items()]
    rows.sort(key=lambda row: (-row.count, row.name))
    if tally.unnamed and not rows:
        rows = [FallbackOperator("", tally.unnamed, "listed")]
    return tuple(rows[:LISTED_OPERATORS])


def _route(name: str, forced: set[str], enabled: bool, version: str) -> str:
    """Return why an operator fell back. One of another package, such as torchvision, registers it without a list."""
    if _short(name) in forced:
        return "forced"
    if _short(name) in listed_operators(version) or not (enabled or name.startswith(NAMESPACE)):
        return "listed"
    return "unimplemented"


def _short(name: str) -> str:
    return name.removeprefix(NAMESPACE)


def may_enable(environment: Mapping[str, str]) -> bool:
    """Return whether unimplemented operators fall back by this environment."""
    return environment.get("PYTORCH_ENABLE_XPU_FALLBACK", "0").strip() not in ("", "0")
