"""All rules that the doctor knows: one file per finding code, in an explicit tuple per layer.

A layer's rules are imported when they are asked for: a static verdict does not wait for the rules of the compute layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from xpu_doctor.model.findings import Layer

if TYPE_CHECKING:
    from xpu_doctor.diagnosis.rule import Rule

    RULES: tuple[type[Rule], ...]
    """Every rule, from the bottom layer up."""

PACKAGES: Mapping[Layer, str] = {
    Layer.DEVICE: "device",
    Layer.KERNEL: "kernel",
    Layer.ACCESS: "access",
    Layer.DRIVER: "driver",
    Layer.RUNTIME: "runtime",
    Layer.WHEEL: "wheel",
    Layer.IMPORT: "import_",
    Layer.ENUMERATION: "enumeration",
    Layer.COMPUTE: "compute",
    Layer.APPLICATION: "application",
    Layer.DOCTOR: "doctor",
}
"""A layer to the package that holds its rules."""


def rules_of(layer: Layer) -> tuple[type[Rule], ...]:
    """Return the rules of one layer."""
    rules: tuple[type[Rule], ...] = import_module(f"xpu_doctor.rules.{PACKAGES[layer]}").RULES
    return rules


def __getattr__(name: str) -> Any:
    if name == "RULES":
        return tuple(rule for layer in PACKAGES for rule in rules_of(layer))
    raise AttributeError(name)
