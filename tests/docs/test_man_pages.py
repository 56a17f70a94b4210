"""The manual pages are current, without a complaint of the programs that read them, and come with the wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.man_pages import pages
from xpu_doctor.cli.main import LazyGroup

MAN = Path(__file__).parents[2] / "man"
FILES = sorted(MAN.glob("*.1"))


def body(text: str) -> str:
    """A page without its first line, which has the day."""
    return text.partition("\n")[2]


def test_the_pages_are_those_of_the_commands() -> None:
    """`python tools/man_pages.py` writes them anew."""
    made = pages()
    assert (
        set(made)
        == {path.name for path in FILES}
        == {"xpu-doctor.1", *(f"xpu-doctor-{name}.1" for name in LazyGroup.lazy)}
    )
    stale = [path.name for path in FILES if body(path.read_text(encoding="utf-8")) != body(made[path.name])]
    assert stale == [], "run: python tools/man_pages.py"


def test_exit_codes_of_a_fleet_are_its_own() -> None:
    said = pages()["xpu-doctor-fleet.1"].partition(".SH EXIT STATUS")[2].replace("\\-", "-").replace("\n", " ")
    assert "--expect " not in said and "cause" not in said and "an expected one has no report" in said


@pytest.mark.skipif(shutil.which("mandoc") is None, reason="mandoc is not here")
def test_mandoc_has_nothing_to_say() -> None:
    run = subprocess.run(
        ["mandoc", "-Tlint", "-W", "style", *map(str, FILES)], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout) == (0, "")


@pytest.mark.skipif(os.name == "nt" or shutil.which("man") is None, reason="man is not here")
def test_man_shows_them_without_a_warning() -> None:
    """Its roff warns of nothing, and the page has what a reader looks for."""
    env = {**os.environ, "LC_ALL": "C.UTF-8", "MANWIDTH": "80", "MANPAGER": "cat"}
    for path in FILES:
        run = subprocess.run(
            ["man", "--warnings", "-l", str(path)], env=env, capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (0, ""), path.name
        assert {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"} <= {
            line.strip() for line in run.stdout.splitlines()
        }
    assert "--fail-on error|warning|never" in run.stdout.replace("\n", " ") or path.name != "xpu-doctor-check.1"


def test_the_wheel_brings_them(tmp_path: Path) -> None:
    """Where `man` looks beside the folder of programs."""
    root = MAN.parent
    if not (root / "xpu_doctor").is_dir():
        wheels = list((root.parent / "wheel").glob("*.whl"))
    else:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path), str(root)]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        wheels = list(tmp_path.glob("*.whl"))
    names = zipfile.ZipFile(wheels[0]).namelist()
    assert {Path(name).name for name in names if "/data/share/man/man1/" in name} == {path.name for path in FILES}
