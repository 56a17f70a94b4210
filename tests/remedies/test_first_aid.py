"""What is printed where no facts are known: lines that stop at the first failure, and take nothing away before the new one is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remedies.environments import World
from xpu_doctor.model.facts import Python, Shadow
from xpu_doctor.model.findings import Remedy
from xpu_doctor.rules.wheel.torch_shadowed import _remedies
from xpu_doctor.tables.first_aid import codes, first_aid
from xpu_doctor.tables.releases import STABLE

TAKES = re.compile(r"pip uninstall")
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="the commands are pasted into sh")


@pytest.mark.parametrize("system", ["", "linux", "windows"])
@pytest.mark.parametrize("code", sorted(codes()))
def test_what_takes_away_does_not_come_first(code: str, system: str) -> None:
    """A line of its own would run although the one before it failed."""
    for remedy in first_aid(code, system):
        if any(TAKES.search(line) for line in remedy.commands):
            (line,) = remedy.commands
            first = re.split(r" && |; if \(\$\?\) \{ ", line)[0]
            assert not TAKES.search(first), line
            assert ("&&" in line) is (remedy.os != "windows"), line


@on_posix
@pytest.mark.parametrize(
    "code", ["torch-cpu-wheel", "torch-cuda-wheel", "torch-rocm-wheel", "triton-xpu-missing", "ipex-mismatch"]
)
@pytest.mark.parametrize("answers", [True, False], ids=["index", "no index"])
def test_first_aid_by_real_pip(world: World, code: str, answers: bool) -> None:
    """It brings the XPU build, or leaves the torch that is there where the index does not answer."""
    world.venv(world.home / "env")
    world.put("cpu", "torch==2.14.0+cpu", "triton")
    world.variables["PIP_RETRIES"] = "0"
    (remedy,) = first_aid(code, "linux")
    index = world.urls["xpu"] if answers else "http://127.0.0.1:9/none"
    line = "\n".join(remedy.commands).replace(STABLE, index).replace("python ", f"{world.python} ")
    done = world.run("sh", "-c", line, check=False)
    assert (done.returncode == 0) is answers
    assert world.version().endswith("+cpu") or answers
    if answers and code != "ipex-mismatch":
        assert world.version().endswith("+xpu")
    if not answers:
        assert world.version("triton") == "triton 3.8.0"


def rename(path: str, python: Python, where: str = "working folder") -> Remedy:
    """What to do about a file that hides torch."""
    return _remedies(Shadow("torch", path, where=where, installed=False), python)[-1]


@on_posix
@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_rename_overwrites_nothing(tmp_path: Path, shell: str) -> None:
    """my_torch.py may be there already: both files stay, and the exit code says so; a folder of that name is not moved into."""
    mine = tmp_path / "it's $mine"
    mine.mkdir()
    (mine / "torch.py").write_text("one")
    line = "\n".join(rename(str(mine / "torch.py"), Python(os="linux")).commands)
    (mine / "my_torch.py").write_text("other")
    assert subprocess.run([shell, "-c", line], check=False).returncode != 0
    assert ((mine / "torch.py").read_text(), (mine / "my_torch.py").read_text()) == ("one", "other")
    (mine / "my_torch.py").unlink()
    (mine / "my_torch.py").mkdir()
    assert subprocess.run([shell, "-c", line], check=False).returncode != 0
    (mine / "my_torch.py").rmdir()
    assert subprocess.run([shell, "-c", line], check=False).returncode == 0
    assert (mine / "my_torch.py").read_text() == "one" and not (mine / "torch.py").exists()


def test_a_rename_by_powershell() -> None:
    """Rename-Item refuses a name that is taken; brackets in a path are no wildcards to it."""
    (line,) = rename("C:\\a [1]\\torch.py", Python(os="windows")).commands
    assert line == 'Rename-Item -LiteralPath "C:\\a [1]\\torch.py" -NewName my_torch.py'


def test_a_file_of_the_operating_system_is_not_renamed() -> None:
    """It belongs to a package of the distribution."""
    system = Python(os="linux", prefix="/venv", base_prefix="/usr", virtual_environment=True)
    found = rename("/usr/lib/python3/dist-packages/torch.py", system, "site folder")
    assert not found.commands and "the operating system" in found.title
