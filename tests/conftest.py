"""Fixtures that several rooms of the suite share: a venv with a real torch, and stub environments."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support import one_file as carried
from tests.support.environments import StubEnvironment, make_environment
from tests.support.windows_machine import locked

ROOT = Path(__file__).parents[1]
TORCH = "torch==2.13.0"
BUILD_SECONDS = 900

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
settings.register_profile("fixed", settings.get_profile("default"), derandomize=True)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("default" if "XPU_DOCTOR_FUZZ_EXAMPLES" in os.environ else "fixed")
)
"""The suite tries the same examples in every run; XPU_DOCTOR_FUZZ_EXAMPLES or HYPOTHESIS_PROFILE=default looks for new ones."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the flag that writes golden reports anew."""
    parser.addoption(
        "--update-golden", action="store_true", help="write the golden reports anew instead of comparing them"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what is marked as heavy, unless it is asked for."""
    if os.environ.get("XPU_DOCTOR_HEAVY_TESTS") == "1":
        return
    for item in items:
        if item.get_closest_marker("heavy"):
            item.add_marker(pytest.mark.skip(reason="heavy: XPU_DOCTOR_HEAVY_TESTS=1"))


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder that all workers of one run share."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "shared"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def worker_id(request: pytest.FixtureRequest) -> str:
    """`master`, or the name of this pytest-xdist worker."""
    return getattr(request.config, "workerinput", {}).get("workerid", "master")


@pytest.fixture(scope="session")
def one_file(shared_folder: Path) -> Path:
    """`xpu-doctor.pyz`, built once for all workers."""
    folder = shared_folder / "one-file"
    folder.mkdir(exist_ok=True)
    file, failed = folder / "xpu-doctor.pyz", folder / "failed.txt"
    with locked(shared_folder / "one-file.lock"):
        if not file.exists() and not failed.exists():
            run = carried.build(folder, folder / "wheels")
            if run.returncode:
                failed.write_text((run.stderr.strip().splitlines() or ["no message"])[-1], encoding="utf-8")
    if failed.exists():
        reason = failed.read_text(encoding="utf-8")
        if "cannot be had" not in reason:
            pytest.fail(f"tools/build_pyz.py failed: {reason}")
        pytest.skip(reason)
    return file


@pytest.fixture(scope="session")
def torch_env(shared_folder: Path) -> Path:
    """The folder of a venv that holds a real torch, built once per run; XPU_DOCTOR_TEST_TORCH names one that exists already."""
    given = os.environ.get("XPU_DOCTOR_TEST_TORCH")
    if given:
        return Path(given)
    folder, done, lock = shared_folder / "torch", shared_folder / "torch.done", shared_folder / "torch.lock"
    try:
        lock.mkdir()
    except FileExistsError:
        deadline = time.monotonic() + BUILD_SECONDS
        while not done.exists() and time.monotonic() < deadline:
            time.sleep(0.5)
    else:
        done.write_text(_install_torch(folder), encoding="utf-8")
    failure = done.read_text(encoding="utf-8") if done.exists() else "another worker did not finish the install"
    if failure:
        pytest.skip(f"{TORCH} cannot be installed here: {failure}")
    return folder


def _install_torch(folder: Path) -> str:
    """Make a venv with a real torch; return why it failed, or empty."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    run = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--no-input", TORCH],
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    return "" if run.returncode == 0 else (run.stderr.strip().splitlines() or ["pip failed"])[-1]


@pytest.fixture
def stub(tmp_path: Path) -> StubEnvironment:
    """A new environment without packages, into which a test puts a torch of its own making."""
    return make_environment(tmp_path / "env")
