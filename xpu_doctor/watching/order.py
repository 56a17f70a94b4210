"""What a watch was asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

DEVICE_TYPES = ("xpu", "cuda")
"""Types of torch devices whose GPUs have counters that are read."""
INTERVAL = 1.0
"""Seconds between two samples, unless another interval is asked for."""


@dataclass(frozen=True)
class Order:
    """A command to start, or a process to attach to, and how to watch it."""

    command: Sequence[str] = ()
    pid: int = 0
    """Of the process to attach to, where there is no command."""
    interval: float = INTERVAL
    seconds: float | None = None
    """Ends the watch after so long; None watches to the end of the program."""
    inside: bool = True
    """Whether Pythons of the command load the hook, and its stderr is read along."""
    device_type: str = "xpu"
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """Of the command."""
