"""Loads probes and rules of other distributions by entry point; one that fails becomes a fact, never an exception."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from xpu_doctor.model.terms import Part
from xpu_doctor.model.unknown import Undecided
from xpu_doctor.text.visible import described

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from xpu_doctor.diagnosis.rule import Rule
    from xpu_doctor.model.snapshot import ProbeFailure
    from xpu_doctor.probes.runner import Probe

PROBES = "xpu_doctor.probes"
RULES = "xpu_doctor.rules"


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
    """Load all plug-ins; `taken` gives the names and codes that the doctor itself uses, asked only where there are plug-ins.

    Their code runs in processes of its own; what is returned stands in for it here.
    """
    if not any(_declares_plugins(folder) for folder in sys.path):
        return Plugins()
    from xpu_doctor.catalogue.plugin_process import processes, stand_in_probe, stand_in_rule
    from xpu_doctor.diagnosis.strangers import LOAD_SECONDS, StrangerFailed
    from xpu_doctor.model.snapshot import ProbeFailure

    used = set(taken())
    probes: list[Probe] = []
    rules: list[Rule] = []
    failures: list[ProbeFailure] = []
    owners: list[tuple[str, str]] = []
    for group in (PROBES, RULES):
        try:
            entries = _entries(group)
        except Exception as error:  # a damaged dist-info of anybody
            failures.append(ProbeFailure(Part.PLUGIN, group, f"its entry points cannot be read: {described(error)}"))
            continue
        for entry in entries:
            key = (group, entry.name, entry.value)
            try:
                told = processes().ask("load", key, seconds=LOAD_SECONDS)
                if told["name"] in used:
                    raise StrangerFailed(f"the name {told['name']!r} is taken")
                if group == PROBES:
                    probes.append(stand_in_probe(key, told))
                else:
                    rules.append(stand_in_rule(key, told))
            except (StrangerFailed, Undecided, KeyError, TypeError, ValueError) as error:
                failures.append(ProbeFailure(Part.PLUGIN, f"{_distribution(entry)}: {entry.name}", str(error)))
                continue
            used.add(told["name"])
            owners.append((told["name"], _distribution(entry)))
    return Plugins(tuple(probes), tuple(rules), tuple(failures), tuple(owners))


def _declares_plugins(folder: str) -> bool:
    """Return whether a folder of sys.path holds a distribution with our entry points; spares importing importlib.metadata."""
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


def _distribution(entry: EntryPoint) -> str:
    """Return the distribution that declares an entry point."""
    try:
        dist = getattr(entry, "dist", None)
        return str((dist.metadata["Name"] if dist is not None else "") or "an unknown distribution")
    except Exception:
        return "an unknown distribution"
