"""Every name that a user can type: probes with their layers, and finding codes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from xpu_doctor.model.findings import Layer
from xpu_doctor.target.stages import PROBES as AGENT_PROBES

if TYPE_CHECKING:
    from xpu_doctor.catalogue.plugins import Plugins
    from xpu_doctor.diagnosis.rule import Rule


@cache
def probe_rows() -> tuple[tuple[str, Layer, str], ...]:
    """Return (name, layer, about) of every probe, bottom layer first; plug-ins' probes too."""
    from xpu_doctor.probes import PROBES

    plugins = load()
    hosts = [(probe.name, probe.layer, probe.about) for probe in (*PROBES, *plugins.probes)]
    unique = {name: (name, layer, about) for name, layer, about in (*AGENT_PROBES, *hosts)}
    return tuple(sorted(unique.values(), key=lambda row: (row[1].rank, row[0])))


def probe_layers() -> dict[str, Layer]:
    """Return each probe's layer by name."""
    return {name: layer for name, layer, _ in probe_rows()}


@cache
def load() -> Plugins:
    """Load the plug-ins, once."""
    from xpu_doctor.catalogue.plugins import load_plugins

    return load_plugins(_own_names)


def _own_names() -> tuple[str, ...]:
    """Names of the doctor's own probes and rules, which no plug-in may take."""
    from xpu_doctor.probes import PROBES
    from xpu_doctor.rules import RULES

    return (*(probe.name for probe in AGENT_PROBES), *(probe.name for probe in PROBES), *(rule.code for rule in RULES))


@cache
def own_rules(layers: frozenset[Layer]) -> tuple[Rule, ...]:
    """Return an instance of every rule of some layers that is the doctor's own."""
    from xpu_doctor.rules import PACKAGES, rules_of

    return tuple(rule() for layer in PACKAGES if layer in layers for rule in rules_of(layer))


@cache
def all_rules(layers: frozenset[Layer] = frozenset(Layer)) -> tuple[Rule, ...]:
    """Return an instance of every rule of some layers, the plug-ins' last."""
    return (*own_rules(layers), *(rule for rule in load().rules if rule.layer in layers))


@cache
def all_codes() -> tuple[str, ...]:
    """Return every finding code."""
    return tuple(rule.code for rule in all_rules())
