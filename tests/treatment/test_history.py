"""What was done is noted, and read again whatever became of the files."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from xpu_doctor.treatment import history as module
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.freeze import Frozen
from xpu_doctor.treatment.history import (
    DoneStep,
    Treatment,
    begun,
    damaged,
    found,
    history,
    keep,
    latest,
    state_folder,
    unfinished,
)

STEPS = (DoneStep("Install the XPU build", (("pip", "install", "torch"),)),)


def one(prefix: str = "/env", **fields: object) -> Treatment:
    return msgspec.structs.replace(
        begun(f"{prefix}/bin/python", prefix, STEPS, (Frozen("torch", "2.13.0+cpu", record="aa"),)), **fields
    )


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    first = one(backup="/env/.xpu-doctor/x", seal="ab", verdict_before="fault")
    keep(first, tmp_path)
    done = msgspec.structs.replace(
        first, state="done", step=1, after=(Frozen("torch", "2.13.0+xpu"),), verdict_after="ok"
    )
    assert history(tmp_path) == (first,)
    keep(done, tmp_path)
    assert history(tmp_path) == (done,) and damaged(tmp_path) == ()
    assert found(first.id, tmp_path) == done and found("none", tmp_path) is None
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{first.id}.json"]


@pytest.mark.skipif(os.name == "nt", reason="permissions and names of POSIX")
def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    """An index's address may carry a password."""
    folder = tmp_path / "state" / "treatments"
    keep(one(), folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()] == [0o600]


@pytest.mark.skipif(os.name == "nt", reason="names of POSIX")
def test_a_path_that_is_no_utf_8(tmp_path: Path) -> None:
    odd = os.fsdecode(b"/home/\xff/env")
    keep(one(odd), tmp_path)
    assert [item.prefix for item in history(tmp_path)] == [odd]


def test_no_history_yet(tmp_path: Path) -> None:
    assert (
        history(tmp_path / "none") == ()
        and damaged(tmp_path / "none") == ()
        and unfinished("/env", tmp_path / "none") is None
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is damaged"),
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[" * 100_000, "is damaged"),
        (b"[]", "is damaged"),
        (b'{"id": "x"}', "is damaged"),
        (b'{"schema": 99}', "was written by a newer xpu-doctor"),
        (json.dumps(msgspec.to_builtins(one(state="done"))).encode(), "has the name of another treatment"),
        (json.dumps({**msgspec.to_builtins(one()), "state": "odd"}).encode(), "is damaged"),
    ],
)  # fmt: skip
def test_a_damaged_file_is_named_and_costs_no_other(tmp_path: Path, content: bytes, words: str) -> None:
    good = one()
    keep(good, tmp_path)
    (tmp_path / "20200101T000000-000000.json").write_bytes(content)
    assert history(tmp_path) == (good,)
    (line,) = damaged(tmp_path)
    assert words in line and "20200101T000000" in line and "\n" not in line


def test_a_folder_among_them_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.json").mkdir()
    assert history(tmp_path) == () and "cannot be read" in damaged(tmp_path)[0]


def test_the_last_one_of_an_environment_counts(tmp_path: Path) -> None:
    for number, (prefix, state) in enumerate([("/env", "failed"), ("/other", "running"), ("/env", "done")]):
        keep(one(prefix, id=f"2026010{number}T000000-000000", state=state, backup=f"{prefix}/x"), tmp_path)
    assert unfinished("/env", tmp_path) is None
    assert getattr(latest("/env", tmp_path), "state", "") == "done"
    assert getattr(unfinished("/other", tmp_path), "state", "") == "running"
    keep(one("/env", id="20260104T000000-000000", state="failed", step=2, backup="/env/x"), tmp_path)
    last = unfinished("/env", tmp_path)
    assert last is not None and last.step == 2 and last.state != "done"


def test_ids_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for moment in (1e9, 1.5e9, 2e9):
        monkeypatch.setattr(module.time, "time", lambda moment=moment: moment)
        ids.append(one().id)
    assert ids == sorted(ids) and len(set(ids)) == 3


def test_a_killed_doctor_is_told_from_one_at_work(tmp_path: Path) -> None:
    code = "import sys\nfrom pathlib import Path\nfrom xpu_doctor.treatment.history import begun, keep\nkeep(begun('/env/bin/python', '/env', ()), Path(sys.argv[1]))\nprint(flush=True)\nsys.stdin.read()\n"
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdout.readline()
    last = unfinished("/env", tmp_path)
    assert last is not None and last.process == child.pid and last.at_work
    child.kill()
    child.communicate()
    assert not last.at_work
    # The number was given to another process since.
    assert not msgspec.structs.replace(last, process=os.getpid(), process_began=1.0).at_work
    assert not msgspec.structs.replace(one(), state="done").at_work


@pytest.mark.skipif(os.name == "nt", reason="the XDG base directories")
def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert state_folder() == tmp_path / "state" / "xpu-doctor" / "treatments"
    monkeypatch.setattr(module, "_own_home", lambda: "/home/own")
    for odd in ("relative/state", ".", "~/state"):
        monkeypatch.setenv("XDG_STATE_HOME", odd)
        assert state_folder() == Path("/home/own/.local/state/xpu-doctor/treatments")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder() == tmp_path / ".local" / "state" / "xpu-doctor" / "treatments"
    monkeypatch.setattr(
        module.platformdirs, "user_state_path", lambda *names, **options: Path("~/.local/state/xpu-doctor")
    )
    assert state_folder() == Path("/home/own/.local/state/xpu-doctor/treatments")
    monkeypatch.setattr(module, "_own_home", lambda: "")
    with pytest.raises(TreatmentError, match="this user has no home folder: set XDG_STATE_HOME"):
        state_folder()


@pytest.mark.skipif(
    os.name == "nt" or not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root alone has other users' homes"
)
def test_root_leaves_nothing_in_the_home_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 1234, 1234)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setattr(module, "_own_home", lambda: "/root")
    assert state_folder() == Path("/root/.local/state/xpu-doctor/treatments")
    os.chown(home, 0, 0)
    assert state_folder().is_relative_to(home)


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        TreatmentError, match=r"what is done cannot be noted in .*: set XDG_STATE_HOME to a folder"
    ) as caught:
        keep(one(), tmp_path / "file" / "treatments")
    assert "\n" not in str(caught.value)


def test_a_failed_write_leaves_the_state_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = one()
    keep(first, tmp_path)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TreatmentError, match="No space left on device"):
        keep(msgspec.structs.replace(first, state="done"), tmp_path)
    assert history(tmp_path) == (first,)
    assert len(list(tmp_path.iterdir())) == 1
