"""Which layers and probes a check was asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xpu_doctor.model.findings import LADDER, Layer

CHECKED: tuple[Layer, ...] = tuple(layer for layer in LADDER if layer is not Layer.APPLICATION)
"""The layers of `check`; the application shows in pasted texts, and where a program was watched."""

WATCHED_LAYERS: tuple[Layer, ...] = LADDER
"""The layers of `watch`: what files tell of the installation, and what the program did."""
NOT_WATCHED = (Layer.IMPORT.value, Layer.ENUMERATION.value)
"""Layers that `watch` leaves out: torch is not imported once more beside the program."""

NEEDS: Mapping[Layer, frozenset[Layer]] = {
    Layer.KERNEL: frozenset({Layer.DEVICE}),
    Layer.ENUMERATION: frozenset({Layer.IMPORT}),
    Layer.COMPUTE: frozenset({Layer.IMPORT, Layer.ENUMERATION}),
}
"""A layer to the layers whose facts it cannot do without."""


ALWAYS = frozenset({"interpreter"})
"""Probes without which nothing can be said."""

FOR_ALL = frozenset({"machine"})
"""Probes that are quick, and without which no layer's rules know which system they judge; only their own name leaves them out."""


@dataclass(frozen=True)
class Selection:
    """The layers to examine, and single probes to leave out."""

    layers: frozenset[Layer]
    without_probes: frozenset[str] = frozenset()

    def wants(self, layer: Layer) -> bool:
        """Return whether a layer was asked for."""
        return layer in self.layers

    @property
    def skipped(self) -> tuple[str, ...]:
        """Names of the layers that were not asked for, from the bottom up."""
        return tuple(layer.value for layer in CHECKED if layer not in self.layers)


def select(only: Iterable[str], skip: Iterable[str], probe_layers: Mapping[str, Layer]) -> Selection:
    """Return what `--only` and `--skip` ask for; a layer whose needs are skipped is skipped too.

    `probe_layers` gives each probe's layer. `--only` names bring the layers that they need with them.

    Raises:
        KeyError: a name is neither a layer nor a probe; the argument is the name.
        ValueError: a name cannot be left out; the argument is the name.
    """
    names = {layer.value: layer for layer in CHECKED}
    for name in (*only, *skip):
        if name not in names and name not in probe_layers:
            raise KeyError(name)
    wanted = {names.get(name) or probe_layers[name] for name in only} or set(CHECKED)
    if only:
        wanted |= {need for layer in tuple(wanted) for need in NEEDS.get(layer, ())}
    for name in skip:
        if name in ALWAYS:
            raise ValueError(name)
    wanted -= {names[name] for name in skip if name in names}
    without = {name for name in skip if name in probe_layers}
    # A probe named alone brings its layer, but not the other probes of that layer.
    if only and any(name in probe_layers for name in only):
        whole = {names[name] for name in only if name in names}
        asked = {probe_layers[name] for name in only if name in probe_layers}
        without |= {probe for probe, layer in probe_layers.items() if layer in asked - whole and probe not in only}
    without -= ALWAYS
    # A layer all of whose probes are left out has no facts left: it is skipped and not unknown.
    wanted -= {
        layer
        for layer in wanted
        if (own := {probe for probe, of in probe_layers.items() if of is layer}) and own <= without
    }
    return Selection(
        frozenset(layer for layer in wanted if NEEDS.get(layer, frozenset()) <= wanted), frozenset(without)
    )
