"""xpu-doctor: why PyTorch does not use the Intel GPU, and what to type next.

The public names below are imported when they are first used, so that the command line starts at once.
"""

import sys

_ASKED = sys.orig_argv[1:]
if (
    "-m" in _ASKED
    and _ASKED[_ASKED.index("-m") + 1 :][:1] == ["xpu_doctor"]
    and not getattr(sys.flags, "safe_path", False)
    and not sys.flags.isolated
):
    # `python -m` puts the working folder first, and nothing of it may run: not even a __future__.py, which is why none is imported here.
    _HERE = sys.path[0]
    if __file__[: -len("xpu_doctor/__init__.py")].rstrip("/\\") != _HERE.rstrip("/\\"):
        del sys.path[0]

TYPE_CHECKING = False
"""As typing's, which is not imported here: a stray typing.py on PYTHONPATH must not be able to end the doctor."""

from xpu_doctor.model.version import __version__  # noqa: E402

if TYPE_CHECKING:
    from typing import Any

    from xpu_doctor.api import check, compare, triage, watch
    from xpu_doctor.diagnosis.diagnose import Diagnosis
    from xpu_doctor.model.codec import SnapshotError
    from xpu_doctor.model.findings import Finding
    from xpu_doctor.model.snapshot import Snapshot
    from xpu_doctor.report.comparison.document import ComparisonDocument
    from xpu_doctor.report.document import Document
    from xpu_doctor.report.fleet.document import FleetDocument
    from xpu_doctor.target.find import TargetError
    from xpu_doctor.watching.command import CommandError

__all__ = [
    "CommandError",
    "ComparisonDocument",
    "Diagnosis",
    "Document",
    "Finding",
    "FleetDocument",
    "Snapshot",
    "SnapshotError",
    "TargetError",
    "__version__",
    "check",
    "compare",
    "triage",
    "watch",
]

_HOMES = {
    "CommandError": "xpu_doctor.watching.command",
    "ComparisonDocument": "xpu_doctor.report.comparison.document",
    "FleetDocument": "xpu_doctor.report.fleet.document",
    "check": "xpu_doctor.api",
    "compare": "xpu_doctor.api",
    "triage": "xpu_doctor.api",
    "watch": "xpu_doctor.api",
    "Diagnosis": "xpu_doctor.diagnosis.diagnose",
    "Document": "xpu_doctor.report.document",
    "Finding": "xpu_doctor.model.findings",
    "Snapshot": "xpu_doctor.model.snapshot",
    "SnapshotError": "xpu_doctor.model.codec",
    "TargetError": "xpu_doctor.target.find",
}


def __getattr__(name: str) -> "Any":
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
