"""A doctor that is killed while it makes the way back, or goes back: the next one ends in the same tree."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.trees import changes, pictured, place_in, quiet
from xpu_doctor.treatment.backup import discard, opened, take, unfinished
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.manifest import is_whole
from xpu_doctor.treatment.restoration import restore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
MOMENTS = 20
CHILDREN = """
import os, signal, sys
from pathlib import Path
from tests.support.trees import place_in, quiet
from xpu_doctor.treatment.backup import opened, take
from xpu_doctor.treatment.manifest import is_whole
from xpu_doctor.treatment.restoration import restore

prefix = Path(sys.argv[1])
place = place_in(prefix)

def work(what, moment):
    seen = 0

    def hook(event, arguments):
        # Whatever changes the file system, and each opening of a file, is told to an audit hook before it is done.
        nonlocal seen
        if event == "open" or event.startswith(("os.", "shutil.")):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    if what == "take":
        take(place, place.kept / "one", quiet)
    else:
        assert restore(opened(place.kept / "one"), quiet) == ()
    return seen

for line in sys.stdin:
    what, moment = line.split()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        seen = work(what, int(moment))
        os.write(writing, str(seen).encode())
        os._exit(0)
    os.close(writing)
    said = os.read(reading, 99)
    os.close(reading)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said.decode() or 0, flush=True)
"""
"""Forks a child for each line, which spares the start of an interpreter."""


@dataclass(frozen=True)
class Children:
    """Starts one child after the other, and says how each ended."""

    process: subprocess.Popen[str]

    def run(self, what: str, moment: int) -> tuple[int, int]:
        """Return how the child ended that was killed at a moment, and how many moments it has seen where it was not."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(f"{what} {moment}\n")
        self.process.stdin.flush()
        code, seen = self.process.stdout.readline().split()
        return int(code), int(seen)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    """An environment, as `planted` makes it."""
    folder = tmp_path / "env"
    planted(folder)
    return folder


@pytest.fixture
def made(prefix: Path) -> Iterator[Children]:
    """What starts children that work on it."""
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", CHILDREN, str(prefix)],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Children(process)


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


def moments(made: Children, what: str) -> list[int]:
    """Return moments that are spread over the whole of the work, the first and the last one among them."""
    code, last = made.run(what, 0)
    assert code == 0 and last > MOMENTS
    return sorted({1 + (last - 1) * number // (MOMENTS - 1) for number in range(MOMENTS)})


def test_killed_while_it_is_made(prefix: Path, made: Children) -> None:
    place = place_in(prefix)
    before = pictured(prefix)
    wholes = 0
    for moment in moments(made, "take"):
        discard(place.kept / "one")
        assert not place.kept.exists()
        assert made.run("take", moment)[0] == -signal.SIGKILL
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


def test_killed_while_it_goes_back(prefix: Path, made: Children) -> None:
    place = place_in(prefix)
    before = pictured(prefix)
    backup = take(place, place.kept / "one", quiet)
    damaged(prefix)
    hurt = pictured(prefix)
    halves = 0
    for moment in moments(made, "restore"):
        damaged(prefix)
        assert made.run("restore", moment)[0] == -signal.SIGKILL
        halves += bool(changes(before, pictured(prefix))) and bool(changes(hurt, pictured(prefix)))
        if moment % 2:  # and the second one is killed as well
            made.run("restore", moment // 2 + 1)
        assert restore(backup, quiet) == ()
        assert changes(before, pictured(prefix)) == {}
    assert halves > MOMENTS // 4
