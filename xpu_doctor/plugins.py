"""Loads probes and rules of other distributions by entry point; one that fails becomes a fact, never an exception."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xpu_doctor.probe import Probe
    from xpu_doctor.rule import Rule
    from xpu_doctor.snapshot import ProbeFailure

PROBES = "xpu_doctor.probes"
RULES = "xpu_doctor.rules"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
"""Names and codes are kebab-case."""


@dataclass(frozen=True)
class Plugins:
    """What was loaded, and what failed to load."""

    probes: tuple[Probe, ...] = ()
    rules: tuple[Rule, ...] = ()
    failures: tuple[ProbeFailure, ...] = ()
    owners: tuple[tuple[str, str], ...] = ()
    """Name of each probe and code of each rule with the distribution that brought it."""

    def blamed(self, failures: Iterable[ProbeFailure]) -> tuple[ProbeFailure, ...]:
        """Return failures with those of a plug-in's parts turned into failures of the plug-in, naming its distribution."""
        owners = dict(self.owners)
        return tuple(
            replace(failure, part="plugin", name=f"{owners[failure.name]}: {failure.name}") if failure.name in owners else failure
            for failure in failures
        )


def load_plugins(taken: Callable[[], Iterable[str]]) -> Plugins:
    """Load all plug-ins; `taken` gives the names and codes that the doctor itself uses, asked only where there are plug-ins."""
    if not any(_declares_plugins(folder) for folder in sys.path):
        return Plugins()
    from importlib.metadata import entry_points

    from xpu_doctor.snapshot import ProbeFailure

    used = set(taken())
    loaded: dict[str, list[Any]] = {PROBES: [], RULES: []}
    failures: list[ProbeFailure] = []
    owners: list[tuple[str, str]] = []
    for group in (PROBES, RULES):
        for entry in entry_points(group=group):
            try:
                loaded[group].append(_load(entry, group, used))
                owners.append((getattr(loaded[group][-1], "name", "") or loaded[group][-1].code, _distribution(entry)))
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # a plug-in may raise anything on import, SystemExit too
                failures.append(ProbeFailure("plugin", f"{_distribution(entry)}: {entry.name}", f"{type(error).__name__}: {error}"))
    return Plugins(tuple(loaded[PROBES]), tuple(loaded[RULES]), tuple(failures), tuple(owners))


def _declares_plugins(folder: str) -> bool:
    """Whether a folder of sys.path holds a distribution with our entry points; spares importing importlib.metadata."""
    return any(b"[xpu_doctor." in text for text in _entry_points_texts(folder))


def _entry_points_texts(folder: str) -> Iterator[bytes]:
    try:
        names = os.listdir(folder or ".")
    except OSError:
        return
    for name in names:
        if name.endswith((".dist-info", ".egg-info")):
            try:
                with open(os.path.join(folder, name, "entry_points.txt"), "rb") as stream:
                    yield stream.read(65536)
            except OSError:
                continue


def _load(entry: EntryPoint, group: str, used: set[str]) -> Any:
    """Import what an entry point names and check it.

    Raises:
        TypeError, ValueError: it is no probe or rule, or its name cannot be used.
    """
    from xpu_doctor.probe import Probe
    from xpu_doctor.rule import Rule

    thing = entry.load()
    made: Any
    if group == PROBES:
        if not isinstance(thing, Probe):
            raise TypeError(f"{entry.value} is no probe: decorate a function with xpu_doctor.probe.probe")
        name, made = thing.name, thing
    else:
        if not (isinstance(thing, type) and issubclass(thing, Rule)):
            raise TypeError(f"{entry.value} is no subclass of xpu_doctor.rule.Rule")
        name, made = thing.code, thing()
    if not NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} is not kebab-case")
    if name in used:
        raise ValueError(f"the name {name!r} is taken")
    used.add(name)
    return made


def _distribution(entry: EntryPoint) -> str:
    """The distribution that declares an entry point."""
    dist = getattr(entry, "dist", None)
    return str(dist.metadata["Name"]) if dist is not None else "an unknown distribution"
