"""Everything that a plug-in needs: the only module of xpu-doctor that a plug-in should import.

The names listed in `__all__` are stable; every other module may move or change between releases. `docs/reference/plugin-api.md`
describes them, and `docs/how-to/write-a-plugin.md` shows how they fit together.
"""

from __future__ import annotations

# Probes, and the machine that they ask.
from xpu_doctor.host.interface import Completed, FileStatus, Host
from xpu_doctor.probes.runner import Probe, probe

# isort: split
# Rules, and what they say.
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding, Layer, Remedy, Risk, Severity, Shell

# isort: split
# Facts: the groups that a rule takes, the rows in them, and what is not known. A type of fact that is added below is stable, too.
import xpu_doctor.model.facts as _facts
from xpu_doctor.model.facts import *  # noqa: F403
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot, Source
from xpu_doctor.model.terms import Origin, StageOutcome, TorchBuild
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Undecided, Unknown, denied, holds, known, known_or

# isort: split
# Tests.
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.testing import RuleCrashed, judge_one

__all__ = [
    "NOT_EXAMINED",
    "Command",
    "Completed",
    "Confidence",
    "Evidence",
    "EvidenceKind",
    "FileStatus",
    "Finding",
    "Hardware",
    "Host",
    "Installation",
    "Layer",
    "Maybe",
    "Origin",
    "Probe",
    "ProbeFailure",
    "RecordedHost",
    "Remedy",
    "Risk",
    "Rule",
    "RuleCrashed",
    "Severity",
    "Shell",
    "Snapshot",
    "Source",
    "StageOutcome",
    "TorchBuild",
    "Undecided",
    "Unknown",
    "denied",
    "holds",
    "judge_one",
    "known",
    "known_or",
    "probe",
]
__all__ += _facts.__all__
