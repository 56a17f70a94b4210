"""The way back: what an environment holds, kept inside of it before a step changes anything.

Small files are packed into one file, since some tools write in place. Large ones, most of a torch, get a second name (a hard link),
which takes no time and no space; where the file system has no hard links, they are copied.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from xpu_doctor.text.visible import visible
from xpu_doctor.treatment import manifest
from xpu_doctor.treatment.errors import TreatmentError, reason_of
from xpu_doctor.treatment.obstacle import in_words
from xpu_doctor.treatment.place import Place
from xpu_doctor.treatment.scope import Scope, extended, scope_of
from xpu_doctor.treatment.tree import FILE, Entry, Tell, copied, looked_at, walk

SMALL = 1 << 20
"""Bytes up to which a file is copied: all that people and installers edit, and 170 MB of a torch environment's 4.8 GB."""
METADATA = (".dist-info", ".egg-info")
"""Folders whose files are copied whatever their size: installers write into them."""
MOST_METADATA = 64 << 20
PACKED, LARGE = "packed", "large"


@dataclass(frozen=True)
class Backup:
    """A whole way back."""

    folder: Path
    scope: Scope
    entries: tuple[Entry, ...]
    """All that was there, folders before their content."""
    seal: str
    """SHA-256 of its list: whoever keeps it elsewhere sees whether the list is still the same."""

    @property
    def packed(self) -> str:
        """The file that holds the content of the small ones."""
        return extended(str(self.folder / PACKED))

    def large(self, entry: Entry) -> str:
        """Return the path at which a large file is kept."""
        return extended(str(self.folder / LARGE / str(entry.number)))


def take(place: Place, folder: Path, tell: Tell) -> Backup:
    """Keep what a place holds in a new folder of its own; where that fails, nothing of it stays.

    Raises:
        TreatmentError: it cannot be kept; the message is one line.
    """
    scope = scope_of(place)
    if folder.exists() and manifest.is_whole(folder):
        raise TreatmentError(f"{_shown(folder)} holds a way back already")
    try:
        discard(folder)
        found = _found(scope)
        _check_space(place.prefix, sum(entry.size for entry in found if _is_packed(entry)))
        (folder / LARGE).mkdir(parents=True)
        entries = _kept(scope, folder, found, tell)
        return Backup(folder, scope, entries, manifest.write(folder, scope, entries))
    except BaseException as error:
        discard(folder)
        if isinstance(error, OSError) and not isinstance(error, TreatmentError):
            where = f"{visible(str(error.filename), one_line=True)}: " if error.filename else ""
            raise TreatmentError(
                f"no way back could be made: {where}{reason_of(error)}; nothing was changed"
            ) from error
        raise


def opened(folder: Path, seal: str = "") -> Backup:
    """Return the way back that a folder holds; with a `seal`, only where its list is still that one.

    Raises:
        TreatmentError: it is not whole, damaged, changed, or the environment lies elsewhere now; the message is one line.
    """
    scope, entries, found = manifest.read(folder)
    if seal and found != seal:
        raise TreatmentError(f"the list in {_shown(folder)} is not the one that was written: it cannot be trusted")
    if not os.path.isdir(extended(scope.prefix)):
        raise TreatmentError(f"{visible(scope.prefix, one_line=True)} is gone: its way back leads to that folder alone")
    return Backup(folder, scope, entries, found)


def discard(folder: Path) -> None:
    """Delete a way back, its end mark first; what another program holds open stays until the next time."""
    manifest.forget(folder)
    shutil.rmtree(extended(str(folder)), ignore_errors=True)
    try:
        folder.parent.rmdir()  # of the last one
    except OSError:
        pass


def unfinished(place: Place) -> tuple[Path, ...]:
    """Return the folders of ways back that are not whole: their doctor was killed while it made or deleted them, or is at it now."""
    if not place.kept.is_dir():
        return ()
    return tuple(path for path in sorted(place.kept.iterdir()) if path.is_dir() and not manifest.is_whole(path))


def _found(scope: Scope) -> tuple[Entry, ...]:
    def refuse(key: str, error: OSError) -> None:
        raise TreatmentError(
            f"no way back could be made: {visible(key, one_line=True)} cannot be read ({reason_of(error)}); nothing was changed"
        )

    return tuple(walk(scope, refuse))


def _check_space(prefix: Path, needed: int) -> None:
    free = shutil.disk_usage(prefix).free
    if free < needed:
        raise TreatmentError(
            f"the way back needs {in_words(needed)} in {_shown(prefix)}, and {in_words(free)} are free: make room there first; nothing was changed"
        )


def _is_packed(entry: Entry) -> bool:
    if entry.kind != FILE:
        return False
    metadata = entry.parent.endswith(METADATA) or entry.parent == "conda-meta"
    return entry.size <= (MOST_METADATA if metadata else SMALL)


def _kept(scope: Scope, folder: Path, found: tuple[Entry, ...], tell: Tell) -> tuple[Entry, ...]:
    entries: list[Entry] = []
    with _synced(folder / PACKED) as packed:
        for number, entry in enumerate(found):
            if number % 256 == 0:
                tell(number, len(found))
            path = scope.located(entry.key)
            try:
                entries.append(_with_content(path, entry, folder, packed, number))
            except FileNotFoundError:
                if os.path.lexists(path):
                    raise
                continue  # it went since the walk
    manifest.sync_folder(folder / LARGE)
    tell(len(found), len(found))
    return tuple(entries)


def _with_content(path: str, entry: Entry, folder: Path, packed: BinaryIO, number: int) -> Entry:
    """Keep the content of a file, if it is one; a large one is kept under its number."""
    if _is_packed(entry):
        return _packed(path, entry, packed)
    if entry.kind == FILE:
        return _large(path, replace(entry, number=number), extended(str(folder / LARGE / str(number))))
    return entry


@contextmanager
def _synced(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, and have it on the disk at the end."""
    with open(extended(str(path)), "xb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _packed(path: str, entry: Entry, packed: BinaryIO) -> Entry:
    """Append a file to the packed ones; its time and size are those of the content that was read."""
    offset = packed.tell()
    with open(path, "rb", buffering=0) as file:
        mtime_ns = os.fstat(file.fileno()).st_mtime_ns
        digest = copied(file.read, packed.write)
    return replace(entry, size=packed.tell() - offset, mtime_ns=mtime_ns, sha256=digest, offset=offset)


def _large(path: str, entry: Entry, kept: str) -> Entry:
    """Give a large file a second name, or copy it where that cannot be."""
    try:
        os.link(path, kept)
    except FileNotFoundError:
        raise
    except OSError:  # no hard links in this file system, too many of them, or a file of another user
        with open(path, "rb") as file, _synced(Path(kept)) as copy:
            entry = replace(entry, sha256=copied(file.read, copy.write))
    now = looked_at(kept, entry.key)
    if now is None or now.kind != FILE:
        raise OSError(0, "it changed while it was kept", path)
    return replace(entry, size=now.size, mtime_ns=now.mtime_ns if not entry.sha256 else entry.mtime_ns)


def _shown(path: Path) -> str:
    return visible(str(path), one_line=True)
