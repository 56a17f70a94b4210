"""`xpu-doctor fix` from the outside: real environments, real pip and uv, an index on loopback."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.remedies.environments import World
from tests.support.fake_gpu import write_gpu
from xpu_doctor.treatment.place import KEPT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("bwrap") is None, reason="bubblewrap shows the doctor a GPU on the PCI bus"
)
LAYOUTS = [
    pytest.param(False, "Umgebung für Bilder & mehr", id="pip awkward"),
    pytest.param(True, "env", id="uv"),
]


def doctor(world: World, *arguments: str, channel: str = "xpu") -> subprocess.CompletedProcess[str]:
    """Run the doctor on the environment of a world."""
    return world.run(*command(world, *arguments, channel=channel), check=False)


def command(world: World, *arguments: str, channel: str = "xpu") -> tuple[str, ...]:
    """The doctor's command line, on a machine that has an Arc B580."""
    elsewhere = {"--undo", "--history", "--forget"} & set(arguments)
    where = () if elsewhere or not channel else ("--index-url", world.urls[channel])
    python = () if "--history" in arguments else ("--python", str(world.python))
    return (*with_gpu(world), sys.executable, "-m", "xpu_doctor", "fix", *python, *where, *arguments)


def with_gpu(world: World) -> tuple[str, ...]:
    """What shows a program a GPU on the PCI bus, and else the machine as it is."""
    bus = world.home.parent / "pci"
    write_gpu(bus)
    return ("bwrap", "--dev-bind", "/", "/", "--ro-bind", str(bus), "/sys/bus/pci/devices", "--")


def content(folder: Path) -> dict[str, str]:
    """Every file below a folder with its SHA-256, and every link with its target; not the kept way back, and no compiled code."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name.split("/")[0] == KEPT or "__pycache__" in name:
            continue
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def cpu_environment(world: World, folder: Path, uv: bool = False) -> Path:
    """An environment with the CPU build of torch."""
    world.venv(folder, uv=uv)
    world.put("cpu", "torch==2.14.0+cpu", "torchvision", "torchaudio", "numpy")
    return folder


@pytest.mark.parametrize(("uv", "name"), LAYOUTS)
def test_planned_applied_verified_and_undone(world: World, tmp_path: Path, uv: bool, name: str) -> None:
    folder = cpu_environment(world, tmp_path / name, uv)
    before, outside = content(folder), content(tmp_path / "home")
    planned = doctor(world)
    assert planned.returncode == 1 and "[torch-cpu-wheel] (done by --apply)" in planned.stdout
    assert "delete that folder" not in " ".join(planned.stdout.split()), "a step of --apply has its own folder"
    assert content(folder) == before, "a plan changes nothing"
    assert f"--apply --index-url {world.urls['xpu']}" in planned.stderr, "the line to type does what was shown"

    applied = doctor(world, "--apply", "--yes")
    assert "fixed    [torch-cpu-wheel]" in applied.stdout, applied.stdout + applied.stderr
    assert world.names()["torch"] == "2.14.0+xpu" and world.names()["numpy"] == "2.0"
    assert content(folder) != before

    again = doctor(world, "--apply", "--yes")
    assert "Step 1" not in again.stderr, again.stdout

    undone = doctor(world, "--undo")
    assert undone.returncode == 0 and "is as it was" in " ".join(undone.stdout.split()), undone.stdout + undone.stderr
    assert content(folder) == before
    changed = {path for path in content(tmp_path / "home") if path not in outside}
    made = {path.split("/")[0] for path in changed}
    assert made <= {"state", ".rustup"}, "pip asks rustc for its version, and rustup makes its folder then"
    assert not (folder / KEPT).exists()
    assert doctor(world, "--undo").returncode == 2


def test_nothing_happens_without_a_yes(world: World, tmp_path: Path) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before = content(folder)
    refused = doctor(world, "--apply")
    assert refused.returncode == 2 and "add --yes" in refused.stderr and "Usage" not in refused.stderr
    assert content(folder) == before and not (folder / KEPT).exists()


def test_an_index_without_the_wheels_changes_nothing(world: World, tmp_path: Path) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before = content(folder)
    planned = doctor(world, channel="empty")
    assert "out of the way" in planned.stderr and "This does the steps" not in planned.stderr
    failed = doctor(world, "--apply", "--yes", channel="empty")
    assert failed.returncode == 1
    data = doctor(world, "--apply", "--yes", "--json", channel="empty")
    assert data.returncode == 1 and "Not ready" in data.stderr
    (step,) = [step for step in json.loads(data.stdout)["plan"] if step["code"] == "torch-cpu-wheel"]
    assert "does not have" in step["readiness"]["obstacles"][0]
    assert content(folder) == before


def test_the_plan_and_the_history_are_data(world: World, tmp_path: Path) -> None:
    cpu_environment(world, tmp_path / "env")
    steps = {step["code"]: step for step in json.loads(doctor(world, "--json").stdout)["plan"]}
    step = steps["torch-cpu-wheel"]
    assert step["obstacle"] == "" and step["remedy"]["risk"] == "reinstall"
    assert step["readiness"]["obstacles"] == [] and step["readiness"]["download_bytes"] > 1000
    assert steps["kernel-driver-unbound"]["readiness"] is None
    assert "administrator" in steps["kernel-driver-unbound"]["obstacle"]
    applied = doctor(world, "--apply", "--yes", "--json")
    assert [step for step in json.loads(applied.stdout)["plan"] if not step["obstacle"]] == []
    [row] = json.loads(doctor(world, "--history", "--json").stdout)
    assert (row["state"], row["way_back"]) == ("done", True)
    kept = tmp_path / "env" / KEPT
    refused = doctor(world, "--forget")
    assert refused.returncode == 2 and "only way back" in refused.stderr and "add --yes" in refused.stderr
    assert kept.exists(), "without a yes it stays"
    assert json.loads(doctor(world, "--forget", "--yes", "--json").stdout) == {"forgotten": [row["id"]]}
    assert "done" in doctor(world, "--history").stdout and not kept.exists()
    ours, others = (
        world.run(sys.executable, "-m", "xpu_doctor", "fix", "--history", "--python", python, check=False).stdout
        for python in (str(world.python), sys.executable)
    )
    assert row["id"] in ours and time.strftime("%Y-%m-%d") in ours
    assert row["id"] not in others


def test_a_system_interpreter_is_left_alone(world: World) -> None:
    """The plan makes an environment of one's own there, which is for people to do."""
    world.python = Path("/usr/bin/python3")
    if not world.python.exists():
        pytest.skip("there is no interpreter of the operating system")
    planned = doctor(world)
    assert "for you to do" in planned.stdout and "done by --apply" not in planned.stdout


@pytest.mark.parametrize("moment", [0.5, pytest.param(1.5, marks=pytest.mark.heavy)])
def test_a_doctor_that_is_killed_leaves_a_way_back(world: World, tmp_path: Path, moment: float) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before, names = content(folder), world.names()
    kill_in_the_middle(world, moment)
    undone = doctor(world, "--undo")
    assert undone.returncode in (0, 2), undone.stderr
    assert content(folder) == before and world.names() == names


def kill_in_the_middle(world: World, moment: float) -> None:
    """Start `fix --apply` and end it that many seconds after the way back was begun."""
    with subprocess.Popen(
        command(world, "--apply", "--yes"),
        env=world.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("Keeping"):
                break
        time.sleep(moment)
        [inside] = psutil.Process(process.pid).children()
        inside.kill()


def test_one_that_was_interrupted_is_told_and_can_be_gone_on_with(world: World, tmp_path: Path) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before = content(folder)
    kill_in_the_middle(world, 0.8)
    told = doctor(world)
    if "interrupted" not in told.stderr:
        pytest.skip("the installer had not begun, or was done already")
    assert doctor(world, "--apply", "--yes").returncode == 1
    went_on = doctor(world, "--apply", "--yes", "--continue")
    assert world.names()["torch"] == "2.14.0+xpu", went_on.stdout + went_on.stderr
    assert doctor(world, "--undo").returncode == 0 and content(folder) == before


def answered(world: World, answer: str, *arguments: str) -> tuple[int, str]:
    """Run the doctor at a terminal and answer its question; return its exit code and all that it printed."""
    import pty

    ours, theirs = pty.openpty()
    try:
        os.write(ours, answer.encode() + b"\n")
        ended = subprocess.run(
            command(world, *arguments), env=world.environment, stdin=theirs, capture_output=True, text=True, check=False
        )
    finally:
        os.close(ours)
        os.close(theirs)
    return ended.returncode, ended.stdout + ended.stderr


def test_a_no_is_an_answer_and_no_wrong_command_line(world: World, tmp_path: Path) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before = content(folder)
    code, said = answered(world, "n", "--apply")
    assert code == 1 and "Nothing was changed." in said and "Error" not in said
    assert content(folder) == before
    assert doctor(world, "--apply", "--yes").returncode in (0, 1)
    code, said = answered(world, "n", "--forget")
    assert code == 1 and "Nothing was changed." in said and (folder / KEPT).exists()
    undone = doctor(world, "--undo", "--json")
    assert json.loads(undone.stdout)["undone"] is True and json.loads(undone.stdout)["differences"] == []
    assert content(folder) == before


@pytest.mark.parametrize("options", [("--yes",), ("--yes", "--history"), ("--yes", "--download", "wheels")])
def test_a_yes_to_nothing_is_refused(world: World, tmp_path: Path, options: tuple[str, ...]) -> None:
    refused = world.run(sys.executable, "-m", "xpu_doctor", "fix", *options, check=False)
    assert refused.returncode == 2 and "add one of them" in refused.stderr


def test_undo_asks_before_it_takes_back_what_came_later(world: World, tmp_path: Path) -> None:
    folder = cpu_environment(world, tmp_path / "env")
    before = content(folder)
    assert "fixed" in doctor(world, "--apply", "--yes").stdout
    world.put("cpu", "numpy==2.0", "triton")
    refused = doctor(world, "--undo")
    assert refused.returncode == 2 and "add --yes" in refused.stderr and "triton 3.8.0 (new)" in refused.stderr
    assert world.names()["torch"] == "2.14.0+xpu"
    assert doctor(world, "--undo", "--yes").returncode == 0 and content(folder) == before
