"""The public functions, for programs that do not want a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

import xpu_doctor
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from xpu_doctor.rules.wheel.torch_not_installed import TorchNotInstalled
from xpu_doctor.testing import judge_one


def test_check(stub: StubEnvironment) -> None:
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    report = xpu_doctor.check(str(stub.python), only=["wheel"])
    assert report.root_causes[0].code == "torch-cpu-wheel"


def test_triage() -> None:
    diagnosis = xpu_doctor.triage("AssertionError: Torch not compiled with XPU enabled\n2.9.1+cpu\n")
    assert diagnosis.root_causes[0].code == "torch-cpu-wheel"


def test_judge_one() -> None:
    assert judge_one(TorchNotInstalled(), {"torch": {"installed": True}})[0] == "clear"
    assert judge_one(TorchNotInstalled(), {})[0] == "undecided"


def test_the_package_imports_nothing_by_itself() -> None:
    script = "import sys, xpu_doctor; print([name for name in ('msgspec', 'click', 'psutil', 'torch') if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
        == "[]"
    )


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError):
        xpu_doctor.nonsense  # noqa: B018
