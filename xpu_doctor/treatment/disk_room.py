"""Whether the disks have room for what a step downloads and unpacks."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.treatment.trial import Trial

UNPACKED = 2.5
"""How many times its wheel's size a package takes on the disk, where nothing better is known."""


@dataclass(frozen=True)
class Room:
    """One file system: what lies on it, what is needed there, and what is free, in bytes."""

    folders: tuple[str, ...]
    needed: int
    free: Maybe[int]

    @property
    def short(self) -> int:
        """How many bytes are certainly missing, 0 where none are."""
        return max(0, self.needed - self.free) if isinstance(self.free, int) else 0


def rooms(needs: Mapping[str, int]) -> tuple[Room, ...]:
    """Return the file systems of some folders, with the needs of those that lie on the same one added up."""
    found: dict[object, Room] = {}
    for folder, needed in needs.items():
        device, free = _look(folder)
        before = found.get(device, Room((), 0, free))
        found[device] = Room((*before.folders, folder), before.needed + needed, free)
    return tuple(found.values())


def needs(site: str, download: int, trial: Trial, environment: Mapping[str, str], wheels: str = "") -> dict[str, int]:
    """Return the bytes that an install of so large a download needs in each folder.

    pip keeps the files in the folder for temporary files, or in `wheels` where the commands download them first, and unpacks them into the
    environment. uv unpacks while it downloads, into a cache there (or wherever its lasting cache is, where that is not switched off), and links or
    copies that into the environment.
    """
    unpacked = int(download * UNPACKED)
    temporary = temporary_folder(environment)
    if trial.manager == "uv":
        if trial.dry is None or "--no-cache" not in trial.dry.argv:
            return {site: unpacked}
        linked = _look(temporary)[0] == _look(site)[0]
        return {site: unpacked} if linked else {site: unpacked, temporary: unpacked}
    wanted = {site: unpacked, temporary: download}
    if wheels:
        wanted[wheels] = wanted.get(wheels, 0) + download
    return wanted


def temporary_folder(environment: Mapping[str, str]) -> str:
    """Return where a child with these variables puts temporary files."""
    named = next((environment[name] for name in ("TMPDIR", "TEMP", "TMP") if environment.get(name)), "")
    return named if named and os.path.isdir(named) else tempfile.gettempdir()


def _look(folder: str) -> tuple[object, Maybe[int]]:
    """Return what tells a folder's file system from others, and its free bytes; the nearest folder above stands for one that is not there yet."""
    path = Path(os.path.abspath(folder))
    there = next((place for place in (path, *path.parents) if os.path.isdir(place)), path)
    try:
        return os.stat(there).st_dev, shutil.disk_usage(there).free
    except OSError as error:
        return str(there), Unknown(f"{there}: {error.strerror or error}")
