"""Real processes that hold a library of an environment's torch, and real ones that do not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.support.environments import StubEnvironment, make_environment
from tests.treatment.conftest import SomebodyElse
from xpu_doctor.treatment import other_users as module
from xpu_doctor.treatment.other_users import other_users
from xpu_doctor.treatment.place import Place, place_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")
MAP = "import mmap, sys, time\nwith open(sys.argv[1], 'rb') as f: m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\nprint('ready', flush=True)\ntime.sleep(60)"
OPEN = "import sys, time\nf = open(sys.argv[1], 'rb')\nprint('ready', flush=True)\ntime.sleep(60)"
IDLE = "import sys, time\nprint('ready', flush=True)\ntime.sleep(60)"
ORPHAN = "import subprocess, sys\nchild = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)\nchild.stdout.readline()\nprint(child.pid, flush=True)"
"""Starts a process and ends, so that it is no child of this one any more."""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> StubEnvironment:
    """An environment with a torch."""
    made = make_environment(tmp_path_factory.mktemp("users") / "my env")
    made.add_torch(libraries=("libtorch_xpu.so", "libtorch_cpu.so"))
    return made


@pytest.fixture(scope="module")
def place(environment: StubEnvironment) -> Place:
    """What of it may change."""
    found = place_of(str(environment.python), str(environment.folder), (str(environment.site),))
    assert found is not None
    return found


@contextmanager
def running(*argv: str | Path, **more: object) -> Iterator[int]:
    """A process that is not of this one's family."""
    words = [sys.executable, "-c", ORPHAN, *map(str, argv)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30, **more)  # type: ignore[call-overload]
    assert done.returncode == 0 and done.stdout.strip(), done.stderr
    pid = int(done.stdout)
    try:
        yield pid
    finally:
        for process in (*psutil.Process(pid).children(recursive=True), psutil.Process(pid)):
            process.kill()


def library(environment: StubEnvironment, name: str = "libtorch_xpu.so") -> Path:
    """A library of torch."""
    return environment.site / "torch" / "lib" / name


def test_nobody(place: Place) -> None:
    """The control."""
    assert other_users(place).found == other_users(place).idle == ()


@pytest.mark.parametrize("program", [MAP, OPEN])
def test_a_process_that_holds_a_library(environment: StubEnvironment, place: Place, program: str) -> None:
    """Mapped, the file closed again; or open: named with its process and the file."""
    with running(sys.executable, "-c", program, library(environment)) as pid:
        (user,) = other_users(place).found
        assert user.pid == pid and user.name.startswith("python") and user.how == f"holds {library(environment)}"


def test_a_library_that_is_deleted_by_now(environment: StubEnvironment, place: Place) -> None:
    """An install that replaced it does not end its use."""
    file = library(environment, "libtorch_old.so")
    file.write_bytes(b"x" * 100)
    with running(sys.executable, "-c", MAP, file) as pid:
        file.unlink()
        (user,) = other_users(place).found
        assert user.pid == pid and "libtorch_old.so" in user.how


def test_the_same_base_interpreter_is_nobody(place: Place, tmp_path: Path) -> None:
    """Another environment of the same Python, the Python itself, and a file of another torch."""
    other = make_environment(tmp_path / "my env2")
    other.add_torch(libraries=("libtorch_xpu.so",))
    base = os.path.realpath(sys.executable)
    with (
        running(base, "-c", IDLE),
        running(other.python, "-c", IDLE),
        running(sys.executable, "-c", MAP, library(other)),
    ):
        assert other_users(place).found == other_users(place).idle == ()


def test_the_interpreter_of_the_environment(environment: StubEnvironment, place: Place) -> None:
    """A prompt or a notebook of it may import torch at any moment."""
    with running(environment.python, "-c", IDLE) as pid:
        users = other_users(place)
        assert users.found == ()
        (user,) = users.idle
        assert (
            user.pid == pid
            and str(user).startswith(f"process {pid} (python")
            and user.how == f"runs {environment.python}"
        )
    with running(environment.python, "-c", MAP, library(environment)) as pid:
        users = other_users(place)
        assert [user.pid for user in users.found] == [pid] and users.idle == ()


def test_another_program_of_its_folder_is_nobody(environment: StubEnvironment, place: Place) -> None:
    """A tool that happens to lie in its bin holds nothing of torch."""
    tool = place.scripts / "sleeper"
    shutil.copy2(shutil.which("sleep") or "/bin/sleep", tool)
    words = [sys.executable, "-c", ORPHAN.replace("child.stdout.readline()\n", ""), str(tool), "60"]
    pid = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    try:
        time.sleep(0.1)
        assert other_users(place).found == other_users(place).idle == ()
    finally:
        psutil.Process(pid).kill()
        tool.unlink()


def test_own_children_and_parents_do_not_count(environment: StubEnvironment, place: Place) -> None:
    """The doctor's own examination imports torch in a child, and may itself run in the environment."""
    child = subprocess.Popen(
        [str(environment.python), "-c", MAP, str(library(environment))], stdout=subprocess.PIPE, text=True
    )
    try:
        assert child.stdout is not None
        child.stdout.readline()
        assert other_users(place).found == other_users(place).idle == ()
    finally:
        child.kill()
        child.communicate()


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="no bubblewrap")
def test_another_torch_under_the_same_path_in_a_container_is_nobody(
    environment: StubEnvironment, place: Place, tmp_path: Path
) -> None:
    """A path means another file there; the same file, shown to a container, is used all the same."""
    copy = tmp_path / "copy"
    shutil.copytree(environment.folder, copy, symlinks=True)
    box = ("bwrap", "--dev-bind", "/", "/")
    inside = (sys.executable, "-c", MAP, str(library(environment)))
    with running(*box, "--bind", str(copy), str(environment.folder), *inside):
        assert other_users(place).found == other_users(place).idle == ()
    with running(*box, "--tmpfs", "/mnt", *inside):
        assert len(other_users(place).found) == 1


def test_what_may_not_be_seen_is_unknown(as_somebody_else: SomebodyElse) -> None:
    """Another user's process shows nothing to an ordinary user, who is told so; nothing is claimed."""
    code = (
        "import sys\nfrom xpu_doctor.treatment.other_users import other_users\nfrom xpu_doctor.treatment.place import place_of\n"
        "found = other_users(place_of(*sys.argv[1:3], (sys.argv[3],)))\nprint(len(found.found), found.unseen)"
    )
    theirs = as_somebody_else.environment
    with running(sys.executable, "-c", MAP, library(theirs)):
        done = as_somebody_else.run(code, theirs.python, theirs.folder, theirs.site)
    assert done.stdout.startswith("0 ") and "of other users have loaded" in done.stdout, done.stderr


def test_by_psutil_alone(environment: StubEnvironment, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way of systems without /proc gives the same answer."""
    monkeypatch.setattr(module, "LINUX", False)
    with running(sys.executable, "-c", MAP, library(environment)) as pid:
        assert [user.pid for user in other_users(place).found] == [pid]
