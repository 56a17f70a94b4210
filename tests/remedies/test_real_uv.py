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


MEMBERS = {"app": '"torch", "numpy"', "lib": '"numpy"'}


def workspace(world: World, root: str) -> Path:
    """A workspace of uv with a CPU torch, which one member requires."""
    folder = world.home / "my workspace"
    for name, needs in MEMBERS.items():
        (folder / "packages" / name).mkdir(parents=True)
        table = f'[project]\nname = "{name}"\nversion = "0"\nrequires-python = ">=3.10"\ndependencies = [{needs}]\n'
        (folder / "packages" / name / "pyproject.toml").write_text(f"{table}[tool.uv]\npackage = false\n")
    own = f'[[tool.uv.index]]\nname = "own"\nurl = "{world.urls["cpu"]}"\ndefault = true\n'
    (folder / "pyproject.toml").write_text(f'{root}[tool.uv.workspace]\nmembers = ["packages/*"]\n{own}')
    world.run(UV, "sync", "--all-packages", "--quiet", "--no-cache", "--python", sys.executable, cwd=folder)
    world.python = folder / ".venv" / "bin" / "python"
    assert world.version().endswith("+cpu")
    return folder


ROOTS = {
    "virtual": "",
    "real": '[project]\nname = "root"\nversion = "0"\nrequires-python = ">=3.10"\n[tool.uv]\npackage = false\n',
}


@pytest.mark.parametrize("root", ROOTS)
def test_workspace(world: World, root: str) -> None:
    """The member that requires torch gets the index, and the next sync of all members keeps the XPU build."""
    folder = workspace(world, ROOTS[root])
    world.put("cpu", "triton")
    world.variables["UV_DEFAULT_INDEX"] = world.urls["cpu"]
    (remedy,) = world.remedies(folder)
    assert remedy.manager == "uv-project" and "--package app" in remedy.commands[0] and "UV_DEFAULT_INDEX" in remedy.why
    world.obey(remedy)
    world.run(UV, "sync", "--all-packages", "--no-cache", cwd=folder)
    assert world.version() == "2.14.1+xpu" and world.version("numpy") != ""


@pytest.mark.parametrize("root", ROOTS)
def test_workspace_keeps_torch_where_the_index_does_not_answer(world: World, root: str) -> None:
    """No step takes anything away before `uv add` has succeeded."""
    folder = workspace(world, ROOTS[root])
    world.put("cpu", "triton")
    world.urls = {**world.urls, "xpu": "http://127.0.0.1:9/none"}
    (remedy,) = world.remedies(folder)
    assert "uninstall" in remedy.commands[0]
    done = world.run("sh", "-c", "\n".join(remedy.commands), check=False)
    assert done.returncode != 0 and world.version().endswith("+cpu") and world.version("triton") == "triton 3.8.0"
    assert "pytorch-xpu" not in (folder / "pyproject.toml").read_text()


def site_of(world: World) -> Path:
    """The site-packages of the environment."""
    return next((world.home / "env" / "lib").glob("python*/site-packages"))


def test_lost_record(world: World) -> None:
    """uv cannot uninstall what has no RECORD: the folders go once a trial has shown that the new ones can be had."""
    uv_world(world)
    next(site_of(world).glob("torch-2*.dist-info/RECORD")).unlink()
    (remedy,) = world.remedies(broken=True)
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu" and len(list(site_of(world).glob("torch-*.dist-info"))) == 1


def test_doubled_registration(world: World) -> None:
    """Two dist-info folders of torch, one of which has nothing but itself."""
    uv_world(world)
    second = site_of(world) / "torch-2.13.0+cpu.dist-info"
    second.mkdir()
    files = {"METADATA": "Metadata-Version: 2.1\nName: torch\nVersion: 2.13.0+cpu\n", "INSTALLER": "uv\n"}
    files["RECORD"] = "".join(f"{second.name}/{name},,\n" for name in (*files, "RECORD"))
    for name, text in files.items():
        (second / name).write_text(text)
    (remedy,) = world.remedies()
    world.obey(remedy)
    assert [path.name for path in site_of(world).glob("torch-*.dist-info")] == ["torch-2.14.0+xpu.dist-info"]
    assert world.version() == "2.14.0+xpu"


def test_environment_of_another_name(world: World) -> None:
    """Beside the lock file, and not where uv looks: no second environment is made."""
    project = world.home / "project"
    project.mkdir()
    own = f'[[tool.uv.index]]\nname = "own"\nurl = "{world.urls["cpu"]}"\ndefault = true\n'
    (project / "pyproject.toml").write_text(PROJECT + own)
    world.variables["UV_PROJECT_ENVIRONMENT"] = str(project / "env")
    world.run(UV, "sync", "--quiet", "--no-cache", "--python", sys.executable, cwd=project)
    del world.variables["UV_PROJECT_ENVIRONMENT"]
    world.python = project / "env" / "bin" / "python"
    (remedy,) = world.remedies(project)
    world.obey(remedy)
    assert world.version() == "2.14.0+xpu" and not (project / ".venv").exists()


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
