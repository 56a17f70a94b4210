"""Loads probes and rules of other distributions by entry point; one that fails becomes a fact, never an exception."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from xpu_doctor.text.visible import described

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.snapshot import ProbeFailure
    from xpu_doctor.probes.runner import Probe

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
            replace(failure, part="plugin", name=f"{owners[failure.name]}: {failure.name}")
            if failure.name in owners
            else failure
            for failure in failures
        )


def load_plugins(taken: Callable[[], Iterable[str]]) -> Plugins:
    """Load all plug-ins; `taken` gives the names and codes that the doctor itself uses, asked only where there are plug-ins."""
    if not any(_declares_plugins(folder) for folder in sys.path):
        return Plugins()
    from xpu_doctor.diagnosis.strangers import LOAD_SECONDS, StrangerFailed, bounded
    from xpu_doctor.model.snapshot import ProbeFailure
    from xpu_doctor.text.output import keep_stdout_apart

    keep_stdout_apart()
    used = set(taken())
    loaded: dict[str, list[Any]] = {PROBES: [], RULES: []}
    failures: list[ProbeFailure] = []
    owners: list[tuple[str, str]] = []
    for group in (PROBES, RULES):
        try:
            entries = _entries(group)
        except Exception as error:  # a damaged dist-info of anybody
            failures.append(ProbeFailure("plugin", group, f"its entry points cannot be read: {described(error)}"))
            continue
        for entry in entries:
            try:
                name, made = bounded(partial(_load, entry, group, frozenset(used)), LOAD_SECONDS)
            except StrangerFailed as error:  # a plug-in may raise anything on import, or never come back
                failures.append(ProbeFailure("plugin", f"{_distribution(entry)}: {entry.name}", str(error)))
                continue
            used.add(name)
            loaded[group].append(made)
            owners.append((name, _distribution(entry)))
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


def _entries(group: str) -> tuple[EntryPoint, ...]:
    from importlib.metadata import entry_points

    return tuple(entry_points(group=group))


def _load(entry: EntryPoint, group: str, used: frozenset[str]) -> tuple[str, Any]:
    """Import what an entry point names and check it; return its name, and it.

    Raises:
        TypeError, ValueError: it is no probe or rule, or its name cannot be used.
    """
    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.probes.runner import Probe

    thing = entry.load()
    name: Any
    made: Any
    if group == PROBES:
        if not isinstance(thing, Probe):
            raise TypeError(f"{entry.value} is no probe: decorate a function with xpu_doctor.plugin.probe")
        name, made = thing.name, thing
        _check_probe(thing)
    else:
        if not (isinstance(thing, type) and issubclass(thing, Rule)):
            raise TypeError(f"{entry.value} is no subclass of xpu_doctor.plugin.Rule")
        name, made = getattr(thing, "code", None), thing()
        _check_rule(made)
    if not isinstance(name, str):
        raise TypeError("its name or code is no text")
    if not NAME.fullmatch(name):
        raise ValueError(f"the name {name!r} is not kebab-case")
    if name in used:
        raise ValueError(f"the name {name!r} is taken")
    return name, made


def _check_probe(probe: Any) -> None:
    from xpu_doctor.model.findings import Layer

    if probe.fills != "":
        raise ValueError('fills must be "": the facts of a plug-in appear under plugins, by the name of the probe')
    _need(isinstance(probe.layer, Layer), "layer is no Layer")
    _need(
        isinstance(probe.on, tuple) and all(isinstance(name, str) for name in probe.on),
        "on is no tuple of names of systems",
    )
    _need(callable(probe.gather) and isinstance(probe.about, str), "it gathers nothing")


def _check_rule(rule: Any) -> None:
    from xpu_doctor.model.findings import Confidence, Layer, Severity

    _need(isinstance(getattr(rule, "layer", None), Layer), "layer is no Layer")
    _need(
        isinstance(rule.severity, Severity) and isinstance(rule.confidence, Confidence),
        "severity or confidence is of another type",
    )
    _need(
        isinstance(rule.explains, (frozenset, set)) and all(isinstance(code, str) for code in rule.explains),
        "explains is no frozenset of codes",
    )
    _need(isinstance(rule.symptom, bool) and isinstance(rule.from_table, bool), "symptom or from_table is no bool")
    _need(hasattr(getattr(type(rule), "check", None), "__code__"), "check is no function")
    _need(isinstance(type(rule).__doc__, (str, type(None))), "its docstring is no text")


def _need(holds: bool, otherwise: str) -> None:
    if not holds:
        raise TypeError(otherwise)


def _distribution(entry: EntryPoint) -> str:
    """The distribution that declares an entry point."""
    try:
        dist = getattr(entry, "dist", None)
        return str((dist.metadata["Name"] if dist is not None else "") or "an unknown distribution")
    except Exception:
        return "an unknown distribution"
