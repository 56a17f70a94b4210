"""The bench of this room: genuine Pythons for Windows, on Windows itself or under Wine, made once for all workers of a run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench, build_bench
from tests.support.windows_machine import NATIVE, NoWindows, locked

KEPT = "XPU_DOCTOR_TEST_WINDOWS"
"""The variable that names a folder where the bench stays from one run to the next."""

NEEDED = "XPU_DOCTOR_TEST_NEEDS"
"""`windows` in it makes a bench that cannot be had a failure: what is to be tested on Windows must not be skipped there unseen."""


@pytest.fixture(scope="session")
def windows_bench(shared_folder: Path, worker_id: str) -> Iterator[WindowsBench]:
    """The bench; Wine's server ends with the last worker that has used it."""
    kept = os.environ.get(KEPT)
    folder = Path(kept).absolute() if kept else shared_folder / "windows"
    folder.mkdir(parents=True, exist_ok=True)
    failed, users = folder / "failed.txt", shared_folder / "windows-users"
    lock = (folder if kept else shared_folder) / "windows.lock"
    users.mkdir(exist_ok=True)
    if kept and worker_id == "master":
        failed.unlink(missing_ok=True)
    with locked(lock):
        if failed.exists() and not kept:
            _without(failed.read_text(encoding="utf-8"))
        try:
            bench = build_bench(folder)
        except NoWindows as error:
            failed.write_text(str(error), encoding="utf-8")
            _without(str(error))
        (users / worker_id).touch()
    try:
        yield bench
    finally:
        with locked(lock):
            (users / worker_id).unlink()
            last = not any(users.iterdir())
            if last:
                bench.machine.end()
        if last and not kept:
            shutil.rmtree(folder, ignore_errors=True)  # 900 MB, of which pytest would keep three


def _without(reason: str) -> NoReturn:
    """Skip with the reason, or fail with it where the bench is needed."""
    (pytest.fail if "windows" in os.environ.get(NEEDED, "") else pytest.skip)(f"no bench for Windows: {reason}")


@pytest.fixture
def new_patient(windows_bench: WindowsBench, tmp_path: Path) -> Callable[..., StubEnvironment]:
    """Makes patients of this test's own: `new_patient("venv" | "full" | "embedded", name)`."""

    def make(kind: str = "venv", name: str = "patient") -> StubEnvironment:
        return windows_bench.new_patient(tmp_path / name, kind)

    return make


@pytest.fixture
def only_wine() -> None:
    """Skips a test of the bench's own Wine on a real Windows."""
    if NATIVE:
        pytest.skip("this is Windows itself")
