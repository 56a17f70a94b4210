"""The real torch for Windows: imported by a genuine Python, walked, and examined with the whole command."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.closure import real_wheels
from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench
from tests.windows.intel_runtime import install

TORCH = (
    "torch==2.13.0",
    "filelock==4.3.1",
    "fsspec==2026.9.0",
    "jinja2==3.1.6",
    "markupsafe==3.0.4",
    "mpmath==1.3.0",
    "networkx==3.7",
    "setuptools==84.2.1",
    "sympy==1.14.0",
    "typing_extensions==4.16.0",
)
"""With what it requires, but without numpy, which Wine cannot start."""
SECONDS = 480.0
"""Its import takes a minute where a machine is busy."""

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        os.environ.get("XPU_DOCTOR_HEAVY_TESTS") != "1", reason="130 MB of wheels and minutes: XPU_DOCTOR_HEAVY_TESTS=1"
    ),
]


@pytest.fixture
def patient(new_patient: Callable[..., StubEnvironment]) -> StubEnvironment:
    """A whole Python with the torch of PyPI, which is the CPU build."""
    made = new_patient("full")
    try:
        install(made, TORCH)
    except real_wheels.NotAvailable as error:
        pytest.skip(f"{TORCH[0]} for Windows cannot be fetched here: {error}")
    return made


def test_whole_report(windows_bench: WindowsBench, patient: StubEnvironment) -> None:
    run = windows_bench.doctor("check", "--json", "--python", patient.python, timeout=SECONDS)
    document = json.loads(run.stdout)
    snapshot = document["snapshot"]
    assert snapshot["imported"]["succeeded"] is True and snapshot["imported"]["version"] == "2.13.0+cpu"
    assert snapshot["libraries"]["prediction"] == "loads" and snapshot["libraries"]["faults"] == []
    assert not snapshot["failures"] and not document["crashed"]
    [torch] = [row for row in snapshot["distributions"]["installed"] if row["name"] == "torch"]
    assert torch["file_faults"] == [] or "in time" in torch["file_faults"]["reason"]  # 12,000 files on a busy machine
    assert {cause["code"] for cause in document["root_causes"]} <= {"torch-cpu-wheel", "gpu-not-present"}


@pytest.mark.parametrize(("name", "number"), [("c10.dll", 126), ("uv.dll", 126)])
def test_a_library_of_it_is_gone(windows_bench: WindowsBench, patient: StubEnvironment, name: str, number: int) -> None:
    """torch's own loading says the number, the walk has said it before, and the finding names the file."""
    lib = Path(patient.site, "torch", "lib")
    (lib / name).rename(lib / "aside.kept")
    document = json.loads(windows_bench.doctor("check", "--json", "--python", patient.python, timeout=SECONDS).stdout)
    libraries = document["snapshot"]["libraries"]
    [stage] = [row for row in document["snapshot"]["run"]["stages"] if row["name"] == "import"]
    assert stage["winerror"] == number and f"[WinError {number}]" in libraries["predicted_error"]
    broken = [cause["summary"] for cause in document["root_causes"] if cause["code"] == "torch-install-broken"]
    assert len(broken) == 1 and name in broken[0]
