"""The walk against Wine's loader on the real Intel DLLs: recorded by tools/wine_agreement.py, replayed here without Wine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.closure import breakages, real_wheels
from tests.closure import windows_world as world
from tests.closure.conftest import need, wheels
from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.windows import WindowsLoader, WindowsSystem

ROOT = Path(__file__).parents[2]
RECORD = ROOT / "fixtures" / "closure" / "wine.json"
EXPLAINED: set[str] = set()
"""Breakages at which the two differ for a known reason."""


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    """What Wine said."""
    loaded: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return loaded


def test_record_is_large_and_agrees(record: dict[str, Any]) -> None:
    """Over 200 breakages, at least 99 of 100 alike, and every difference explained."""
    assert record["breakages"] == len(record["cases"]) >= 200
    assert record["agree"] / record["breakages"] >= 0.99
    assert {row["name"] for row in record["cases"] if row["differences"]} <= EXPLAINED
    assert sum(any(row["answers"].values()) for row in record["cases"]) >= 150


def test_walk_says_what_wine_said(record: dict[str, Any], tmp_path: Path) -> None:
    """Each recorded breakage is made again on the real DLLs, and walked."""
    need(world.MINGW, "x86_64-w64-mingw32-dlltool")
    assert record["wheels"] == sorted(real_wheels.WINDOWS)
    env = world.build(wheels("base", "windows", real_wheels.WINDOWS), tmp_path)
    names = frozenset(record["system_names"])
    imports = {name: tuple(found) for name, found in record["system_imports"].items()}
    by_name = {breakage.name: breakage for breakage in world.cases()}
    assert set(by_name) == {row["name"] for row in record["cases"]}
    different = []
    for row in record["cases"]:
        breakage = by_name[row["name"]]
        with breakages.done(env, breakage):
            ours = world.predict(tmp_path, breakage, names, imports)
        found = world.differences(world.Result(row["answers"], tuple(row["loaded"])), ours)
        different += [f"{row['name']}: {line}" for line in found if row["name"] not in EXPLAINED]
    assert not different, "\n".join(different)


@pytest.mark.heavy
@pytest.mark.skipif(
    os.environ.get("XPU_DOCTOR_HEAVY_TESTS") != "1", reason="needs Wine and a minute: XPU_DOCTOR_HEAVY_TESTS=1"
)
def test_wine_says_it_again() -> None:
    """The whole record is made anew, and agrees as well."""
    need(world.MINGW)
    if not world.Wine(Path("/nowhere")).wine:
        pytest.skip("wine64 is not installed (see .ci/apt-packages.txt)")
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "wine_agreement.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """user.dll imports `wanted` from giver.dll, each in its own folder."""
    need(world.MINGW, "x86_64-w64-mingw32-dlltool")
    for name in ("user", "giver", "work"):
        (tmp_path / name).mkdir()
    world.stub(tmp_path / "giver" / "giver.dll", "wanted", {}, tmp_path / "work")
    world.stub(tmp_path / "user" / "user.dll", "start", {"giver.dll": "wanted"}, tmp_path / "work")
    return tmp_path


def opened(folder: Path) -> tuple[int, str]:
    """The error code and symbol that opening user.dll ends with."""
    system = WindowsSystem(
        system_names=frozenset({"kernel32.dll", "msvcrt.dll"}), user_folders=(str(folder / "giver"),)
    )
    opening = WindowsLoader(Files(), system, lambda asker, giver: True).open(str(folder / "user" / "user.dll"))
    return (opening.faults[0].error, opening.faults[0].version) if opening.faults else (0, "")


def test_whole_pair_loads(pair: Path) -> None:
    """The symbol is there."""
    assert opened(pair) == (0, "")


@pytest.fixture
def bound(pair: Path) -> Path:
    """The same, and the manifest of user.dll binds giver.dll to its own folder, as those of sycl8.dll and sycl9.dll bind their loader."""
    need("x86_64-w64-mingw32-windres")
    work = pair / "work"
    named = '<file name="Giver.DLL"></file>'
    (work / "m.xml").write_text(
        f'<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">{named}</assembly>', encoding="ascii"
    )
    (work / "m.rc").write_text('2 24 "m.xml"\n', encoding="ascii")
    windres = ["x86_64-w64-mingw32-windres", "m.rc", "-O", "coff", "-o", "m.o"]
    subprocess.run(windres, cwd=work, check=True)
    imported = str(world.import_library(work, "giver.dll", ["wanted"]))
    flags = ("-shared", "-DEXPORT=start", "-DIMPORTS=X(wanted)", imported, str(work / "m.o"))
    world.mingw(pair / "user" / "user.dll", "stub_dll.c", *flags)
    return pair


def test_a_name_that_the_manifest_binds_is_taken_from_its_own_folder_alone(bound: Path) -> None:
    """126, although a folder that is searched has one, and although another copy is loaded already."""
    assert opened(bound) == (126, "")
    shutil.copyfile(bound / "giver" / "giver.dll", bound / "user" / "giver.dll")
    assert opened(bound) == (0, "")


def test_a_copy_that_is_loaded_does_not_stand_in_for_a_bound_one(bound: Path) -> None:
    """Both copies are in the process then."""
    system = WindowsSystem(system_names=frozenset({"kernel32.dll", "msvcrt.dll"}))
    loader = WindowsLoader(Files(), system)
    assert loader.open(str(bound / "giver" / "giver.dll")).succeeds
    assert not loader.open(str(bound / "user" / "user.dll")).succeeds
    shutil.copyfile(bound / "giver" / "giver.dll", bound / "user" / "giver.dll")
    loader = WindowsLoader(Files(), system)
    assert loader.open(str(bound / "giver" / "giver.dll")).succeeds
    opening = loader.open(str(bound / "user" / "user.dll"))
    assert opening.succeeds and str(bound / "user" / "giver.dll") in opening.loaded


def test_a_damaged_manifest_binds_nothing(bound: Path) -> None:
    """The loader reads what it can."""
    path = bound / "user" / "user.dll"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"<file name=", b"<fi\xffe name="))
    assert opened(bound) == (0, "")


def test_missing_export_is_127(pair: Path) -> None:
    """ERROR_PROC_NOT_FOUND, by the reader alone: Wine loads such a DLL, Windows was not run."""
    world.stub(pair / "giver" / "giver.dll", "another", {}, pair / "work")
    assert opened(pair) == (127, "wanted")


@pytest.mark.parametrize("damage", ["pe-machine", "cut", "text"])
def test_no_library_for_this_machine_is_193(pair: Path, damage: str) -> None:
    """ERROR_BAD_EXE_FORMAT, by the reader alone: Wine says 126, Windows was not run."""
    breakage = breakages.Breakage("damage", (breakages.Change(damage, "giver/giver.dll", 700),))
    with breakages.done(pair, breakage):
        assert opened(pair)[0] == 193


def test_32_bit_is_193(pair: Path) -> None:
    """A 32-bit DLL under a 64-bit Python."""
    path = pair / "giver" / "giver.dll"
    data = bytearray(path.read_bytes())
    start = int.from_bytes(data[0x3C:0x40], "little")
    data[start + 4 : start + 6] = (0x14C).to_bytes(2, "little")
    path.write_bytes(bytes(data))
    assert opened(pair) == (193, "x86")
