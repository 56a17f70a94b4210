"""Everything that must hold before a step, found together: real pip and uv, real disks, real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.install.kinds import clean_environment
from tests.treatment.conftest import SPECS, UV, interpreter
from tests.treatment.indexes import Indexes
from tests.treatment.test_other_users import IDLE, MAP, running
from xpu_doctor.model.commands import Command
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.readiness import Situation, in_words, obstacles, readiness

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="small disks and other processes are made by Linux's means"
)
ROOT = Path(__file__).parents[2]
IN_A_BOX = """
import dataclasses, json, sys
from pathlib import Path
from tests.treatment.test_readiness import situation, plan
from xpu_doctor.treatment.readiness import readiness
python, index, folder, home = sys.argv[1:]
found = readiness(plan(Path(python), index), situation(Path(python), Path(folder), Path(home)))
print(json.dumps([[item.what, item.why, item.way_out] for item in found.obstacles]))
"""


def plan(python: Path, index: str, *specs: str) -> tuple[Command, ...]:
    """What a remedy for a wrong torch does by pip."""
    pip = (str(python), "-m", "pip")
    wheels, wanted = "torch-xpu-wheels", specs or SPECS
    return (
        Command(
            (*pip, "download", "--no-cache-dir", "--retries", "1", "--dest", wheels, *wanted, "--index-url", index)
        ),
        Command((*pip, "uninstall", "-y", "torch")),
        Command((*pip, "install", "--no-cache-dir", "--no-index", "--find-links", wheels, *wanted)),
    )


def situation(python: Path, folder: Path, home: Path) -> Situation:
    """An environment and where its commands run."""
    prefix = python.parents[1]
    place = place_of(str(python), str(prefix), (str(next((prefix / "lib").glob("python*")) / "site-packages"),))
    assert place is not None
    return Situation(place, interpreter(python), {**clean_environment(home), "UV_HTTP_RETRIES": "0"}, str(folder), 90)


@pytest.fixture
def here(with_pip: Callable[[str], Path], tmp_path: Path) -> Situation:
    """An environment with the newest pip."""
    home = tmp_path / "home"
    home.mkdir()
    return situation(with_pip(""), tmp_path, home)


def test_all_is_well(here: Situation, indexes: Indexes, tmp_path: Path) -> None:
    """No obstacle, the whole size is known, and nothing was written."""
    told: list[str] = []
    found = readiness(plan(here.place.python, indexes["metadata"]), here, told.append)
    assert found.obstacles == () and found.download.whole and told == ["asking the package index"]
    assert found.download.known == indexes.total("torch-2.14", "torchvision-0.29", "torchaudio", "triton", "intel")
    assert [item.name for item in tmp_path.iterdir()] == ["home"]


def test_what_is_unknown_is_no_obstacle(here: Situation, indexes: Indexes) -> None:
    """Sizes that nobody tells are said to be unknown; so are those of what the wanted packages require, where nothing lists them."""
    for kind, said in (
        ("unsized", "the size of torch"),
        ("plain", "the size of what these packages require"),
    ):
        found = readiness(plan(here.place.python, indexes[kind]), here)
        assert found.obstacles == () and not found.download.whole
        assert any(said in item.reason for item in found.unknown), found.unknown


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("denied", "refuses to answer"),
        ("rubbish", "is no package index"),
        ("empty", "does not have torch==2.14.0+xpu, torchvision==0.29.0"),
        ("down", "cannot be reached"),
    ],
)
def test_an_index_of_no_use(here: Situation, indexes: Indexes, kind: str, what: str) -> None:
    """One obstacle, with the address, pip's own line and a way out."""
    index = "http://127.0.0.1:1/simple" if kind == "down" else indexes[kind]
    found = readiness(plan(here.place.python, index), here)
    (obstacle,) = found.obstacles
    assert what in obstacle.what and index in obstacle.what and obstacle.why and obstacle.way_out.endswith(".")
    assert found.download.known == 0 and "\n" not in obstacle.why


def test_uv_and_its_project(here: Situation, indexes: Indexes, tmp_path: Path, with_uv: Callable[[str], str]) -> None:
    """`uv add` is tried by `uv pip install --dry-run`, and no file of the project changes."""
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.symlink_to(with_uv(""))
    project = tmp_path / "project"
    project.mkdir()
    text = '[project]\nname = "patient"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = ["torch"]\n'
    (project / "pyproject.toml").write_text(text)
    variables = {**here.environment, "PATH": f"{program.parent}:{here.environment['PATH']}"}
    for index, there in (("json", True), ("empty", False)):
        add = ("uv", "add", "--project", str(project), "--no-cache", "--index", f"pytorch-xpu={indexes[index]}", *SPECS)
        found = readiness([Command((*add, "triton-xpu==3.8.0"))], replace(here, environment=variables))
        if there:
            assert found.obstacles == () and found.download.whole, found
        else:
            assert [indexes[index] in item.what for item in found.obstacles] == [True], found
    assert (project / "pyproject.toml").read_text() == text and len(list(project.iterdir())) == 1


def test_an_installed_requirement_need_not_be_on_the_index(here: Situation, indexes: Indexes, tmp_path: Path) -> None:
    """An install keeps what is there: an index that lacks it is no obstacle."""
    env = tmp_path / "env"
    shutil.copytree(here.place.prefix, env, symlinks=True)
    python = env / "bin" / "python"
    there = situation(python, tmp_path, tmp_path / "home")
    install = Command(
        (str(python), "-m", "pip", "install", "--no-cache-dir", "torch==2.16.0+xpu", "--index-url", indexes["metadata"])
    )
    assert len(obstacles([install], there)) == 1
    info = there.place.sites[0] / "intel_sycl_rt-9.9.9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: intel-sycl-rt\nVersion: 9.9.9\n")
    assert obstacles([install], there) == ()


def test_somebody_at_work(here: Situation, indexes: Indexes, tmp_path: Path) -> None:
    """A notebook that has torch loaded is named; ending it is the way out."""
    library = here.place.sites[0] / "torch" / "lib" / "libtorch_xpu.so"
    library.parent.mkdir(parents=True)
    try:
        library.write_bytes(b"x" * 5000)
        with running(sys.executable, "-c", MAP, library) as pid:
            (obstacle,) = readiness(plan(here.place.python, indexes["metadata"]), here).obstacles
            assert (
                obstacle.what == "another process uses the torch of this environment"
                and f"process {pid} (python" in obstacle.why
            )
            assert str(library) in obstacle.why
        with running(here.place.python, "-c", IDLE) as pid:
            found = readiness(plan(here.place.python, indexes["metadata"]), here)
            (said,) = [item.reason for item in found.unknown if "will load torch" in item.reason]
            assert found.obstacles == () and said.startswith(f"whether process {pid} (python")
    finally:
        shutil.rmtree(here.place.sites[0] / "torch")
    assert readiness(plan(here.place.python, indexes["metadata"]), here).obstacles == ()


def in_a_box(here: Situation, index: str, *mounts: str) -> list[list[str]]:
    """The obstacles where some folders are other ones."""
    if shutil.which("bwrap") is None:
        pytest.skip("no bubblewrap")
    box = ("bwrap", "--dev-bind", "/", "/", *mounts, sys.executable, "-c", IN_A_BOX)
    words = [*box, here.place.python, index, here.folder, Path(here.folder) / "home"]
    done = subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_a_full_disk_and_a_read_only_one(here: Situation, indexes: Indexes, tmp_path: Path) -> None:
    """A folder of wheels on a disk of 64 KiB, and packages that nobody may change."""
    wheels, index = tmp_path / "torch-xpu-wheels", indexes["metadata"]
    wheels.mkdir()
    assert in_a_box(here, index) == []
    (full,) = in_a_box(here, index, "--size", "4096", "--tmpfs", str(wheels))
    assert full[0] == "the disk has too little room" and str(wheels) in full[1] and "are needed" in full[1]
    site = str(here.place.sites[0])
    (refused,) = in_a_box(here, index, "--ro-bind", site, site)
    assert (
        refused[0] == "parts of this environment cannot be written to"
        and f"{site}: Read-only file system" in refused[1]
    )


def test_a_step_that_fetches_nothing(here: Situation) -> None:
    """Taking a package out asks no index and needs no room."""
    told: list[str] = []
    found = readiness([Command((str(here.place.python), "-m", "pip", "uninstall", "-y", "torch"))], here, told.append)
    assert found.obstacles == () and found.download.known == 0 and not found.unknown and told == []


def test_a_program_that_is_not_there_is_found_before_the_first_command(here: Situation) -> None:
    commands = (Command((str(here.place.python), "-c", "pass")), Command(("no-such-installer", "add", "torch")))
    [found] = obstacles(commands, here)
    assert (found.what, found.way_out) == (
        "no-such-installer is not on PATH",
        "Install no-such-installer, or add its folder to PATH.",
    )


@pytest.mark.parametrize("brings", [True, False])
def test_a_python_that_cannot_bring_pip(here: Situation, brings: bool) -> None:
    commands = (Command((str(here.place.python), "-m", "ensurepip", "--upgrade")),)
    found = obstacles(commands, replace(here, python=replace(here.python, ensurepip=brings)))
    assert [item.what for item in found] == ([] if brings else ["this Python has no ensurepip"])


def test_a_dry_run_leaves_no_lock(here: Situation, indexes: Indexes) -> None:
    """uv locks an environment by a file in it, even for a dry run; one that was there stays."""
    python, lock = str(here.place.python), here.place.prefix / ".lock"
    index = ("--default-index", indexes["metadata"])
    commands = (Command((UV, "pip", "install", "--no-cache", "--python", python, *index, *SPECS)),)
    for there in (False, True):
        lock.unlink(missing_ok=True)
        if there:
            lock.touch()
        readiness(commands, here)
        assert lock.exists() is there
    lock.unlink()


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1 kB"), (2_500_000, "2 MB"), (3_400_000_000, "3.4 GB"), (12_000_000_000_000, "12000.0 GB")],
)  # fmt: skip
def test_sizes_in_words(size: int, text: str) -> None:
    """As installers write them."""
    assert in_words(size) == text


def test_credentials_are_not_repeated(here: Situation) -> None:
    """Neither as an obstacle nor as unknown: what an address holds before its @ is not shown."""
    for python in (here.place.python, Path("/nowhere/python")):
        found = readiness(plan(python, "http://kim:secret@127.0.0.1:1/simple"), here)
        said = [*(f"{item.what} {item.why}" for item in found.obstacles), *(item.reason for item in found.unknown)]
        assert any("127.0.0.1" in line for line in said) and not any("secret" in line for line in said), said
