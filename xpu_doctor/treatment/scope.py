"""What of an environment's folder is its own content: what a step may change, and what the way back brings back."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.treatment.place import KEPT, Place

SCHEME = frozenset(
    {"bin", "scripts", "lib", "lib64", "include", "library", "share", "etc", "man", "pyvenv.cfg", ".lock"}
)
"""Names in an environment's folder into which installers put packages, scripts and the data of wheels, and uv's lock; in lower case."""
NEVER = frozenset({KEPT, "envs", "pkgs"})
"""Names in a conda environment's folder that are no part of it: other environments, and the cache of packages."""
MOST = 64 << 20
"""Bytes of a RECORD that are read."""


@dataclass(frozen=True)
class Scope:
    """Which files are meant: some names in the prefix with all that they hold, and single further ones."""

    prefix: str
    names: tuple[str, ...] | None
    """Names in the prefix, in lower case; None for all but those of `NEVER`, as in a conda environment."""
    further: tuple[str, ...] = ()
    """Single files and folders elsewhere: by their path from the prefix, or a whole path where they lie outside."""

    def holds(self, name: str) -> bool:
        """Return whether what has this name in the prefix is part of it."""
        lower = name.lower()
        return lower not in NEVER and (self.names is None or lower in self.names)

    def tops(self) -> Iterator[str]:
        """Yield the keys at which a walk begins, whether something is there or not."""
        try:
            yield from sorted(name for name in os.listdir(extended(self.prefix)) if self.holds(name))
        except FileNotFoundError:
            pass
        yield from self.further

    def allows(self, key: str) -> bool:
        """Return whether a key lies inside: a damaged list must not lead anywhere else."""
        parts = key.split("/")
        if ".." in parts or not key or "\0" in key or (os.name == "nt" and "\\" in key):
            return False
        if any(key == top or key.startswith(f"{top}/") for top in self.further):
            return True
        return not os.path.isabs(key) and not os.path.splitdrive(key)[0] and self.holds(parts[0])

    def located(self, key: str) -> str:
        """Return the whole path of a key."""
        return extended(os.path.join(self.prefix, key))


def scope_of(place: Place) -> Scope:
    """Return what of a place is its content."""
    base = place.prefix
    # Windows' embeddable Python may have its packages beside the interpreter: the folder is its own, as a conda environment's is.
    whole = os.path.isdir(base / "conda-meta") or base in place.folders
    own = {key_of(path, base).partition("/")[0].lower() for path in place.folders}
    scope = Scope(os.path.abspath(base), None if whole else tuple(sorted(SCHEME | own)))
    keys = [key_of(path, base) for path in (*place.files, *_data_of_wheels(place.sites, base))]
    further = tuple(key for key in dict.fromkeys(keys) if not scope.allows(key) and key.partition("/")[0] not in NEVER)
    return Scope(scope.prefix, scope.names, further)


def key_of(path: Path, base: Path) -> str:
    """Return what a path is called in the list of a way back."""
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.as_posix()


def _data_of_wheels(sites: Iterable[Path], base: Path) -> Iterator[Path]:
    """Yield the files that installed wheels have put outside of the package folders, but inside the prefix."""
    for site in sites:
        for record in sorted(site.glob("*.dist-info/RECORD")):
            for named in _outside(record):
                path = Path(os.path.normpath(site / named))
                if Path(os.path.realpath(path.parent)).is_relative_to(base):
                    yield path


def _outside(record: Path) -> Iterator[str]:
    """Yield the paths in a RECORD that lead out of its package folder."""
    try:
        with open(record, encoding="utf-8", errors="surrogateescape", newline="") as file:
            lines = [line for line in file.read(MOST).splitlines() if line.lstrip('"').startswith("..")]
        yield from [row[0] for row in csv.reader(lines) if row and "\0" not in row[0]]
    except (OSError, csv.Error):
        return


def extended(path: str) -> str:
    r"""Return a path as Windows takes it at any length: with `\\?\` before it; elsewhere as it is."""
    if os.name != "nt" or path.startswith("\\\\?\\"):
        return path
    whole = os.path.abspath(path)
    return "\\\\?\\UNC" + whole[1:] if whole.startswith("\\\\") else "\\\\?\\" + whole
