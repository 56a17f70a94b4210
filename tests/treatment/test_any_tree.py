"""Any tree, any change to it: going back gives the same tree, file by file."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.trees import changes, pictured, place_in, quiet
from xpu_doctor.treatment import backup as backup_module
from xpu_doctor.treatment.backup import opened, take
from xpu_doctor.treatment.comparison import differences
from xpu_doctor.treatment.restoration import restore

pytestmark = pytest.mark.skipif(os.name == "nt", reason="names and permissions of POSIX")
SMALL = 64
"""So that files of a test are large ones."""
NAMES = st.sampled_from(
    [
        b"a",
        b"b",
        b"two words",
        "größe 東京".encode(),
        b"\xff\xfe no utf-8",
        b"-rf",
        b"new\nline",
        b"q\"'\\",
        b"." + b"x" * 240,
    ]
)
PATHS = st.tuples(
    st.sampled_from([b"lib/python3.12/site-packages", b"bin", b"share", b"lib"]),
    st.lists(NAMES, min_size=1, max_size=3),
).map(lambda parts: b"/".join([parts[0], *parts[1]]))
CONTENTS = st.one_of(st.binary(max_size=SMALL), st.binary(min_size=SMALL + 1, max_size=200))
MODES = st.sampled_from([0o644, 0o755, 0o600, 0o444, 0o000])
FILES = st.tuples(st.just("file"), CONTENTS, MODES, st.integers(0, 2**33))
LINKS = st.tuples(st.just("link"), st.sampled_from([b"a", b"../..", b"/nowhere", b"\xff", b"."]))
FOLDERS = st.tuples(st.just("folder"), st.sampled_from([0o755, 0o555, 0o700, 0o000]))
NODES = st.one_of(FILES, FILES, LINKS, FOLDERS)
TREES = st.dictionaries(PATHS, NODES, max_size=12)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["remove", "put", "mode", "move"]), PATHS, NODES, st.integers(0, 30)), max_size=12
)


def put(prefix: bytes, path: bytes, node: tuple[object, ...]) -> None:
    """Put a node at a path, in place of what is there; what cannot be made there is left out."""
    whole = os.path.join(prefix, path)
    try:
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        remove(whole)
        if node[0] == "file":
            with open(whole, "wb") as file:
                file.write(node[1])
            os.utime(whole, (node[3], node[3]))
            os.chmod(whole, node[2])
        elif node[0] == "link":
            os.symlink(node[1], whole)
        else:
            os.mkdir(whole, node[1])
            os.chmod(whole, node[1])
    except OSError:  # a file or a link that leads nowhere stands where a folder is needed
        pass


def remove(whole: bytes) -> None:
    if os.path.isdir(whole) and not os.path.islink(whole):
        shutil.rmtree(whole)
    elif os.path.lexists(whole):
        os.unlink(whole)


def change(prefix: bytes, kind: str, path: bytes, node: tuple[object, ...], number: int) -> None:
    """Do one thing to a tree."""
    there = sorted(key for key in pictured(Path(os.fsdecode(prefix))) if b"/" in key)
    whole = os.path.join(prefix, there[number % len(there)]) if there else prefix
    if kind == "put":
        put(prefix, path, node)
    elif kind == "remove" and there:
        remove(whole)
    elif kind == "mode" and there and not os.path.islink(whole):
        os.chmod(whole, 0o751)
    elif kind == "move" and there:
        try:
            os.rename(whole, os.path.join(prefix, path))
        except OSError:
            pass


@contextmanager
def new_prefix() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(os.path.realpath(folder))


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backup_module, "SMALL", SMALL)


@settings(max_examples=150)
@given(TREES, CHANGES)
def test_any_change_is_undone(
    tree: dict[bytes, tuple[object, ...]], done: list[tuple[str, bytes, tuple[object, ...], int]]
) -> None:
    with new_prefix() as prefix:
        place = place_in(prefix)
        for path, node in tree.items():
            put(os.fsencode(prefix), path, node)
        before = pictured(prefix)
        backup = take(place, place.kept / "one", quiet)
        assert changes(before, pictured(prefix)) == {}
        assert differences(backup) == ()
        for each in done:
            change(os.fsencode(prefix), *each)
        changed = {key for key, (old, new) in changes(before, pictured(prefix)).items() if old is None or new is None}
        backup = opened(backup.folder, backup.seal)
        assert {os.fsencode(item.path) for item in differences(backup)} >= changed
        assert restore(backup, quiet) == ()
        assert changes(before, pictured(prefix)) == {}
