"""Damaged and hostile files: the readers end, quickly, with a value or a BadLibrary, and never with anything else."""

from __future__ import annotations

import contextlib
import os
import struct
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.closure import linux_world, windows_world
from tests.closure.conftest import need
from xpu_doctor.shared_libraries.elf import read_elf
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.ldcache import read_cache
from xpu_doctor.shared_libraries.linux import LinuxLoader, LinuxSystem
from xpu_doctor.shared_libraries.pe import file_version, read_exported, read_imported, read_pe
from xpu_doctor.shared_libraries.symbols import undefined, wanted_symbols

QUIET = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@cache
def elf_bytes() -> bytes:
    """A real small library of this machine."""
    path = Path("/lib/x86_64-linux-gnu/libz.so.1")
    return path.read_bytes() if path.exists() else Path(os.path.realpath("/usr/lib64/libz.so.1")).read_bytes()


def spoiled(data: bytes, changes: list[tuple[int, int]], size: int) -> bytes:
    """The same bytes with some words replaced, cut to a size."""
    copy = bytearray(data)
    for place, value in changes:
        offset = place % max(1, len(copy) - 8)
        copy[offset : offset + 4] = (value & 0xFFFFFFFF).to_bytes(4, "little")
    return bytes(copy[: size % (len(copy) + 1)]) if size else bytes(copy)


CHANGES = st.lists(
    st.tuples(
        st.integers(0, 6000), st.one_of(st.sampled_from((0, 0xFFFFFFFF, 0x7FFFFFFF, 64)), st.integers(0, 1 << 32))
    ),
    max_size=6,
)
SIZES = st.one_of(st.just(0), st.integers(1, 200_000))


@QUIET
@given(changes=CHANGES, size=SIZES)
def test_spoiled_elf(changes: list[tuple[int, int]], size: int, tmp_path: Path) -> None:
    """Words replaced near the headers and tables, and cuts."""
    path = tmp_path / "libspoiled.so"
    path.write_bytes(spoiled(elf_bytes(), changes, size))
    for read in (read_elf, wanted_symbols):
        with contextlib.suppress(BadLibrary):
            read(Files(), str(path))
    undefined(Files(), str(path), (str(path),))
    loader = LinuxLoader(Files(), LinuxSystem(), lambda item: "")
    loader.open(str(path))


@QUIET
@given(data=st.binary(max_size=400))
def test_noise(data: bytes, tmp_path: Path) -> None:
    """Anything at all, also behind the right magic numbers."""
    path = tmp_path / "noise"
    for head in (b"", b"\x7fELF\x02\x01\x01" + bytes(57), b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\0\0"):
        path.write_bytes(head + data)
        for read in (read_elf, read_pe, read_imported, read_exported, file_version):
            with contextlib.suppress(BadLibrary):
                read(Files(), str(path))
        assert read_cache(Files(), str(path)).find("libz.so.1") is None


@pytest.fixture(scope="module")
def dll(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real small DLL."""
    need(windows_world.MINGW, "x86_64-w64-mingw32-dlltool")
    folder = tmp_path_factory.mktemp("dll")
    return windows_world.stub(folder / "small.dll", "start", {"kernel32.dll": "GetTickCount"}, folder).read_bytes()


@QUIET
@given(changes=CHANGES, size=SIZES)
def test_spoiled_pe(changes: list[tuple[int, int]], size: int, dll: bytes, tmp_path: Path) -> None:
    """Words replaced near the headers and tables, and cuts."""
    path = tmp_path / "spoiled.dll"
    path.write_bytes(spoiled(dll, changes, size))
    for read in (read_pe, read_imported, read_exported, file_version):
        with contextlib.suppress(BadLibrary):
            read(Files(), str(path))


def test_circle_of_needs_ends(tmp_path: Path, program: Path) -> None:
    """Two libraries that need each other, as the real loader has it."""
    first = linux_world.gcc(tmp_path / "libone.so", rpath="$ORIGIN")
    second = linux_world.gcc(tmp_path / "libtwo.so", needed=(first,), rpath="$ORIGIN")
    linux_world.gcc(first, needed=(second,), rpath="$ORIGIN")
    names = [str(first), str(second)]
    real = linux_world.truth(program, names, {}, tmp_path)
    assert linux_world.agree(real, linux_world.prediction(program, names, {}, tmp_path)) == ""


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """A pipe would block for ever, a device has no end."""
    pipe = tmp_path / "libpipe.so"
    os.mkfifo(pipe)
    for path in (str(pipe), "/dev/zero", str(tmp_path)):
        with pytest.raises(IsADirectoryError):
            read_elf(Files(), path)


def test_a_chain_without_end_is_given_up(tmp_path: Path, program: Path) -> None:
    """A library that links to a loop of symbolic links is missing, not an endless walk."""
    (tmp_path / "liba.so").symlink_to(tmp_path / "libb.so")
    (tmp_path / "libb.so").symlink_to(tmp_path / "liba.so")
    assert LinuxLoader(Files(), LinuxSystem()).open(str(tmp_path / "liba.so")).faults[0].kind == "missing"
