"""Real installers in real environments: whatever they did or left half done, going back gives the same files and packages."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.fake_index import Wheel, package, serve, torch, xpu_set
from tests.support.trees import Picture, changes, pictured, quiet
from xpu_doctor.treatment.backup import Backup, discard, opened, take
from xpu_doctor.treatment.freeze import changed, freeze
from xpu_doctor.treatment.place import Place, place_of
from xpu_doctor.treatment.restoration import restore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="tests/windows goes back under Windows")
MOMENTS = 20
WEIGHT = {f"heavy/part{number}.py": f"number = {number}\n" * 50 for number in range(400)}
"""Enough files that an installer is busy for a while."""


def uv() -> str:
    found = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if found is None:
        pytest.skip("uv is not installed")
    return found


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    old = (torch("2.13.0+cpu"), package("helper", "1.0"), Wheel("heavy", "1.0", WEIGHT))
    new = (*xpu_set("2.13.0", "0.28.0", "2.13.0", "3.8.0"), Wheel("heavy", "2.0", WEIGHT), package("helper", "2.0"))
    with serve(tmp_path_factory.mktemp("index"), {"all": (*old, *new)}) as urls:
        yield urls["all"]


@dataclass(frozen=True)
class Patient:
    """An environment with a CPU torch, and its picture."""

    place: Place
    installer: str
    index: str

    def argv(self, *arguments: str) -> list[str]:
        python = str(self.place.python)
        if self.installer == "pip":
            return [
                python,
                "-m",
                "pip",
                "--isolated",
                "--disable-pip-version-check",
                *arguments,
                "--index-url",
                self.index,
            ]
        return [uv(), "pip", *arguments, "--python", python, "--index-url", self.index, "--no-config", "--quiet"]

    def variables(self) -> dict[str, str]:
        cache = str(self.place.prefix.parent / "cache")
        return {**os.environ, "UV_CACHE_DIR": cache, "PIP_CACHE_DIR": cache, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *arguments: str) -> None:
        done = subprocess.run(self.argv(*arguments), env=self.variables(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.argv(*arguments),
            env=self.variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def treated(self) -> tuple[str, ...]:
        again = ("--upgrade", "--force-reinstall") if self.installer == "pip" else ("--upgrade", "--reinstall")
        return ("install", *again, "torch==2.13.0+xpu", "torchvision", "heavy==2.0")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, index: str) -> dict[str, Path]:
    """One environment for each installer; tests work on copies, which find their own prefix as every environment does."""
    folders = {}
    for installer in ("pip", "uv"):
        folder = tmp_path_factory.mktemp(installer) / "env"
        seed = ["-m", "venv"] if installer == "pip" else ["-m", "venv", "--without-pip"]
        subprocess.run([sys.executable, *seed, str(folder)], check=True)
        patient_in(folder, installer, index).run("install", "torch==2.13.0+cpu", "helper==1.0", "heavy==1.0")
        folders[installer] = folder
    return folders


def patient_in(folder: Path, installer: str, index: str) -> Patient:
    site = next((folder / "lib").glob("python3*")) / "site-packages"
    place = place_of(str(folder / "bin" / "python"), str(folder), (str(site),))
    assert place is not None
    return Patient(place, installer, index)


@pytest.fixture(params=["pip", "uv"])
def patient(request: pytest.FixtureRequest, tmp_path: Path, index: str, built: dict[str, Path]) -> Patient:
    folder = tmp_path / "my größe env"
    shutil.copytree(built[request.param], folder, symlinks=True)
    return patient_in(folder, request.param, index)


def kept(patient: Patient) -> tuple[Backup, Picture]:
    before = pictured(patient.place.prefix)
    return take(patient.place, patient.place.kept / "one", quiet), before


def test_an_upgrade_is_undone(patient: Patient) -> None:
    python = str(patient.place.python)
    frozen = freeze(python, os.environ)
    backup, before = kept(patient)
    patient.run(*patient.treated())
    after = freeze(python, os.environ)
    assert {
        (old and old.version, new and new.version)
        for old, new in changed(frozen, after)
        if "torch" in (new or old).name
    } == {
        ("2.13.0+cpu", "2.13.0+xpu"),
        (None, "0.28.0+xpu"),
    }
    assert (patient.place.prefix / "lib" / "libsycl.so.9").exists()
    assert restore(opened(backup.folder, backup.seal), quiet) == ()
    assert changes(before, pictured(patient.place.prefix)) == {}
    assert freeze(python, os.environ) == frozen
    run = subprocess.run(
        [python, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, check=True
    )
    assert run.stdout == "2.13.0+cpu\n"
    assert not (patient.place.prefix / "lib" / "libsycl.so.9").exists()
    discard(backup.folder)
    patient.run("install", "helper==2.0")  # the environment goes on working


def test_an_uninstall_is_undone(patient: Patient) -> None:
    backup, before = kept(patient)
    yes = ("--yes",) if patient.installer == "pip" else ()
    argv = [
        word
        for word in patient.argv("uninstall", *yes, "torch", "helper", "heavy")
        if word not in ("--index-url", patient.index)
    ]
    subprocess.run(argv, env=patient.variables(), capture_output=True, check=True)
    assert len(changes(before, pictured(patient.place.prefix))) > 400
    assert restore(backup, quiet) == ()
    assert changes(before, pictured(patient.place.prefix)) == {}


def test_an_installer_that_is_killed_is_undone(patient: Patient) -> None:
    """At moments that are spread over its work on the files; a few of pip, which takes seconds to begin."""
    python = str(patient.place.python)
    frozen = freeze(python, os.environ)
    backup, before = kept(patient)
    began = time.monotonic()
    child = patient.start(*patient.treated())
    wait_until_it_begins(child, patient.place)
    first = time.monotonic()
    assert child.wait() == 0
    whole = time.monotonic() - first
    assert restore(backup, quiet) == ()
    moments = MOMENTS if patient.installer == "uv" else MOMENTS // 3
    pictures = []
    for moment in range(moments):
        child = patient.start(*patient.treated())
        wait_until_it_begins(child, patient.place)
        time.sleep(whole * moment / moments)
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        pictures.append(frozenset(pictured(patient.place.prefix)))
        assert restore(backup, quiet) == ()
        assert changes(before, pictured(patient.place.prefix)) == {}
        assert freeze(python, os.environ) == frozen
    assert len(set(pictures)) > moments // 3, f"the moments were all alike, {first - began:.2f} and {whole:.2f} seconds"


def wait_until_it_begins(child: subprocess.Popen[bytes], place: Place) -> None:
    """Return as soon as an installer has changed which packages there are, or has ended."""
    names = set(os.listdir(place.sites[0]))
    while child.poll() is None and set(os.listdir(place.sites[0])) == names:
        time.sleep(0.001)
