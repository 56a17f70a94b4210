"""How telling a fact is when it separates some nodes from others: causes before what came of them, and both before sizes and places."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from xpu_doctor.model.natures import FACTORS, Nature, row_of

SYMPTOMS = (
    "access.nodes[].error", "access.nodes", "level_zero", "libraries.prediction", "libraries.faults", "gpus[].render_node", "xpu", "imported",
    "run", "torch.installed",
)  # fmt: skip
"""Facts that stand for a cause when two machines are compared, and yet come of another fact that a fleet sees as well."""
CAUSES_AMONG_SYMPTOMS = (
    "level_zero.loader_version",
    "level_zero.drivers[].version",
    "level_zero.loader_has_root_device",
)
VARIABLES_OF_PLACE = frozenset({
    "PATH", "HOME", "USER", "LOGNAME", "PWD", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "SHELL", "TERM", "TMPDIR", "TEMP", "TMP", "VIRTUAL_ENV",
    "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "HOSTNAME", "MANPATH", "INFOPATH", "PKG_CONFIG_PATH",
})  # fmt: skip
"""Variables that differ between users and jobs without saying anything of the GPU."""
FIRST = ("libze-intel-gpu", "intel-level-zero-gpu", "libze_intel_gpu", "torch]")
"""Of packages and libraries those that torch computes by: they stand for what is installed with them."""
SHARES = {Nature.CAUSE: 1.0, Nature.EFFECT: 0.6, Nature.SIZE: 0.5, Nature.PLACE: 0.3, Nature.NEVER: 0.2}
"""What a node counts for a fact of each nature."""
CITED = 1.5
"""The same for a fact that proves the diagnosis."""
_KEY = re.compile(r"\[[^\[\]]*\]")


@lru_cache(maxsize=65536)
def pattern_of(path: str) -> str:
    """Return a path with empty brackets."""
    return _KEY.sub("[]", path)


@lru_cache(maxsize=65536)
def nature_of(path: str) -> Nature:
    """Return what a fact is to a fleet."""
    pattern = pattern_of(path)
    if pattern == "environment.variables[]" and path[len("environment.variables[") : -1] in VARIABLES_OF_PLACE:
        return Nature.PLACE
    if pattern not in CAUSES_AMONG_SYMPTOMS and any(_within(pattern, symptom) for symptom in SYMPTOMS):
        return Nature.EFFECT
    if pattern == "tool.version":
        return Nature.SIZE
    return row_of(pattern).nature


def _within(pattern: str, whole: str) -> bool:
    return pattern == whole or (whole != "access.nodes" and pattern.startswith((f"{whole}.", f"{whole}[")))


@lru_cache(maxsize=65536)
def order_of(path: str) -> tuple[int, int, str]:
    """Return by what a fact comes before another one that separates as well."""
    first = any(f"[{name}" in path for name in FIRST)
    return (nature_of(path).rank, row_of(pattern_of(path)).place, f"{'' if first else '~'}{path}")


def tells_outliers(path: str) -> bool:
    """Return whether a node that differs in this fact alone is an outlier."""
    return nature_of(path) not in (Nature.PLACE, Nature.NEVER)


def is_cited(path: str, cited: Collection[str]) -> bool:
    """Return whether a fact is among those that prove a diagnosis, or a part of one, or the whole of which one is a part."""
    pattern = pattern_of(path)
    for each in cited:
        if path == each or (each.startswith("environment.variables[") and each != "environment.variables[]"):
            if path == each:
                return True
            continue
        if (
            pattern == each
            or pattern.startswith((f"{each}.", f"{each}["))
            or each.startswith((f"{pattern}.", f"{pattern}["))
        ):
            return True
    return False


def list_of(path: str) -> str:
    """Return the list that a fact is an element of, or of an element; empty where it is of none."""
    return (
        path.partition("[")[0]
        if "[" in path and not path.startswith(("gpus[", "access.nodes[", "level_zero.", "firmware[", "run."))
        else ""
    )


def measured_alike(path: str, one: str, other: str) -> bool:
    """Return whether two values of a measure are near enough to say the same."""
    factor = FACTORS.get(path)
    if factor is None:
        return False
    try:
        least, most = sorted((abs(float(one)), abs(float(other))))
    except ValueError:
        return False
    return most <= least * factor
