"""Steps run one after the other in real processes, and stop at the first failure."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Remedy
from xpu_doctor.treatment.apply import carry_out
from xpu_doctor.treatment.plan import Step

HERE = {"PATH": os.environ["PATH"], "LEFT_OUT": "1"}


def python(code: str, **changes: object) -> Command:
    return Command((sys.executable, "-c", code), **changes)  # type: ignore[arg-type]


def step(*commands: Command) -> Step:
    return Step("torch-cpu-wheel", "torch", Remedy("title", "why", steps=commands))


def test_commands_run_in_order_with_their_variables(tmp_path: Path) -> None:
    said: list[bytes] = []
    begun: list[int] = []
    code = "import os; print(os.environ.get('LEFT_OUT'), os.environ.get('GIVEN'), os.getcwd())"
    commands = (python("print('first')"), python(code, unset=("LEFT_OUT",), variables={"GIVEN": "2"}))
    outcome = carry_out(step(*commands), HERE, tmp_path, said.append, begun.append)
    assert outcome.succeeded and outcome.done == 2 and begun == [0, 1]
    assert b"".join(said).decode().split() == ["first", "None", "2", os.path.realpath(tmp_path)]


def test_the_first_failure_ends_the_step(tmp_path: Path) -> None:
    commands = (python("print('no such wheel'); raise SystemExit(3)"), python("open('late', 'w')"))
    outcome = carry_out(step(*commands), HERE, tmp_path, lambda data: None)
    assert (outcome.done, outcome.reason) == (0, "exit code 3")
    assert "no such wheel" in outcome.output and not (tmp_path / "late").exists()


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    outcome = carry_out(step(Command(("no-such-installer", "add"))), HERE, tmp_path, lambda data: None)
    assert outcome.reason == "no-such-installer cannot be found or started"


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
def test_a_signal_is_named(tmp_path: Path) -> None:
    outcome = carry_out(step(python("import os; os.kill(os.getpid(), 15)")), HERE, tmp_path, lambda data: None)
    assert outcome.reason == "SIGTERM"


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux's kernel")
def test_an_installer_ends_with_a_doctor_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, sys; from xpu_doctor.treatment.apply import carry_out; from tests.treatment.test_apply import python, step\n"
        "carry_out(step(python('import os, time; print(os.getpid(), flush=True); time.sleep(60)')), dict(os.environ), pathlib.Path('.'), "
        "lambda data: os.write(1, data))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    ) as doctor:
        assert doctor.stdout is not None
        installer = int(doctor.stdout.readline())
        os.kill(doctor.pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while _runs(installer) and time.monotonic() < until:
        time.sleep(0.02)
    assert not _runs(installer)


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
