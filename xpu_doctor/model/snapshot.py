"""A snapshot: every fact that was gathered, where it came from, and what was left out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import attrgetter
from typing import Any

from xpu_doctor.model.facts import (
    Access,
    Compute,
    Distributions,
    Driver,
    Environment,
    Errors,
    Gpu,
    Import,
    Installer,
    Kernel,
    LevelZero,
    Libraries,
    Machine,
    Pasted,
    Python,
    Run,
    Shadows,
    Target,
    Torch,
    Watched,
    Xpu,
)
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.selection import NOT_WATCHED, WATCHED_LAYERS
from xpu_doctor.model.terms import Origin
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown

SNAPSHOT_SCHEMA = 1
"""Number of the snapshot's own format; it makes no promise between numbers yet."""


@dataclass(frozen=True)
class Source:
    """Who saw the facts under a path: a probe's name, or a place in a pasted text."""

    fact: str
    source: str


@dataclass(frozen=True)
class ProbeFailure:
    """A probe or plug-in that did not do its work."""

    part: str
    """`probe`, `rule` or `plugin`."""
    name: str
    error: str


@dataclass(frozen=True)
class Snapshot:
    """All fact groups of one machine and one target interpreter."""

    schema: int = SNAPSHOT_SCHEMA
    origin: str = Origin.LIVE
    """`live`, `saved` or `pasted`."""
    subject: str = "machine"
    """What the facts are about: `machine`, or `host` / `container` where a text shows both."""
    machine: Machine = field(default_factory=Machine)
    gpus: Maybe[tuple[Gpu, ...]] = NOT_EXAMINED
    kernel: Kernel = field(default_factory=Kernel)
    access: Access = field(default_factory=Access)
    driver: Driver = field(default_factory=Driver)
    level_zero: LevelZero = field(default_factory=LevelZero)
    environment: Environment = field(default_factory=Environment)
    target: Target = field(default_factory=Target)
    python: Python = field(default_factory=Python)
    distributions: Distributions = field(default_factory=Distributions)
    installer: Installer = field(default_factory=Installer)
    torch: Torch = field(default_factory=Torch)
    libraries: Libraries = field(default_factory=Libraries)
    shadows: Shadows = field(default_factory=Shadows)
    run: Run = field(default_factory=Run)
    imported: Import = field(default_factory=Import)
    xpu: Xpu = field(default_factory=Xpu)
    compute: Compute = field(default_factory=Compute)
    errors: Errors = field(default_factory=Errors)
    pasted: Pasted = field(default_factory=Pasted)
    watched: Maybe[tuple[Watched, ...]] = NOT_EXAMINED
    """The program that was watched, one element; unknown where none was."""
    skipped: tuple[str, ...] = ()
    """Names of the layers that were not asked for."""
    failures: tuple[ProbeFailure, ...] = ()
    sources: tuple[Source, ...] = ()
    plugins: dict[str, Any] = field(default_factory=dict)
    """Facts of plug-in probes, by probe name: plain JSON values."""

    def source_of(self, fact: str) -> str:
        """Return who saw a fact: the source of the longest path that covers it."""
        covering = [
            row for row in self.sources if fact == row.fact or fact.startswith((row.fact + ".", row.fact + "["))
        ]
        return max(covering, key=lambda row: len(row.fact)).source if covering else self.origin


def with_watched(examined: Snapshot, watched: Watched) -> Snapshot:
    """Return what was examined together with a program that was watched.

    Only the program is judged where it was watched on another maker's device, and where it surely did without torch: what would keep torch
    from the GPU kept it from nothing.
    """
    left_out = {*examined.skipped, *NOT_WATCHED} - {Layer.COMPUTE.value, Layer.APPLICATION.value}
    without_torch = watched.inside == () and not watched.pythons_without_hook
    if watched.device_type != "xpu" or without_torch:
        left_out = {layer.value for layer in WATCHED_LAYERS if layer is not Layer.APPLICATION}
    skipped = tuple(layer.value for layer in WATCHED_LAYERS if layer.value in left_out)
    return replace(examined, watched=(watched,), skipped=skipped)


def value_at(snapshot: Snapshot, path: str) -> Any:
    """Return the value at a fact path such as `torch.version` or `gpus[0].device_id`.

    Raises:
        LookupError: the path names nothing.
    """
    if "[" not in path and not path.startswith(
        "plugins."
    ):  # hundreds of conditions ask, and few of them for an element
        try:
            return _getter(path)(snapshot)
        except (AttributeError, TypeError, ValueError) as error:
            raise LookupError(path) from error
    value: Any = snapshot
    for name in _steps(path):
        try:
            if name[:1] == "[":
                value = value[int(name[1:-1])]
            elif isinstance(value, dict):
                value = value[name]
            else:
                value = getattr(value, name)
        except (AttributeError, TypeError, ValueError) as error:
            raise LookupError(path) from error
    return value


@lru_cache(maxsize=1024)
def _getter(path: str) -> attrgetter[Any]:
    return attrgetter(path)


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[str, ...]:
    return tuple(path.replace("[", ".[").split("."))


def located(group: Any, path: str) -> Any:
    """Return a fact group in which each unknown field of the first level carries its own path."""
    if isinstance(group, Unknown):
        return Unknown(group.reason, path)
    if not dataclasses.is_dataclass(group) or isinstance(group, type):
        return group
    # Field by field and not by vars(): a decoded group holds no value of its own where the default stands.
    made = object.__new__(type(group))
    state, own = vars(made), vars(group)
    for name in group.__dataclass_fields__:
        value = own[name] if name in own else getattr(group, name)
        state[name] = _at(value.reason, path, name) if type(value) is Unknown else value
    return made


@lru_cache(maxsize=1024)
def _at(reason: str, path: str, name: str) -> Unknown:
    return Unknown(reason, f"{path}.{name}")
