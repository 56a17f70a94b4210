"""The dry runs of poetry and pdm, by the real programs: they ask the index, and the project's files stay as they are."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.kinds import TOOLS, clean_environment
from tests.treatment.conftest import installed_once
from tests.treatment.indexes import Indexes
from xpu_doctor.model.commands import Command
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.rehearsal import rehearse
from xpu_doctor.treatment.trial import trials

pytestmark = pytest.mark.heavy
HEAD = '[project]\nname = "patient"\nversion = "0"\nrequires-python = ">=3.10,<4"\ndependencies = []\n'
SPECS = ("torch==2.14.0+xpu", "torchvision==0.29.0+xpu", "torchaudio==2.11.0+xpu", "triton-xpu==3.8.0")


def plan(tool: str, project: Path, index: str) -> list[Command]:
    """What a remedy writes into the project and then installs."""
    if tool == "poetry":
        poetry = ("poetry", "--directory", str(project))
        first = (*poetry, "source", "add", "--priority", "explicit", "pytorch-xpu", index)
        return [Command(first), Command((*poetry, "add", "--no-cache", "--source", "pytorch-xpu", *SPECS))]
    first = ("pdm", "config", "--project", str(project), "--local", "pypi.pytorch-xpu.url", index)
    return [Command(first), Command(("pdm", "add", "--project", str(project), "--no-sync", *SPECS))]


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
def test_dry_run(tool: str, indexes: Indexes, tmp_path: Path) -> None:
    """It succeeds where the wheels are there and fails where they are not; pyproject.toml and lock files are not written."""
    programs = installed_once(tmp_path / "tool", sys.executable, TOOLS[tool]).parent
    project, home = tmp_path / "project", tmp_path / "home"
    project.mkdir()
    home.mkdir()
    pypi, empty = indexes["metadata"], indexes["empty"]
    source = {
        "poetry": f'[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "own"\nurl = "{pypi}/"\npriority = "primary"\n',
        "pdm": f'[tool.pdm]\ndistribution = false\n[[tool.pdm.source]]\nname = "pypi"\nurl = "{empty}"\n',
    }
    (project / "pyproject.toml").write_text(HEAD + source[tool])
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project / ".venv"], check=True)
    environment = {**clean_environment(home), "POETRY_VIRTUALENVS_IN_PROJECT": "true"}
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    python = project / ".venv" / "bin" / "python"
    place = place_of(
        str(python), str(project / ".venv"), (str(next((project / ".venv" / "lib").glob("*/site-packages"))),)
    )
    for kind, code in (("metadata", 0), ("denied", 1)):
        commands = plan(tool, project, indexes[kind])
        (trial,) = trials(commands, str(project / ".venv" / "bin" / "python"))
        subprocess.run(commands[0].argv, env=environment, check=True, capture_output=True)
        before = {path.name: path.read_bytes() for path in project.iterdir() if path.is_file()}
        assert trial.dry is not None
        done = subprocess.run(trial.dry.argv, env=environment, capture_output=True, text=True, check=False)
        assert bool(done.returncode) is bool(code), done.stdout + done.stderr
        after = {
            path.name: path.read_bytes() for path in project.iterdir() if path.is_file() and path.name != ".pdm-python"
        }
        if kind == "metadata":
            indexes.asked.clear()
            tried = rehearse(tool, str(project), commands, place, environment)
            assert "+++ b/pyproject.toml" in tried.difference, tried.reason
            assert not indexes.wheels_fetched(), "requirements that are served apart cost no download"
        assert after == {name: content for name, content in before.items() if name != ".pdm-python"}
