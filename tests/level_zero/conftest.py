"""Loaders and drivers, had once per run; a test that needs one that cannot be had is skipped with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.level_zero.parts import BASE, NEWEST, Interpreter, Missing, build_fake_driver, overlay, system_interpreter
from xpu_doctor.examination.level_zero import LevelZeroRun
from xpu_doctor.model.facts import LevelZero
from xpu_doctor.target.agent_run import Patient

Ask = Callable[..., LevelZero]


@pytest.fixture(scope="session")
def parts_folder(shared_folder: Path, worker_id: str) -> Path:
    """A folder of this worker for downloaded and compiled parts."""
    folder = shared_folder / f"level-zero-{worker_id}"
    folder.mkdir(exist_ok=True)
    return folder


def _or_skip(make: Callable[[], Interpreter]) -> Interpreter:
    try:
        return make()
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def loader_1_8(parts_folder: Path) -> Interpreter:
    """This Python with the system's own loader (1.8 on Debian 12)."""
    return _or_skip(system_interpreter)


@pytest.fixture(scope="session")
def loader_1_20(parts_folder: Path) -> Interpreter:
    """This Python under Debian 13's libraries, with its loader 1.20."""
    return _or_skip(lambda: overlay(parts_folder / "trixie", "trixie", BASE))


@pytest.fixture(scope="session")
def newest(parts_folder: Path) -> Interpreter:
    """This Python under Debian testing's libraries, with its loader and Intel's own driver."""
    return _or_skip(lambda: overlay(parts_folder / "testing", "forky", NEWEST))


@pytest.fixture(scope="session")
def fake_driver(parts_folder: Path) -> str:
    """Path of our own driver library."""
    try:
        return str(build_fake_driver(parts_folder))
    except Missing as reason:
        pytest.skip(str(reason))


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Ask Level Zero in a child of an interpreter, in a folder that may be written to."""

    def asked(interpreter: Interpreter, deadlines: Mapping[str, float] | None = None, **variables: str) -> LevelZero:
        patient = Patient(interpreter.python, interpreter.environment(**variables), str(tmp_path), deadlines or {})
        return LevelZeroRun(patient).finish()[0]

    return asked
