"""A doctor that is killed while it makes the way back, or goes back: the next one ends in the same tree."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.trees import changes, pictured, place_in, quiet
from xpu_doctor.treatment.backup import discard, opened, take, unfinished
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.manifest import is_whole
from xpu_doctor.treatment.restoration import restore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
MOMENTS = 20
CHILD = """
import os, signal, sys
from pathlib import Path
from tests.support.trees import place_in, quiet
from xpu_doctor.treatment.backup import opened, take
from xpu_doctor.treatment.manifest import is_whole
from xpu_doctor.treatment.restoration import restore

prefix, what, moment = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
place = place_in(prefix)
seen = 0

def hook(event, arguments):
    # Whatever changes the file system, and each opening of a file, is told to an audit hook before it is done.
    global seen
    if event == "open" or event.startswith(("os.", "shutil.")):
        seen += 1
        if seen == moment:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
if what == "take":
    take(place, place.kept / "one", quiet)
else:
    assert restore(opened(place.kept / "one"), quiet) == ()
print(seen)
"""


def child(prefix: Path, what: str, moment: int) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-c", CHILD, str(prefix), what, str(moment)],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def planted(prefix: Path) -> None:
    """Make a small environment with a large library, a script, links, and a folder that may not be written."""
    site = place_in(prefix).sites[0]
    for number in range(6):
        (site / f"package{number}").mkdir()
        (site / f"package{number}" / "__init__.py").write_text(f"number = {number}\n")
    (site / "torch" / "lib").mkdir(parents=True)
    (site / "torch" / "lib" / "libtorch.so").write_bytes(os.urandom((1 << 20) + 1))
    (site / "torch" / "lib" / "libtorch.so.1").symlink_to("libtorch.so")
    (prefix / "bin" / "tool").write_text("#!/bin/sh\n")
    (prefix / "bin" / "tool").chmod(0o755)
    (site / "package5").chmod(0o555)


def damaged(prefix: Path) -> None:
    """Do what an installer does that fails in the middle."""
    site = place_in(prefix).sites[0]
    shutil.rmtree(site / "torch")
    for number in range(3):
        shutil.rmtree(site / f"package{number}")
    (site / "package3" / "__init__.py").write_text("number = 33\n")
    (site / "torch").write_text("a file now")
    (site / "new" / "deep").mkdir(parents=True)
    (site / "new" / "deep" / "file.py").write_text("new")
    (prefix / "share").mkdir()
    (prefix / "share" / "data").write_text("new")
    (prefix / "bin" / "tool").unlink()
    (prefix / "bin" / "tool").symlink_to("python3")


def moments(prefix: Path, what: str) -> list[int]:
    """Return moments that are spread over the whole of the work, the first and the last one among them."""
    run = child(prefix, what, 0)
    assert run.returncode == 0, run.stderr
    last = int(run.stdout)
    assert last > MOMENTS
    return sorted({1 + (last - 1) * number // (MOMENTS - 1) for number in range(MOMENTS)})


def test_killed_while_it_is_made(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    planted(prefix)
    place = place_in(prefix)
    before = pictured(prefix)
    wholes = 0
    for moment in moments(prefix, "take"):
        discard(place.kept / "one")
        assert not place.kept.exists()
        assert child(prefix, "take", moment).returncode == -signal.SIGKILL
        assert changes(before, pictured(prefix)) == {}
        if is_whole(place.kept / "one"):
            wholes += 1  # killed after the end mark
            assert unfinished(place) == ()
        else:
            assert set(unfinished(place)) <= {place.kept / "one"}
            with pytest.raises(TreatmentError, match="holds no whole way back"):
                opened(place.kept / "one")
            take(place, place.kept / "one", quiet)
        damaged(prefix)
        assert restore(opened(place.kept / "one"), quiet) == ()
        assert changes(before, pictured(prefix)) == {}
    assert wholes <= 3


def test_killed_while_it_goes_back(tmp_path: Path) -> None:
    prefix = tmp_path / "env"
    planted(prefix)
    place = place_in(prefix)
    before = pictured(prefix)
    backup = take(place, place.kept / "one", quiet)
    damaged(prefix)
    hurt = pictured(prefix)
    halves = 0
    for moment in moments(prefix, "restore"):
        damaged(prefix)
        assert child(prefix, "restore", moment).returncode == -signal.SIGKILL
        halves += bool(changes(before, pictured(prefix))) and bool(changes(hurt, pictured(prefix)))
        if moment % 2:  # and the second one is killed as well
            child(prefix, "restore", moment // 2 + 1)
        assert restore(backup, quiet) == ()
        assert changes(before, pictured(prefix)) == {}
    assert halves > MOMENTS // 4
