"""What is looked at before a step, on Windows: other processes, rights, room, and the index through a real pip."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.environments import StubEnvironment
from tests.support.fake_index import xpu_set
from tests.support.windows_bench import WindowsBench
from tests.treatment.indexes import serve

ASK = r"""
import json, os, subprocess, sys
import psutil
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.readiness import Situation, readiness

python, prefix, site, library, index, held = sys.argv[1:]
place = place_of(python, prefix, (site,))
facts = Python(version="3.13.2", os="windows", architecture="AMD64", free_threaded=False)
argv = (python, "-m", "pip", "download", "--no-cache-dir", "--retries", "1", "--dest", "wheels", "torch==2.14.0+xpu", "--index-url", index)
hold = "import ctypes, sys, time; ctypes.WinDLL(sys.argv[1]); print('ready', flush=True); time.sleep(60)"
idle = "import time; print('ready', flush=True); time.sleep(60)"
start = "import subprocess, sys; p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL); p.stdout.readline(); print(p.pid)"
pid = 0
if held:
    words = [sys.executable, "-c", start, sys.executable if held == "other" else python, "-c", hold if held != "idle" else idle, library]
    pid = int(subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout)
    holder = psutil.Process(pid)
found = readiness([Command(argv)] if index else [], Situation(place, facts, dict(os.environ), os.getcwd(), 120))
if pid:
    holder.kill()
print(json.dumps({
    "pid": pid,
    "obstacles": [[item.what, item.why] for item in found.obstacles],
    "unknown": [item.reason for item in found.unknown],
    "known": found.download.known,
    "whole": found.download.whole,
}))
"""


@pytest.fixture
def ask(windows_bench: WindowsBench, new_patient: Callable[..., StubEnvironment]) -> Callable[..., dict[str, Any]]:
    """Asks of a patient with pip what is in the way of a download."""
    patient = new_patient("full")
    patient.add_torch(libraries=())
    library = patient.site / "torch" / "lib" / "torch_xpu.dll"
    library.parent.mkdir()
    shutil.copyfile(next((windows_bench.patient.parent / "DLLs").glob("libffi*.dll")), library)
    machine = windows_bench.machine

    def asked(index: str = "", held: str = "") -> dict[str, Any]:
        places = [machine.spelled(path) for path in (patient.python, patient.folder, patient.site, library)]
        run = machine.win([windows_bench.doctor_python, "-c", ASK, *places, index, held], timeout=180)
        assert run.returncode == 0, run.stderr.decode("utf-8", "replace")[-2000:]
        return dict(json.loads(run.stdout.decode().strip().splitlines()[-1]))

    return asked


def test_what_is_in_the_way(ask: Callable[..., dict[str, Any]]) -> None:
    """Nothing is, where the index has the wheels; without them pip's own line says so."""
    wheels = xpu_set("2.14.0", "0.29.0", "2.11.0", "3.8.0")
    with serve(wheels) as indexes:
        found = ask(indexes["metadata"])
        assert found["obstacles"] == [] and found["whole"], found
        assert found["known"] == indexes.total("torch-", "triton", "intel")
        (obstacle,) = ask(indexes["denied"])["obstacles"]
        assert "refuses to answer" in obstacle[0] and "403" in obstacle[1]
        assert not indexes.wheels_fetched()


def test_somebody_at_work(ask: Callable[..., dict[str, Any]]) -> None:
    """A program that has loaded a library of torch; the environment's own interpreter without it is no obstacle."""
    assert ask()["obstacles"] == []
    for held in ("other", "own"):
        found = ask(held=held)
        (obstacle,) = found["obstacles"]
        assert obstacle[0] == "another process uses the torch of this environment"
        assert f"process {found['pid']} " in obstacle[1] and "torch_xpu.dll" in obstacle[1]
    found = ask(held="idle")
    assert found["obstacles"] == [] and any("will load torch" in reason for reason in found["unknown"])
