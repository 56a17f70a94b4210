"""Everything that a plug-in needs: the only module of xpu-doctor that a plug-in should import.

The names listed in `__all__` are stable; every other module may move or change between releases. `docs/reference/plugin-api.md`
describes them, and `docs/how-to/write-a-plugin.md` shows how they fit together.
"""

from __future__ import annotations

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.host.interface import Completed, FileStatus, Host
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.facts import (
    Access,
    Compute,
    Distributions,
    Driver,
    Environment,
    Errors,
    Gpu,
    Import,
    Installer,
    Kernel,
    LevelZero,
    Libraries,
    Machine,
    Pasted,
    Python,
    Run,
    Shadows,
    Target,
    Torch,
    Xpu,
)
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Risk, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.probes.runner import Probe, probe
from xpu_doctor.testing import RuleCrashed, judge_one

__all__ = [
    "Access",
    "Completed",
    "Compute",
    "Confidence",
    "Distributions",
    "Driver",
    "Environment",
    "Errors",
    "Evidence",
    "FileStatus",
    "Finding",
    "Gpu",
    "Host",
    "Import",
    "Installer",
    "Kernel",
    "Layer",
    "LevelZero",
    "Libraries",
    "Machine",
    "Maybe",
    "Pasted",
    "Probe",
    "Python",
    "RecordedHost",
    "Remedy",
    "Risk",
    "Rule",
    "RuleCrashed",
    "Run",
    "Severity",
    "Shadows",
    "Snapshot",
    "Target",
    "Torch",
    "Undecided",
    "Unknown",
    "Xpu",
    "judge_one",
    "known",
    "known_or",
    "probe",
]
