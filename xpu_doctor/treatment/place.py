"""What of an environment a step of `fix` may change: its packages, its scripts, and the files that say what it is."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

KEPT = ".xpu-doctor"
"""The folder of an environment in which the way back lies; it is no part of the place itself."""


@dataclass(frozen=True)
class Place:
    """One environment: real paths, all of them inside the prefix."""

    python: Path
    """The interpreter as it was named; it may be a link that leads out of the prefix."""
    prefix: Path
    sites: tuple[Path, ...]
    """Its site-packages folders: one, or two where purelib and platlib differ."""
    scripts: Path
    """Its `bin` or `Scripts`."""
    files: tuple[Path, ...] = ()
    """Single files and further folders that a step may change: `conda-meta`, and a project's own files where that was allowed."""

    @property
    def kept(self) -> Path:
        """The folder in which the ways back lie."""
        return self.prefix / KEPT

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders whose content may change."""
        return (*self.sites, self.scripts)


def place_of(python: str, prefix: str, sites: tuple[str, ...]) -> Place | None:
    """Return the place of an environment, None where one of its package folders lies outside of its prefix."""
    base = Path(os.path.realpath(prefix))
    real = tuple(dict.fromkeys(Path(os.path.realpath(site)) for site in sites))
    if not real or not all(site.is_relative_to(base) for site in real):
        return None
    scripts = base / ("Scripts" if os.name == "nt" else "bin")
    further = tuple(path for path in (base / "conda-meta",) if os.path.isdir(path))
    return Place(Path(os.path.abspath(python)), base, real, scripts, further)
