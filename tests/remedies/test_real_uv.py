"""The printed commands, carried out by real uv and real poetry against a loopback index."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.remedies.environments import UV, World

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="the commands are pasted into sh"),
    pytest.mark.skipif(not Path(UV).exists(), reason="uv is not installed beside this Python"),
]
PROJECT = """[project]
name = "patient"
version = "0"
requires-python = ">=3.10,<4"
dependencies = ["torch", "torchvision", "numpy"]
"""


def uv_world(world: World) -> World:
    """An environment made by uv, without pip, with a CPU torch."""
    world.venv(world.home / "env", uv=True)
    world.put("cpu", "torch==2.14.0+cpu", "torchvision", "torchaudio", "triton")
    return world


def test_cpu_wheel_becomes_xpu_wheel(world: World) -> None:
    """uv itself changes an environment that has no pip."""
    uv_world(world)
    (remedy,) = world.remedies()
    assert remedy.manager == "uv" and "pip" not in world.names()
    world.obey(remedy)
    names = world.names()
    assert names["torch"] == "2.14.0+xpu" and names["torchvision"] == "0.29.0+xpu"
    assert "triton" not in names and world.version("triton") == "triton-xpu 3.8.0"


def hostile(world: World) -> None:
    """Settings of uv that offer a CPU torch: a user's uv.toml, UV_CONFIG_FILE's kin, an extra index, a torch back end."""
    settings = world.home / ".config" / "uv"
    settings.mkdir(parents=True)
    (settings / "uv.toml").write_text(f'[[index]]\nurl = "{world.urls["cpu"]}"\n[pip]\nno-build = true\n')
    world.variables.update(UV_EXTRA_INDEX_URL=world.urls["cpu"], UV_TORCH_BACKEND="cpu")


def test_hostile_settings_fail_the_plain_command(world: World) -> None:
    """The control: uv takes the first index that has torch, and that is not the XPU one."""
    uv_world(world)
    hostile(world)
    plain = ("--default-index", world.urls["xpu"], "--python", world.python, "--reinstall")
    world.run(UV, "pip", "install", "--no-cache", *plain, "torch", check=False)
    assert world.version() != "2.14.0+xpu"


def test_hostile_settings_are_shut_out(world: World) -> None:
    """Variables are unset for the one command; the files are left out."""
    uv_world(world)
    hostile(world)
    (remedy,) = world.remedies()
    assert "UV_EXTRA_INDEX_URL" in remedy.why and "uv.toml" in remedy.why
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu"


def test_config_file_by_variable(world: World) -> None:
    """--no-config does not shut out UV_CONFIG_FILE; the command unsets it."""
    uv_world(world)
    path = world.home / "own.toml"
    path.write_text(f'[[index]]\nurl = "{world.urls["cpu"]}"\n')
    world.variables["UV_CONFIG_FILE"] = str(path)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu"


def test_project_keeps_the_xpu_build(world: World) -> None:
    """In a project of uv the index goes into pyproject.toml, and the next sync keeps the XPU build."""
    project = world.home / "my project"
    project.mkdir()
    own = f'[[tool.uv.index]]\nname = "own"\nurl = "{world.urls["cpu"]}"\ndefault = true\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    world.run(UV, "sync", "--quiet", "--no-cache", "--python", sys.executable, cwd=project)
    world.python = project / ".venv" / "bin" / "python"
    assert world.version().endswith("+cpu")
    (remedy,) = world.remedies(project)
    assert remedy.manager == "uv-project"
    world.obey(remedy)
    world.run(UV, "sync", "--no-cache", cwd=project)
    assert world.version() == "2.14.0+xpu" and world.version("triton") == "triton-xpu 3.8.0"


@pytest.fixture(scope="session")
def poetry(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real poetry: the one that XPU_DOCTOR_TEST_POETRY names, or one installed for this run."""
    given = os.environ.get("XPU_DOCTOR_TEST_POETRY", "")
    if given:
        return given
    folder = tmp_path_factory.mktemp("poetry")
    made = subprocess.run(
        [UV, "venv", "--quiet", "--seed", "--python", sys.executable, folder / "v"], capture_output=True, check=False
    )
    pip: list[str | Path] = [folder / "v" / "bin" / "python", "-m", "pip", "install", "--quiet", "poetry>=2,<3"]
    if made.returncode or subprocess.run(pip, capture_output=True, timeout=300, check=False).returncode:
        pytest.skip("poetry cannot be installed here")
    return str(folder / "v" / "bin" / "poetry")


def test_poetry_keeps_the_xpu_build(world: World, poetry: str) -> None:
    """In a project of poetry the index becomes an explicit source, and the next sync keeps the XPU build."""
    project = world.home / "project"
    project.mkdir()
    source = f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "own"\nurl = "{world.urls["cpu"]}/"\npriority = "primary"\n'
    (project / "pyproject.toml").write_text(PROJECT + source)
    world.variables.update(
        POETRY_VIRTUALENVS_IN_PROJECT="true",
        POETRY_NO_INTERACTION="1",
        PATH=f"{Path(poetry).parent}:{os.environ['PATH']}",
    )
    world.run(poetry, "install", cwd=project)
    world.python = project / ".venv" / "bin" / "python"
    assert world.version().endswith("+cpu")
    (remedy,) = world.remedies(project)
    assert remedy.manager == "poetry"
    world.obey(remedy)
    world.run(poetry, "sync", cwd=project)
    assert world.version() == "2.14.0+xpu" and world.version("triton") == "triton-xpu 3.8.0"
