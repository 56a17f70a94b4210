"""Breakages of an installed environment: each is done to real files, examined, and undone."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ELF_CLASS, ELF_MACHINE = 4, 18


@dataclass(frozen=True)
class Change:
    """One thing done to one file: `remove`, `cut`, `foreign`, `machine`, `text`, `folder`, `rename`."""

    what: str
    file: str
    """Path below the environment."""
    size: int = 0
    to: str = ""


@dataclass(frozen=True)
class Breakage:
    """Changes to files and variables, under one name."""

    name: str
    changes: tuple[Change, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)


@contextlib.contextmanager
def done(root: Path, breakage: Breakage) -> Iterator[None]:
    """Carry a breakage out below `root`, and put everything back afterwards."""
    undo: list[tuple[Path, Path]] = []
    made: list[Path] = []
    try:
        for change in breakage.changes:
            path = root / change.file
            if not path.exists():
                continue
            kept = path.with_name(path.name + ".kept")
            path.rename(kept)
            undo.append((kept, path))
            if change.what == "rename":
                os.link(kept, path.with_name(change.to))
                made.append(path.with_name(change.to))
            elif change.what != "remove":
                spoil(kept, path, change)
                made.append(path)
        yield
    finally:
        for path in made:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        for kept, path in reversed(undo):
            kept.rename(path)


def spoil(source: Path, path: Path, change: Change) -> None:
    """Write a damaged copy of a library."""
    if change.what == "folder":
        path.mkdir()
    elif change.what == "text":
        path.write_text("This is not a library.\n" * 40, encoding="ascii")
    elif change.what == "cut":
        with source.open("rb") as whole:
            path.write_bytes(whole.read(change.size if change.size >= 0 else source.stat().st_size // -change.size))
    else:
        shutil.copyfile(source, path)
        with path.open("r+b") as copy:
            if change.what == "foreign":
                copy.seek(ELF_CLASS)
                copy.write(b"\x01")
            elif change.what == "machine":
                copy.seek(ELF_MACHINE)
                copy.write((183).to_bytes(2, "little"))
            elif change.what == "pe-machine":
                copy.seek(0x3C)
                place = int.from_bytes(copy.read(4), "little")
                copy.seek(place + 4)
                copy.write((0xAA64).to_bytes(2, "little"))


def single(files: Sequence[str], kinds: Sequence[tuple[str, int]]) -> Iterator[Breakage]:
    """Give each file each kind of damage alone."""
    for file in files:
        for what, size in kinds:
            yield Breakage(f"{what}{size or ''} {Path(file).name}", (Change(what, file, size),))


def mixed(
    files: Sequence[str], kinds: Sequence[tuple[str, int]], variables: Sequence[dict[str, str]], count: int, seed: int
) -> Iterator[Breakage]:
    """Combine one to three changes with an environment, the same ones for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        chosen = chance.sample(list(files), chance.choice((0, 1, 1, 2, 3)))
        changes = tuple(Change(*((kind := chance.choice(list(kinds)))[0], file, kind[1])) for file in chosen)
        yield Breakage(f"mixed {number}", changes, chance.choice(list(variables)))
