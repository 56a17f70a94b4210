"""From what torch printed of operators that fell back to the CPU to facts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from xpu_doctor.model.facts.watched import FallbackOperator
from xpu_doctor.watching.stderr_tally import Tally

LISTED_OPERATORS = 100


def fallback_operators(tally: Tally, *, enabled: bool) -> tuple[FallbackOperator, ...]:
    """Return the operators that fell back, most frequent first; `enabled` says whether PYTORCH_ENABLE_XPU_FALLBACK may have been set."""
    forced = {_short(name) for name in tally.forced}
    rows = [FallbackOperator(name, count, _route(name, forced, enabled)) for name, count in tally.fell.items()]
    rows.sort(key=lambda row: (-row.count, row.name))
    if tally.unnamed and not rows:
        rows = [FallbackOperator("", tally.unnamed, "listed")]
    return tuple(rows[:LISTED_OPERATORS])


def _route(name: str, forced: set[str], enabled: bool) -> str:
    """Return why an operator fell back; one of no list does so only where all unimplemented ones may."""
    if _short(name) in forced:
        return "forced"
    return "unimplemented" if enabled else "listed"


def _short(name: str) -> str:
    return name.removeprefix("aten::")


def may_enable(environment: Mapping[str, str]) -> bool:
    """Return whether unimplemented operators fall back by this environment."""
    return environment.get("PYTORCH_ENABLE_XPU_FALLBACK", "0").strip() not in ("", "0")
