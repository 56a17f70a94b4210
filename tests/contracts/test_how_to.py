"""The guides for contributors work to the letter: each is followed on a copy of the repository, block by block, and ends green.

A line before a block says what a reader does with it: "File `PATH`:" writes the file, "At the end of `PATH`:" adds to it, "Change in
`PATH`:" changes the place that the lines of the diff show, and the commands of a block under `<!-- run -->` are run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import xpu_doctor

ROOT = Path(__file__).parents[2]
GUIDES = ("add-a-rule", "add-a-table-row", "add-a-probe", "add-a-parser")
COPIED = ("docs", "fixtures", "tests", "tools", "pyproject.toml", "CHANGELOG.md")
STEP = re.compile(
    r"^(?:(?P<does>File|At the end of|Change in) `(?P<path>\S+)`:\n|<!-- run -->)\n```(?P<kind>\w+)\n(?P<body>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

pytestmark = pytest.mark.skipif(
    os.name == "nt" or shutil.which("sh") is None, reason="the blocks are for a POSIX shell"
)


@dataclass(frozen=True)
class Step:
    """One thing that a page tells its reader to do."""

    does: str
    path: str
    body: str


def steps(text: str) -> list[Step]:
    """The steps of a page in their order."""
    return [Step(match["does"] or "run", match["path"] or "", match["body"]) for match in STEP.finditer(text)]


def edited(text: str, diff: str) -> str:
    """A file's text with the change of a diff; its lines without `+` must stand at one place of the file."""
    lines = diff.splitlines()
    assert all(line[:1] in " +-" for line in lines), "each line of a diff starts with a space, + or -"
    before = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("+"))
    after = "".join(f"{line[1:]}\n" for line in lines if not line.startswith("-"))
    places = re.findall(f"(?={re.escape(chr(10) + before)})", f"\n{text}")
    assert len(places) == 1, f"these lines do not stand at one place of the file:\n{before}"
    return f"\n{text}".replace(f"\n{before}", f"\n{after}")[1:]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the repository, the package included."""
    folder = tmp_path / "clone"
    caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(xpu_doctor.__file__).parent, folder / "xpu_doctor", ignore=caches)
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=caches)
        else:
            shutil.copy2(ROOT / name, folder)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    (programs / "python").chmod(0o755)
    return folder


def follow(step: Step, checkout: Path) -> None:
    """Do what a step says."""
    path = checkout / step.path
    if step.does == "File":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(step.body, encoding="utf-8")
    elif step.does == "At the end of":
        path.write_text(f"{path.read_text(encoding='utf-8')}\n{step.body}", encoding="utf-8")
    elif step.does == "Change in":
        path.write_text(edited(path.read_text(encoding="utf-8"), step.body), encoding="utf-8")
    else:
        run(step.body, checkout)


def run(commands: str, checkout: Path) -> str:
    """Run commands in the copy, whose package comes before the installed one; the first that fails fails the test."""
    given = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COVERAGE_"))},
        "PATH": f"{checkout.parent / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(checkout),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RUFF_NO_CACHE": "true",
    }
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=checkout, env=given, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout[-6000:]}{done.stderr[-3000:]}"
    return done.stdout


@pytest.mark.parametrize("guide", GUIDES)
def test_a_newcomer_who_follows_the_guide_ends_green(guide: str, checkout: Path) -> None:
    todo = steps((ROOT / "docs" / "how-to" / f"{guide}.md").read_text(encoding="utf-8"))
    assert todo[-1].does == "run"
    for step in todo:
        follow(step, checkout)
    tests = "\n".join(step.body for step in todo if step.does == "run")
    assert "-m pytest" in tests


def test_what_the_guides_add_is_really_there(checkout: Path) -> None:
    """All four on one copy: the rule, the rows, both probes and the parser do not stand in each other's way, and the doctor knows them."""
    for guide in GUIDES:
        for step in steps((ROOT / "docs" / "how-to" / f"{guide}.md").read_text(encoding="utf-8")):
            if step.does != "run" or "new_rule" in step.body:
                follow(step, checkout)
    said = run(
        "python -m xpu_doctor codes; python -m xpu_doctor probes; python -m xpu_doctor explain driver-mixed-generations",
        checkout,
    )
    assert "driver-mixed-generations" in said and "firmware" in said and "limits" in said and "How we know" in said
    (checkout / "paste.txt").write_text(
        "ImportError: libsycl-example.so.8: cannot open shared object file\n", encoding="utf-8"
    )
    assert "shared-library-missing" in run("python -m xpu_doctor triage paste.txt || true", checkout)


def test_the_guide_for_plugins_makes_one_that_works(checkout: Path) -> None:
    """Its own test passes; and once it is installed (here: its files and entry points on the path) the doctor knows its probe, code and page."""
    folder = checkout / "plugin"
    folder.mkdir()
    (folder / "src" / "xpu_doctor_battery").mkdir(parents=True)
    (folder / "src" / "xpu_doctor_battery" / "__init__.py").touch()
    for step in steps((ROOT / "docs" / "how-to" / "write-a-plugin.md").read_text(encoding="utf-8")):
        body = f"cd plugin\n{step.body}" if step.does == "run" else step.body
        follow(Step(step.does, f"plugin/{step.path}", body), checkout)
    declared = (folder / "pyproject.toml").read_text(encoding="utf-8")
    info = folder / "src" / "xpu_doctor_battery-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: xpu-doctor-battery\nVersion: 1.0\n", encoding="utf-8")
    points = re.findall(r'^\[project\.entry-points\."(.*)"\]\n(\S+ = )"(.*)"$', declared, re.MULTILINE)
    (info / "entry_points.txt").write_text(
        "".join(f"[{group}]\n{name}{target}\n" for group, name, target in points), encoding="utf-8"
    )
    said = run(
        'export PYTHONPATH="plugin/src:$PYTHONPATH"\n'
        "python -m xpu_doctor probes; python -m xpu_doctor codes; python -m xpu_doctor explain on-battery",
        checkout,
    )
    said = " ".join(said.split())  # lists and pages are wrapped
    assert "power-supply" in said and "the GPU may be clocked down" in said and "Connect the charger" in said


@pytest.mark.parametrize(
    "diff", [" no such line\n+new\n", "+new\n b\n", "new\n"], ids=["no such line", "two such lines", "no mark"]
)
def test_a_diff_that_does_not_fit_is_noticed(diff: str) -> None:
    with pytest.raises(AssertionError):
        edited("a\nb\nb\n", diff)


def test_a_diff_changes_its_place_only() -> None:
    assert edited("a\nb\nab\n", " a\n+new\n-b\n") == "a\nnew\nab\n"
