"""What is said of remedies of a text besides: where their lines are typed, and that torch is installed once. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from operator import is_

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy
from xpu_doctor.remedies.package_tools import as_typed_on
from xpu_doctor.tables.distributions import Distribution, distribution_of
from xpu_doctor.tables.layouts import Layout

_BRINGS_TORCH = re.compile(
    r"\bpip (?:install|download)\b[^\n]{0,400}\btorch\b[^\n]{0,400}//download\.pytorch\.org/whl/"
)
_PYTHON = re.compile(r"(?<![\w./\\-])python3?(?= )")
"""The name of a Python that stands for the one that is meant."""


def with_python(line: str, python: str) -> str:
    """Return a line with the interpreter that is meant in place of the bare name."""
    return _PYTHON.sub(lambda _: python, line) if python else line


@dataclass(frozen=True)
class Place:
    """Where the lines of remedies are typed."""

    distribution: Distribution
    inside: bool = False
    """Whether that is a container, whose user is root and which has no sudo."""
    root: bool = False
    """Whether the user is root."""
    node: str = ""
    """The GPU's render node, where there is one alone and it is known."""

    @classmethod
    def of(cls, machine: Machine, *, inside: bool, root: bool, node: str = "") -> Place:
        """Return the place that the facts of a text show."""
        return cls(distribution_of(machine), inside, root, node if _NODE.fullmatch(node) else "")


_FIRST_NODE = "/dev/dri/renderD128"
"""The render node that remedies name where none is known."""
_NODE = re.compile(r"/dev/dri/renderD\d{3}")
_OF_THE_HOST = frozenset({Layer.DEVICE, Layer.KERNEL})


def fitted(finding: Finding, place: Place) -> Finding:
    """Return a finding whose remedies call the package tool that the place has, and sudo only where there is one to be."""
    return _with(
        finding,
        tuple(_fitted(remedy, place, finding.layer) for remedy in finding.remedies),
        tuple(fitted(child, place) for child in finding.explains),
    )


def _with(finding: Finding, remedies: tuple[Remedy, ...], explains: tuple[Finding, ...]) -> Finding:
    """Return a finding with these remedies and these findings under it; the same one where it has them already."""
    before = (*finding.remedies, *finding.explains)
    after = (*remedies, *explains)
    if len(before) == len(after) and all(map(is_, before, after)):
        return finding
    return replace(finding, remedies=remedies, explains=explains)


@lru_cache(maxsize=1024)
def _fitted(remedy: Remedy, place: Place, layer: Layer) -> Remedy:
    bare = not remedy.side and (place.root or (place.inside and layer not in _OF_THE_HOST))

    def lines(typed: Iterable[str]) -> tuple[str, ...]:
        there = (line.replace(_FIRST_NODE, place.node or _FIRST_NODE) for line in typed)
        fitting = (as_typed_on(place.distribution, line) for line in there)
        return tuple(line.replace("sudo ", "") if bare else line for line in fitting if line)

    commands, verify = lines(remedy.commands), lines(remedy.verify)
    if (commands, verify) == (remedy.commands, remedy.verify):
        return remedy
    return replace(remedy, commands=commands, verify=verify, steps=(), proofs=())


def told(finding: Finding, layout: Layout | None) -> Finding:
    """Return a finding whose remedies say where their lines are typed."""
    if layout is None:
        return finding
    return _with(
        finding,
        tuple(_told(remedy, layout) for remedy in finding.remedies),
        tuple(told(child, layout) for child in finding.explains),
    )


def _told(remedy: Remedy, layout: Layout) -> Remedy:
    pythons = tuple(f"{name} " for name in (layout.windows, layout.linux) if name)
    if not any(python in line for line in (*remedy.commands, *remedy.verify) for python in pythons):
        return remedy
    return replace(remedy, why=" ".join(part for part in (remedy.why, f"Run it {layout.where}.") if part))


def once(roots: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return root causes of which one alone installs torch anew, the first that is no guess: a second, different install would undo the first."""
    listed = tuple(roots)
    bringing = [root for root in listed if any(map(_brings_torch, root.remedies))]
    first = next(
        (root for root in bringing if root.confidence is not Confidence.POSSIBLE), bringing[0] if bringing else None
    )
    result: list[Finding] = []
    above: list[Remedy] = []
    for root in listed:
        if first is not None and root is not first and root in bringing:
            said = Remedy(f"Do what is said of {first.code}: it installs torch anew as well", "")
            kept = (remedy for remedy in root.remedies if not _brings_torch(remedy) and remedy not in above)
            root = replace(root, remedies=(said, *kept))  # noqa: PLW2901 - the same root cause, told otherwise
        above += root.remedies
        result.append(root)
    return tuple(result)


def _brings_torch(remedy: Remedy) -> bool:
    return any(map(_line_brings_torch, remedy.commands))


@lru_cache(maxsize=1024)
def _line_brings_torch(line: str) -> bool:
    return _BRINGS_TORCH.search(line) is not None
