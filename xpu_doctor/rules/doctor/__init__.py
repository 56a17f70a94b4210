"""Rules of the doctor layer, in the order in which they are judged."""

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.rules.doctor.plugin_failed import PluginFailed
from xpu_doctor.rules.doctor.probe_failed import ProbeFailed
from xpu_doctor.rules.doctor.snapshot_too_new import SnapshotTooNew
from xpu_doctor.rules.doctor.transcript_tampered import TranscriptTampered

RULES: tuple[type[Rule], ...] = (
    PluginFailed,
    ProbeFailed,
    SnapshotTooNew,
    TranscriptTampered,
)
