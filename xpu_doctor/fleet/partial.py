"""What is decoded of a report for a fleet: a part of its fields, each of any type, so that a field of another version costs no report."""

from __future__ import annotations

from typing import Any

import msgspec

READS_SCHEMA = 1
"""The newest number of a report's format that is read here: that of `report/document.py`."""
NOTHING: dict[str, Any] = {}


class Evidence(msgspec.Struct):
    """What proves a finding."""

    fact: str = ""
    kind: str = "fact"


class Remedy(msgspec.Struct):
    """A way to fix a finding."""

    title: str = ""
    commands: list[str] = []
    risk: str = ""


class Finding(msgspec.Struct):
    """A root cause."""

    code: str
    severity: str
    confidence: str = ""
    subject: str = ""
    summary: str = ""
    page: str = ""
    layer: str = ""
    evidence: list[Evidence] = []
    remedies: list[Remedy] = []


class Speed(msgspec.Struct):
    """A timed matmul."""

    device: str
    dtype: str
    tflops: float
    name: str | None = None
    place: str = ""


class Distribution(msgspec.Struct):
    """An installed distribution."""

    name: str = ""
    version: Any = None


class Distributions(msgspec.Struct):
    """What is installed."""

    installed: list[Distribution] | dict[str, Any] = {}
    leftovers: Any = None


class Stage(msgspec.Struct):
    """A stage of the agent."""

    name: str = ""
    outcome: str = ""


class Run(msgspec.Struct):
    """The stages."""

    stages: list[Stage] | dict[str, Any] = {}


class Loaded(msgspec.Struct):
    """A library that the loader takes."""

    name: str = ""
    how: str = ""


class Fault(msgspec.Struct):
    """A library that the loader refuses."""

    name: str = ""
    kind: str = ""


class Libraries(msgspec.Struct):
    """The shared libraries of torch."""

    prediction: Any = None
    loaded: list[Loaded] | dict[str, Any] = {}
    faults: list[Fault] | dict[str, Any] = {}
    msvc: Any = None


class Facts(msgspec.Struct):
    """The fact groups of which something is read; those without a type of their own here are plain values."""

    machine: dict[str, Any] = {}
    gpus: Any = None
    kernel: dict[str, Any] = {}
    access: dict[str, Any] = {}
    driver: dict[str, Any] = {}
    level_zero: dict[str, Any] = {}
    environment: dict[str, Any] = {}
    python: dict[str, Any] = {}
    distributions: Distributions = msgspec.field(default_factory=Distributions)
    installer: dict[str, Any] = {}
    torch: dict[str, Any] = {}
    libraries: Libraries = msgspec.field(default_factory=Libraries)
    shadows: dict[str, Any] = {}
    run: Run = msgspec.field(default_factory=Run)
    imported: dict[str, Any] = {}
    xpu: dict[str, Any] = {}
    plugins: dict[str, Any] = {}


class Tool(msgspec.Struct):
    """The doctor that wrote the report."""

    name: str = ""
    version: str = ""


class Report(msgspec.Struct):
    """A report, as far as a fleet needs it."""

    schema: int
    verdict: str
    root_causes: list[Finding]
    snapshot: Facts
    created: str = ""
    node: str | None = None
    tool: Tool = msgspec.field(default_factory=Tool)
    speeds: list[Speed] = []


class Shape(msgspec.Struct):
    """By which fields a file is told to be a report, whatever is in them."""

    schema: Any = None
    kind: Any = None
    snapshot: Any = None
    verdict: Any = None


class Envelope(msgspec.Struct):
    """A line that names a node beside its report, as collectors write them."""

    report: msgspec.Raw
    node: str | None = None
    host: str | None = None
    hostname: str | None = None
    name: str | None = None
