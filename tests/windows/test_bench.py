"""The bench itself: what it gives is Windows, and it leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.windows_bench import ROOT, WindowsBench
from tests.support.windows_machine import MARK, NATIVE, end_all, gone, marked
from xpu_doctor.model.version import __version__

WITHOUT = """import pytest
from tests.support import windows_machine
def none(): raise windows_machine.NoWindows("neither Windows nor Wine")
windows_machine.find_wine = none
windows_machine.NATIVE = False
raise SystemExit(pytest.main(["-q", "-p", "no:cacheprovider", "-rs", "tests/windows/test_bench.py::test_patients_are_apart"]))
"""
WHO = "import json, os, sys; print(json.dumps([sys.platform, sys.version_info[:2], sys.executable, sys.prefix != sys.base_prefix]))"


@pytest.mark.parametrize("kind", ["patient", "embedded", "odd", "venv"])
def test_each_python_is_one_for_windows(windows_bench: WindowsBench, kind: str) -> None:
    python: Path = getattr(windows_bench, kind)
    run = windows_bench.machine.win([python, "-X", "utf8", "-c", WHO])
    platform, version, executable, is_venv = json.loads(run.stdout)
    assert (platform, version, is_venv) == ("win32", [3, 13], kind == "venv")
    assert windows_bench.machine.here(executable).samefile(python)


def test_doctor_is_the_one_of_this_tree(windows_bench: WindowsBench) -> None:
    run = windows_bench.doctor("--version")
    assert run.stdout.decode().strip() == f"xpu-doctor, version {__version__}"
    run = windows_bench.machine.win(
        [windows_bench.doctor_python, "-c", "import xpu_doctor; print(xpu_doctor.__file__)"]
    )
    assert NATIVE or "site-packages" in run.stdout.decode()


def test_words_arrive_as_they_were_given(windows_bench: WindowsBench) -> None:
    words = ["a b", 'say "x"', "back\\", "Grüße 東京", "%PATH%", "a&b", ""]
    run = windows_bench.machine.win(
        [windows_bench.patient, "-X", "utf8", "-c", "import sys; print(ascii(sys.argv[1:]))", *words]
    )
    assert eval(run.stdout) == words


def test_deadline_ends_the_program_and_what_it_started(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """A sleeper whose child sleeps on, with the output open."""
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); time.sleep(600)"
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        windows_bench.machine.win(
            [windows_bench.patient, "-c", code], timeout=4, env={"XPU_TEST_SLEEPER": str(tmp_path)}
        )
    assert time.monotonic() - began < 20
    assert not marked(str(tmp_path), "XPU_TEST_SLEEPER")


def test_what_a_program_started_is_found(windows_bench: WindowsBench) -> None:
    code = "import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']); print('x', flush=True); time.sleep(60)"
    with windows_bench.machine.start([windows_bench.patient, "-c", code], env={"XPU_TEST_STARTED": "two"}) as process:
        assert process.stdout
        process.stdout.readline()
        found = marked("two", "XPU_TEST_STARTED")
        end_all(found)
        process.kill()
    assert len(found) >= 2
    assert gone(found, seconds=5)


def test_nothing_of_the_developer_reaches_a_program(
    windows_bench: WindowsBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIP_INDEX_URL", "PYTHONPATH", "VIRTUAL_ENV", "XPU_DOCTOR_DEBUG"):
        monkeypatch.setenv(name, "of-the-developer")
    run = windows_bench.machine.win([windows_bench.patient, "-c", "import os; print(sorted(os.environ))"])
    seen = set(eval(run.stdout))
    assert not seen & {"PIP_INDEX_URL", "PYTHONPATH", "VIRTUAL_ENV", "XPU_DOCTOR_DEBUG"}
    assert MARK in seen


def test_patients_are_apart(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """What a test puts into its patient is not in another one, nor in the template."""
    for kind in ("venv", "full", "embedded"):
        patient = windows_bench.new_patient(tmp_path / kind, kind)
        patient.add("thing", "1.0", {"thing.py": f"kind = {kind!r}\n"})
        run = windows_bench.machine.win([patient.python, "-c", "import thing; print(thing.kind)"])
        assert run.stdout.decode().strip() == kind, run.stderr
    run = windows_bench.machine.win([windows_bench.patient, "-c", "import thing"])
    assert run.returncode == 1


@pytest.mark.parametrize(("needed", "code", "says"), [("", 0, "1 skipped"), ("windows", 1, "1 error")])
def test_without_windows_the_reason_is_said(tmp_path: Path, needed: str, code: int, says: str) -> None:
    """Skipped, or an error where it is needed."""
    env = {**os.environ, "XPU_DOCTOR_TEST_NEEDS": needed, "PYTEST_DEBUG_TEMPROOT": str(tmp_path)}
    env.pop("XPU_DOCTOR_TEST_WINDOWS", None)
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == code, run.stdout + run.stderr
    assert says in run.stdout and "no bench for Windows: neither Windows nor Wine" in run.stdout
