"""Whether the folders of an environment can be written to: asked, and tried with a file that is removed again."""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.treatment.place import Place

PACKAGES = ("torch", "torchvision", "torchaudio", "triton", "functorch", "torchgen")
"""Folders that a step replaces; one that another user made cannot be removed although its parent may be written to."""


@dataclass(frozen=True)
class Refusal:
    """A folder that cannot be written to, and the system's own words."""

    folder: str
    reason: str


def refusals(place: Place) -> tuple[Refusal, ...]:
    """Return the folders of an environment into which this process cannot write."""
    single = [path for path in place.files if not os.path.isdir(path)]
    further = [path if os.path.isdir(path) else path.parent for path in place.files]
    tried = [_tried(folder) for folder in dict.fromkeys((*place.folders, *further))]
    asked = [_asked(path, os.W_OK) for path in single if os.path.exists(path)]
    asked += [_asked(path, os.W_OK | os.X_OK) for path in _replaced(place)]
    return tuple(refusal for refusal in (*tried, *asked) if refusal is not None)


def _replaced(place: Place) -> tuple[Path, ...]:
    """Return the folders of torch and its partners, the metadata included."""
    found = [site / name for site in place.sites for name in PACKAGES]
    found += [path for site in place.sites for name in PACKAGES for path in site.glob(f"{name}-*.dist-info")]
    return tuple(path for path in found if os.path.isdir(path) and not path.is_symlink())


def _asked(path: Path, how: int) -> Refusal | None:
    return None if os.access(path, how) else Refusal(str(path), "this user may not write there")


def _tried(folder: Path) -> Refusal | None:
    """Write a file and take it away again: a disk that is read-only or full says so only then."""
    file = folder / f".xpu-doctor-{secrets.token_hex(8)}"
    try:
        with open(file, "xb") as stream:
            stream.write(b"x" * 4096)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return Refusal(str(folder), error.strerror or str(error))
    finally:
        with contextlib.suppress(OSError):
            os.unlink(file)
    return None
