"""Treatments that were killed at awkward moments, and environments that others change after one."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.support.trees import changes, pictured, quiet
from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Remedy
from xpu_doctor.treatment import course
from xpu_doctor.treatment.course import begin, edited_since, finish, forget, proceed, resume, since, to_undo, undo
from xpu_doctor.treatment.errors import IncompleteWayBack
from xpu_doctor.treatment.history import Treatment, history, keep, unfinished
from xpu_doctor.treatment.manifest import is_whole
from xpu_doctor.treatment.place import Place, place_of
from xpu_doctor.treatment.plan import Step

HERE = dict(os.environ)
STEP = Step("torch-cpu-wheel", "torch", Remedy("title", "why", steps=(Command((sys.executable, "-c", "pass")),)))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A real environment."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True)
    python = tmp_path / "env" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    found = place_of(str(python), str(tmp_path / "env"), (site,))
    assert found is not None
    return found


def installed(place: Place, name: str, version: str = "1.0") -> Path:
    """Register a package."""
    info = place.sites[0] / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return info


def killed_before_it_was_noted(place: Place, state: Path, monkeypatch: pytest.MonkeyPatch, calls: int) -> Treatment:
    """Begin, and be gone at the note that `calls` counts; the process that is noted no longer runs."""
    seen = 0

    def kept(treatment: Treatment, folder: Path | None = None) -> None:
        nonlocal seen
        seen += 1
        if seen > calls:
            raise KeyboardInterrupt
        keep(replace(treatment, process_began=1.0), folder)

    with monkeypatch.context() as patched:
        patched.setattr(course, "keep", kept)
        with pytest.raises(KeyboardInterrupt):
            begin(place, [STEP], HERE, "", quiet, state)
    (treatment,) = history(state)
    assert not treatment.backup and is_whole(place.kept / treatment.id)
    return treatment


def test_killed_before_the_way_back_was_noted(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo deletes it, whatever was installed meanwhile, since nothing was changed."""
    before, state = pictured(place.prefix), tmp_path / "state"
    treatment = killed_before_it_was_noted(place, state, monkeypatch, 1)
    installed(place, "later")
    assert to_undo(str(place.python), state) == (treatment,)
    result = undo(treatment, HERE, quiet, state)
    assert result.whole and not place.kept.exists()
    assert all(
        b"later-1.0" in path or path.endswith(b"site-packages") for path in changes(before, pictured(place.prefix))
    )
    assert [item.state for item in history(state)] == ["undone"] and to_undo(str(place.python), state) == ()


def test_the_next_one_clears_up(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one that was killed, and of ways back that are not whole; not of one that is at work."""
    state = tmp_path / "state"
    killed = killed_before_it_was_noted(place, state, monkeypatch, 1)
    (place.kept / "half" / "large").mkdir(parents=True)
    at_work = replace(begin(place, [STEP], HERE, "", quiet, state), id="at-work", backup="")
    keep(at_work, state)
    (place.kept / "at-work").mkdir()
    assert not (place.kept / killed.id).exists() and not (place.kept / "half").exists()
    begin(place, [STEP], HERE, "", quiet, state)
    assert (place.kept / "at-work").is_dir()
    assert [item.state for item in history(state) if item.id == killed.id] == ["undone"]


def test_what_was_installed_since_is_named(place: Place, tmp_path: Path) -> None:
    state = tmp_path / "state"
    old = installed(place, "numpy")
    treatment = begin(place, [STEP], HERE, "", quiet, state)
    assert since(treatment, HERE) == ()
    treatment, outcome = proceed(treatment, 0, STEP, HERE, lambda data: None, state)
    assert outcome.succeeded
    treatment = finish(treatment, HERE, "", state)
    assert since(treatment, HERE) == ()
    installed(place, "pandas", "3.0")
    (old / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 2.0\n")
    told = [
        (before and before.version, now and now.name, now and now.version) for before, now in since(treatment, HERE)
    ]
    assert told == [("1.0", "numpy", "2.0"), (None, "pandas", "3.0")]
    place.python.unlink()
    assert since(treatment, HERE) == ()


def test_the_files_of_a_project_belong_to_the_way_back(place: Place, tmp_path: Path) -> None:
    """They come back, one that is new goes, later edits are named, and a way back without them is not gone on with."""
    state, project, lock = tmp_path / "state", tmp_path / "pyproject.toml", tmp_path / "uv.lock"
    project.write_text("before")
    whole = dataclasses.replace(place, files=(project, lock))
    narrow = begin(place, [STEP], HERE, "", quiet, state)
    with pytest.raises(IncompleteWayBack, match=r"without pyproject.toml, uv.lock$"):
        resume(narrow, [STEP], whole, state)
    undo(narrow, HERE, quiet, state)
    treatment = begin(whole, [STEP], HERE, "", quiet, state)
    assert resume(treatment, [STEP], whole, state).state == "prepared"
    project.write_text("after")
    lock.write_text("new")
    treatment = finish(treatment, HERE, "", state, files=whole.files)
    assert edited_since(treatment) == ()
    project.write_text("mine")
    lock.unlink()
    assert edited_since(history(state)[-1]) == (str(project), str(lock))
    assert undo(treatment, HERE, quiet, state).whole
    assert project.read_text() == "before" and not lock.exists()


@pytest.mark.parametrize("ended", [True, False])
def test_a_forgotten_one_is_over(place: Place, tmp_path: Path, ended: bool) -> None:
    state = tmp_path / "state"
    treatment, _ = proceed(begin(place, [STEP], HERE, "", quiet, state), 0, STEP, HERE, lambda data: None, state)
    if ended:
        treatment = finish(treatment, HERE, "", state)
    forget(treatment, state)
    assert to_undo(str(place.python), state) == () and unfinished(str(place.prefix), state) is None
