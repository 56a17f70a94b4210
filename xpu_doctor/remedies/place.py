"""What is said of remedies of a text besides: where their lines are typed, and that torch is installed once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

from xpu_doctor.model.findings import Finding, Remedy
from xpu_doctor.tables.layouts import Layout

_BRINGS_TORCH = re.compile(
    r"\bpip (?:install|download)\b[^\n]{0,400}\btorch\b[^\n]{0,400}//download\.pytorch\.org/whl/"
)
_PYTHON = re.compile(r"(?<![\w./\\-])python3?(?= )")
"""The name of a Python that stands for the one that is meant."""


def with_python(line: str, python: str) -> str:
    """Return a line with the interpreter that is meant in place of the bare name."""
    return _PYTHON.sub(lambda _: python, line) if python else line


def told(finding: Finding, layout: Layout | None) -> Finding:
    """Return a finding whose remedies say where their lines are typed."""
    if layout is None:
        return finding
    return replace(
        finding,
        remedies=tuple(_told(remedy, layout) for remedy in finding.remedies),
        explains=tuple(told(child, layout) for child in finding.explains),
    )


def _told(remedy: Remedy, layout: Layout) -> Remedy:
    pythons = tuple(f"{name} " for name in (layout.windows, layout.linux) if name)
    if not any(python in line for line in (*remedy.commands, *remedy.verify) for python in pythons):
        return remedy
    return replace(remedy, why=" ".join(part for part in (remedy.why, f"Run it {layout.where}.") if part))


def once(roots: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return root causes of which the first alone installs torch anew: a second, different install would undo the first."""
    result: list[Finding] = []
    above: list[Remedy] = []
    first = ""
    for root in roots:
        brings = [remedy for remedy in root.remedies if _brings_torch(remedy)]
        if not first and brings:
            first = root.code
        elif brings:
            said = Remedy(f"Do what is said above of {first}: it installs torch anew as well", "")
            kept = tuple(remedy for remedy in root.remedies if remedy not in brings and remedy not in above)
            root = replace(root, remedies=(said, *kept))  # noqa: PLW2901 - the same root cause, told otherwise
        above += root.remedies
        result.append(root)
    return tuple(result)


def _brings_torch(remedy: Remedy) -> bool:
    return any(map(_line_brings_torch, remedy.commands))


@lru_cache(maxsize=1024)
def _line_brings_torch(line: str) -> bool:
    return _BRINGS_TORCH.search(line) is not None
