"""Changes of a project's files are tried on copies and shown as a difference; the project itself stays as it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.trees import changes, pictured, place_in
from xpu_doctor.model.commands import Command
from xpu_doctor.treatment.project import MODULE
from xpu_doctor.treatment.rehearsal import MOST_OF_A_LOCK, contents, difference, rehearse

TEXT = '[[tool.uv.index]]\nname = "pytorch-xpu"\nurl = "https://example.org"\n'


def edit(project: Path, index: str = "pytorch-xpu") -> Command:
    """The one editing command that every machine has."""
    return Command((sys.executable, "-m", MODULE, str(project), index))


@pytest.mark.parametrize("name", ["project", "Größe ünd 東京"])
def test_what_would_be_written_is_shown(tmp_path: Path, name: str) -> None:
    place, project = place_in(tmp_path / "env"), tmp_path / name
    project.mkdir()
    (project / "pyproject.toml").write_text(TEXT)
    before = pictured(tmp_path)
    never = Command(("rm", "-rf", "--", str(project)))
    tried = rehearse("uv-project", str(project), [edit(project), never], place, os.environ)
    assert tried.reason == "" and tried.difference.splitlines() == [
        "--- a/pyproject.toml",
        "+++ b/pyproject.toml",
        "@@ -1,3 +1,4 @@",
        " [[tool.uv.index]]",
        ' name = "pytorch-xpu"',
        "+explicit = true",
        ' url = "https://example.org"',
    ]
    assert changes(before, pictured(tmp_path)) == {}


def test_why_it_cannot_be_shown_is_said(tmp_path: Path) -> None:
    place, project = place_in(tmp_path / "env"), tmp_path / "project"
    project.mkdir()
    (project / "pyproject.toml").write_bytes(b"\xff")
    tried = rehearse("uv-project", str(project), [edit(project)], place, os.environ)
    assert "can't decode byte" in tried.reason and "\n" not in tried.reason and tried.difference == ""
    assert "one command" in rehearse("pipenv", str(project), [edit(project)], place, os.environ).reason
    missing = Command(("pdm", "config", "--project", str(project), "--local", "pypi.x.url", "u"))
    assert rehearse("pdm", str(project), [missing], place, {"PATH": str(tmp_path)}).reason


def test_files_that_come_and_go_and_long_ones(tmp_path: Path) -> None:
    new, old, lock = tmp_path / "new.toml", tmp_path / "old.toml", tmp_path / "uv.lock"
    old.write_text("a = 1\n")
    before = contents([new, old, lock])
    old.unlink()
    new.write_text("b = 2\n")
    lock.write_text("line\n" * 1000)
    lines = difference(before, contents([new, old, lock]), tmp_path).splitlines()
    assert lines[:3] == ["--- /dev/null", "+++ b/new.toml", "@@ -0,0 +1 @@"]
    assert "+++ /dev/null" in lines and lines[-1] == f"... and {1003 - MOST_OF_A_LOCK} more lines of uv.lock"
    assert difference(before, before, tmp_path) == ""
