"""Environments with several pips and uvs, and the indexes that they ask."""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.install.kinds import clean_environment
from tests.support.environments import StubEnvironment, make_environment
from tests.support.fake_index import Wheel, package, xpu_set
from tests.treatment.indexes import Indexes, serve
from tests.treatment.worlds import working_urls, world  # noqa: F401  # fixtures
from xpu_doctor.model.facts import Python
from xpu_doctor.treatment.index_answer import Asker

ROOT = Path(__file__).parents[2]
UV = str(Path(sys.executable).with_name("uv"))
OLD = ("python3.11", "python3.10", "python3.9")
"""Interpreters that old pips still run in."""
WHEELS: tuple[Wheel, ...] = (
    *xpu_set("2.14.0", "0.29.0", "2.11.0", "3.8.0"),
    Wheel("torch", "2.15.0+xpu", {"torch/__init__.py": ""}, tag="cp39-cp39-manylinux_2_28_x86_64"),
    Wheel("torch", "2.16.0+xpu", {"torch/__init__.py": ""}, ("intel-sycl-rt==9.9.9",)),
    package("torchvision", "0.31.0+xpu", ("torch==2.14.0",)),
)
"""torch 2.15.0 has no wheel for these interpreters, 2.16.0 wants what nobody offers, and torchvision 0.31.0 another torch."""
SPECS = ("torch==2.14.0+xpu", "torchvision==0.29.0", "torchaudio==2.11.0")


@pytest.fixture(scope="session")
def indexes() -> Iterator[Indexes]:
    """The indexes of all kinds."""
    with serve(WHEELS) as served:
        yield served


@cache
def _version_of(python: str) -> str:
    code = "import sys; print('%d.%d.%d' % sys.version_info[:3])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def interpreter(python: str | Path) -> Python:
    """What the doctor knows of an interpreter."""
    return Python(
        executable=str(python), version=_version_of(str(python)), free_threaded=False, os="linux", architecture="x86_64"
    )


def installed_once(folder: Path, python: str, *packages: str) -> Path:
    """Make an environment with packages of PyPI, once a run."""
    if not folder.exists():
        environment = dict(os.environ)
        for command in (
            (UV, "venv", "--quiet", "--python", python, folder),
            (UV, "pip", "install", "--quiet", "--python", folder / "bin" / "python", *packages),
        ):
            words = [str(word) for word in command]
            done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=300, check=False)
            if done.returncode:
                shutil.rmtree(folder, ignore_errors=True)
                pytest.skip(f"{' '.join(packages)} cannot be installed: {done.stderr.strip()[-200:]}")
    return folder / "bin" / "python"


@pytest.fixture(scope="session")
def with_pip(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The interpreter of an environment with one version of pip; an empty version is the newest."""
    base = tmp_path_factory.mktemp("pips")

    def made(version: str) -> Path:
        if not version:
            return installed_once(base / "newest", sys.executable, "pip>=25.3")
        old = next((found for name in OLD if (found := shutil.which(name, path="/usr/bin:/usr/local/bin"))), "")
        if not old:
            pytest.skip("no interpreter that old pips run in")
        return installed_once(base / version, old, f"pip=={version}")

    return made


@pytest.fixture(scope="session")
def with_uv(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The program of one version of uv; an empty version is the one that the tests run with."""
    base = tmp_path_factory.mktemp("uvs")

    def made(version: str) -> str:
        return str(installed_once(base / version, sys.executable, f"uv=={version}").with_name("uv")) if version else UV

    return made


@dataclass(frozen=True)
class SomebodyElse:
    """An ordinary user's rights, an interpreter that this user may start, and an environment that everybody may read."""

    python: str
    variables: Mapping[str, str]
    environment: StubEnvironment
    user: int = 65534

    def run(self, code: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program with these rights."""
        words = [self.python, "-c", code, *map(str, arguments)]
        return subprocess.run(
            words, env=dict(self.variables), capture_output=True, text=True, check=False, user=self.user, group=self.user, extra_groups=[], cwd="/",
        )  # fmt: skip


@pytest.fixture
def as_somebody_else() -> Iterator[SomebodyElse]:
    """Only root can become somebody else."""
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    folder = Path(tempfile.mkdtemp(prefix="for-everybody-"))
    folder.chmod(0o755)
    try:
        environment = make_environment(folder / "env")
        environment.add_torch()
        variables = {
            "PYTHONPATH": os.pathsep.join((str(ROOT), *site.getsitepackages())),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for python in (sys.executable, "/usr/bin/python3"):
            somebody = SomebodyElse(python, variables, environment)
            with contextlib.suppress(OSError):
                if (
                    somebody.run("import xpu_doctor.treatment.other_users, xpu_doctor.treatment.writable").returncode
                    == 0
                ):
                    yield somebody
                    return
        pytest.skip("an ordinary user cannot read any interpreter with what the doctor needs")
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def asker(tmp_path: Path) -> Asker:
    """Somebody with an empty home, who has no settings."""
    home = tmp_path / "home"
    home.mkdir()
    environment = {**clean_environment(home), "UV_HTTP_RETRIES": "0"}
    return Asker(interpreter(sys.executable), environment, str(tmp_path), seconds=90)
