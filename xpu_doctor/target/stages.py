"""The stages of the agent and the probes that they are to a user: one table; every other list of stages is a view of it.

A stage runs in the interpreter under examination and carries a deadline. A probe is what `--only` and `--skip` name; some
probes are several stages, and two need the agent's answers without being a stage.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from xpu_doctor.model.findings import Layer

DEFAULT_SECONDS = 30.0


class Phase(Enum):
    """In which process of the agent a stage runs."""

    STATIC = "static"
    """Reads files only."""
    LIVE = "live"
    """Runs torch."""
    LEVEL_ZERO = "level zero"
    """Asks Level Zero, beside the import of torch."""
    LIBRARY = "library"
    """Loads the driver's libraries one by one, only where zeInit failed."""
    COMPUTE = "compute"
    """Runs the timed matmul, in a fresh interpreter."""


class AgentProbe(NamedTuple):
    """A probe that is a part of the agent or needs its answers."""

    name: str
    layer: Layer
    about: str


class AgentStage(NamedTuple):
    """One stage of the agent."""

    name: str
    probe: str
    phase: Phase
    fills: str = ""
    """The field of the snapshot whose facts it gives; empty where it adds to those of another stage."""
    needs: tuple[str, ...] = ()
    """Stages that must have ended well before."""
    seconds: float = DEFAULT_SECONDS
    """Its deadline, unless the user gave one; `compute` gets more for each device."""
    watched: bool = False
    """Whether its CPU time is read from outside too: what the interpreter says of itself is only half a witness."""


PROBES: tuple[AgentProbe, ...] = (
    AgentProbe("interpreter", Layer.WHEEL, "The target interpreter: version, platform, sys.path."),
    AgentProbe(
        "distributions", Layer.WHEEL, "Torch, its companions and Intel's runtime packages, RECORD against the disk."
    ),
    AgentProbe("build", Layer.WHEEL, "Torch's build variant, read from its files without importing it."),
    AgentProbe("shadows", Layer.WHEEL, "Files that hide torch or a standard module from import."),
    AgentProbe("installer", Layer.WHEEL, "Package manager of the environment, and settings of pip and uv."),
    AgentProbe("level-zero", Layer.DRIVER, "What zeInit says, and its devices, in a child of the target interpreter."),
    AgentProbe(
        "closure", Layer.RUNTIME, "The libraries that torch's XPU libraries need, followed as the loader would."
    ),
    AgentProbe("torch-import", Layer.IMPORT, "Import torch, in a child with a deadline."),
    AgentProbe("torch-xpu", Layer.ENUMERATION, "What torch.xpu says: compiled in, available, devices."),
    AgentProbe("torch-allocate", Layer.ENUMERATION, "A small tensor really allocated on each device."),
    AgentProbe("matmul", Layer.COMPUTE, "A timed matmul that shows where it really ran."),
)

STAGES: tuple[AgentStage, ...] = (
    AgentStage("interpreter", "interpreter", Phase.STATIC, "python"),
    AgentStage("distributions", "distributions", Phase.STATIC, "distributions"),
    AgentStage("build", "build", Phase.STATIC, "torch"),
    AgentStage("shadows", "shadows", Phase.STATIC, "shadows"),
    AgentStage("import", "torch-import", Phase.LIVE, "imported", seconds=120.0),
    AgentStage("xpu", "torch-xpu", Phase.LIVE, "xpu", needs=("import",)),
    AgentStage("allocate", "torch-allocate", Phase.LIVE, needs=("import", "xpu")),
    AgentStage("ze_load", "level-zero", Phase.LEVEL_ZERO),
    AgentStage("ze_init", "level-zero", Phase.LEVEL_ZERO, needs=("ze_load",)),
    AgentStage("ze_driver", "level-zero", Phase.LEVEL_ZERO, needs=("ze_load", "ze_init")),
    AgentStage("ze_devices", "level-zero", Phase.LEVEL_ZERO, needs=("ze_load", "ze_init", "ze_driver")),
    AgentStage("ze_library", "level-zero", Phase.LIBRARY),
    AgentStage("compute", "matmul", Phase.COMPUTE, "compute", watched=True),
)
"""All stages, in the order in which they run within a phase."""

BY_NAME = {stage.name: stage for stage in STAGES}


def of_phase(phase: Phase) -> tuple[str, ...]:
    """Return the names of the stages of one phase, in the order in which they run."""
    return tuple(stage.name for stage in STAGES if stage.phase is phase)


STATIC_STAGES = of_phase(Phase.STATIC)
LIVE_STAGES = of_phase(Phase.LIVE)
LEVEL_ZERO_STAGES = of_phase(Phase.LEVEL_ZERO)
_LAYERS = {probe.name: probe.layer for probe in PROBES}


def layer_of(stage: str) -> Layer:
    """Return the layer whose facts a stage gives."""
    return _LAYERS[BY_NAME[stage].probe]


def needs_of(stage: str) -> tuple[str, ...]:
    """Return the stages that must have ended well before one runs; none for a name that is no stage."""
    return BY_NAME[stage].needs if stage in BY_NAME else ()


def seconds_of(stage: str) -> float:
    """Return the deadline of a stage in seconds."""
    return BY_NAME[stage].seconds if stage in BY_NAME else DEFAULT_SECONDS


def is_watched(stage: str) -> bool:
    """Return whether the CPU time of a stage is read from outside."""
    return stage in BY_NAME and BY_NAME[stage].watched
