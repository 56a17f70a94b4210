"""Full disks and folders that cannot be written to: small file systems of their own, and rights that are really missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.environments import StubEnvironment, make_environment
from tests.treatment.conftest import SomebodyElse
from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.treatment.disk_room import UNPACKED, Room, needs, rooms, temporary_folder
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.trial import Trial
from xpu_doctor.treatment.writable import refusals

MEBI = 1 << 20
PIP = Trial("pip", 0, ("torch",))
UV = Trial("uv", 0, ("torch",), dry=Command(("uv", "pip", "install", "--dry-run", "--no-cache", "torch")))
ROOT = Path(__file__).parents[2]
ASK = """
import json, sys
from xpu_doctor.treatment.disk_room import rooms
from xpu_doctor.treatment.place import place_of
from xpu_doctor.treatment.trial import Trial
from xpu_doctor.treatment.writable import refusals
python, prefix, site, needed = sys.argv[1:5]
place = place_of(python, prefix, (site,))
print(json.dumps({
    "refused": [[item.folder, item.reason] for item in refusals(place)],
    "short": [room.short for room in rooms({site: int(needed)})],
}))
"""


@pytest.fixture
def environment(tmp_path: Path) -> StubEnvironment:
    """An environment with a torch."""
    made = make_environment(tmp_path / "env")
    made.add_torch()
    return made


def asked(environment: StubEnvironment, needed: int, *box: str, **more: object) -> dict[str, list[object]]:
    """What the doctor says of an environment, in a box."""
    words = [*box, sys.executable, "-c", ASK, environment.python, environment.folder, environment.site, str(needed)]
    done = subprocess.run(list(map(str, words)), cwd=ROOT, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    if done.returncode and not done.stdout:
        pytest.skip(f"cannot be tried here: {done.stderr.strip()[-200:]}")
    return dict(json.loads(done.stdout))


def boxed(*words: str) -> tuple[str, ...]:
    """A box in which the machine is as it is, but for some mounts."""
    if shutil.which("bwrap") is None:
        pytest.skip("no bubblewrap")
    return ("bwrap", "--dev-bind", "/", "/", *words)


def files(folder: Path) -> list[str]:
    """All names below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_everything_is_well(environment: StubEnvironment) -> None:
    """Nothing is refused, nothing is short, and the file that was tried is gone."""
    before = files(environment.folder)
    assert asked(environment, 1) == {"refused": [], "short": [0]}
    assert files(environment.folder) == before


def test_small_file_system(environment: StubEnvironment) -> None:
    """A site-packages of 2 MiB: enough for one, short for ten."""
    box = boxed("--size", str(2 * MEBI), "--tmpfs", str(environment.site))
    assert asked(environment, MEBI, *box)["short"] == [0]
    (short,) = asked(environment, 10 * MEBI, *box)["short"]
    assert isinstance(short, int) and 8 * MEBI <= short < 9 * MEBI


def test_full_file_system(environment: StubEnvironment) -> None:
    """Not even the small file that is tried has room."""
    fill = f'dd if=/dev/zero of={environment.site}/fill bs=4096 status=none 2>/dev/null; exec "$@"'
    box = boxed("--size", str(MEBI), "--tmpfs", str(environment.site), "sh", "-c", fill, "sh")
    answer = asked(environment, 1, *box)
    assert answer["refused"] == [[str(environment.site), "No space left on device"]] and answer["short"] == [1]


def test_read_only_site_packages(environment: StubEnvironment) -> None:
    """Mounted read-only, which not even root may change; the folders of torch below are named, too."""
    box = boxed("--ro-bind", str(environment.site), str(environment.site))
    answer = asked(environment, 1, *box)
    assert [str(environment.site), "Read-only file system"] in answer["refused"]
    assert str(environment.folder / "bin") not in {folder for folder, _ in answer["refused"]}  # type: ignore[misc]


def test_somebody_elses_folder(as_somebody_else: SomebodyElse) -> None:
    """site-packages is this user's, torch in it is root's: its parent may be written to, and it cannot be removed."""
    theirs = as_somebody_else.environment
    for folder in (theirs.site, theirs.folder / "bin"):
        os.chown(folder, as_somebody_else.user, as_somebody_else.user)

    def answer() -> list[list[str]]:
        done = as_somebody_else.run(ASK, theirs.python, theirs.folder, theirs.site, "1")
        assert done.returncode == 0, done.stderr
        return list(json.loads(done.stdout)["refused"])

    refused = {Path(folder).name: reason for folder, reason in answer()}
    assert set(refused) == {"torch", "torch-2.9.1+xpu.dist-info"}
    assert set(refused.values()) == {"this user may not write there"}
    os.chown(theirs.site, 0, 0)
    assert [str(theirs.site), "Permission denied"] in answer()


def test_a_missing_folder_is_refused(environment: StubEnvironment) -> None:
    """An environment without its scripts cannot take any."""
    place = place_of(str(environment.python), str(environment.folder), (str(environment.site),))
    assert place is not None
    shutil.rmtree(place.scripts)
    assert [item.folder for item in refusals(place)] == [str(place.scripts)]


@given(st.integers(0, 1 << 40))
def test_room_is_short_by_what_is_missing(free: int) -> None:
    """Unknown is never short."""
    assert Room((), free, free).short == 0 and Room((), free + 7, free).short == 7
    assert Room((), free, Unknown("not told")).short == 0


def test_what_an_install_needs(tmp_path: Path) -> None:
    """pip keeps wheels beside what it unpacks, uv links; one file system takes the sum."""
    site, variables = str(tmp_path / "site"), {"TMPDIR": str(tmp_path)}
    assert needs(site, 100, PIP, variables) == {site: 250, str(tmp_path): 100}
    assert needs(site, 100, UV, variables) == {site: 250} and UNPACKED == 2.5
    cached = replace(UV, dry=Command(("uv", "pip", "install", "--dry-run", "torch")))
    assert needs(site, 100, cached, {"TMPDIR": "/dev/shm"}) == {site: 250}
    wanted = needs(site, 100, PIP, variables, wheels=str(tmp_path / "wheels"))
    assert sum(wanted.values()) == 450 and [room.needed for room in rooms(wanted)] == [450]
    assert needs(site, 100, PIP, {"TMPDIR": site}) == {site: 250, temporary_folder({}): 100}


def test_two_file_systems(tmp_path: Path) -> None:
    """Each is held against its own need; uv copies from one to the other."""
    shm = Path("/dev/shm")
    if not shm.is_dir() or shm.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("no second file system")
    wanted = needs(str(tmp_path), 100, UV, {"TMPDIR": str(shm)})
    assert wanted == {str(tmp_path): 250, str(shm): 250} and len(rooms(wanted)) == 2
