"""Fact groups that many rules need together, as one parameter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from xpu_doctor.model.facts.machine import Gpu, Kernel, Machine
from xpu_doctor.model.facts.python import Distributions, Installer, Python
from xpu_doctor.model.facts.torch import Torch
from xpu_doctor.model.unknown import Maybe


@dataclass(frozen=True)
class Hardware:
    """The machine with its GPUs, and the kernel that drives them."""

    machine: Machine
    gpus: Maybe[tuple[Gpu, ...]]
    kernel: Kernel


@dataclass(frozen=True)
class Installation:
    """One Python environment: its interpreter, what is installed there and by which manager, and its torch."""

    python: Python
    distributions: Distributions
    installer: Installer
    torch: Torch


COMBINED: Mapping[str, type[Any]] = {"hardware": Hardware, "installation": Installation}
"""Parameter name to what it holds; each field is a fact group of the snapshot."""
