"""Trees of files for tests: a picture of one that is taken without the doctor's own code, and a place in a folder."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

from xpu_doctor.treatment.place import KEPT, Place

Picture = dict[bytes, tuple[object, ...]]
"""What lies at each path: kind, permissions, and of a file size, time and content, of a link its target."""


def pictured(folder: Path) -> Picture:
    """Return all of a folder but the ways back; names are bytes, as the file system has them."""
    picture: Picture = {}
    waiting = [os.fsencode(folder)]
    while waiting:
        path = waiting.pop()
        status = os.lstat(path)
        key = os.path.relpath(path, os.fsencode(folder))
        if stat.S_ISLNK(status.st_mode):
            picture[key] = ("link", os.readlink(path))
        elif stat.S_ISDIR(status.st_mode):
            picture[key] = ("folder", oct(status.st_mode), None if key == b"." else status.st_mtime_ns)
            waiting += [os.path.join(path, name) for name in os.listdir(path) if name != os.fsencode(KEPT)]
        elif stat.S_ISREG(status.st_mode):
            with open(path, "rb") as file:
                content = hashlib.sha256(file.read()).hexdigest()
            picture[key] = ("file", oct(status.st_mode), status.st_size, status.st_mtime_ns, content)
        else:
            picture[key] = ("other", oct(status.st_mode))
    return picture


def changes(before: Picture, after: Picture) -> dict[bytes, tuple[object, object]]:
    """Return what is not the same in two pictures."""
    return {
        key: (before.get(key), after.get(key))
        for key in before.keys() | after.keys()
        if before.get(key) != after.get(key)
    }


def place_in(prefix: Path, files: tuple[Path, ...] = ()) -> Place:
    """Return the place of a folder that is laid out like a virtual environment; its folders are made."""
    site, scripts = prefix / "lib" / "python3.12" / "site-packages", prefix / "bin"
    for folder in (site, scripts):
        folder.mkdir(parents=True, exist_ok=True)
    return Place(scripts / "python", prefix, (site,), scripts, files)


def quiet(done: int, of: int) -> None:
    """Tell nobody how far it is."""
    assert 0 <= done <= of
