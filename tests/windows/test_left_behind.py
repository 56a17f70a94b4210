"""What torch starts while the doctor asks the Unified Runtime ends with the examination, and with the doctor."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import end_all, gone, marked

SECONDS = 60.0
MARK = "XPU_TEST_LINGERING"
COUNT = """import os, subprocess, sys, time
def _is_compiled(): return True
def is_available(): return False
def device_count():
    if "UR_LOG_LOADER" in os.environ:  # the run that asks the loader for its log
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], creationflags=0x208)
        open(sys.prefix + "/started.txt", "w").close()
        time.sleep({seconds})
    return 0
"""
"""0x208: without a console, and in a process group of its own."""


def lingering(patient: StubEnvironment, seconds: int) -> StubEnvironment:
    """Give a patient a torch that leaves a process behind, and then takes its time."""
    files = {
        "torch/__init__.py": "from torch.version import __version__\nfrom torch import xpu\n",
        "torch/version.py": "__version__ = '2.13.0+xpu'\nxpu = '20260000'\ncuda = None\nhip = None\n",
        "torch/xpu.py": COUNT.format(seconds=seconds),
    }
    patient.add("torch", "2.13.0+xpu", files)
    return patient


def test_ends_with_the_examination(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], tmp_path: Path
) -> None:
    patient = lingering(new_patient(), 0)
    windows_bench.doctor("check", "--json", "--python", patient.python, env={MARK: str(tmp_path)})
    assert (patient.folder / "started.txt").exists()
    assert gone(marked(str(tmp_path), MARK), 5)


def test_ends_with_the_doctor_that_is_killed(
    windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment], tmp_path: Path
) -> None:
    patient = lingering(new_patient(), 600)
    command = [windows_bench.doctor_python, "-m", "xpu_doctor", "check", "--json", "--python", patient.python]
    doctor = windows_bench.machine.start(command, env={MARK: str(tmp_path)})
    try:
        until = time.monotonic() + SECONDS
        while not (patient.folder / "started.txt").exists() and time.monotonic() < until:
            time.sleep(0.1)
        started: list[psutil.Process] = marked(str(tmp_path), MARK)
        assert len(started) >= 3, "the doctor, torch, and what torch has started"
        doctor.kill()
        assert gone(started, 10)
    finally:
        doctor.kill()
        doctor.communicate(timeout=20)
        end_all(marked(str(tmp_path), MARK))
