"""Where this interpreter searches for modules, and where it would have searched had its start-up code run."""

from __future__ import annotations

import os
import sys

from .facts import attempt, small_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


def folders_of_pythonpath() -> list[str]:
    """Return the folders that PYTHONPATH names."""
    return [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]


def working_folder() -> str:
    """Return the working folder, empty where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def is_embedded() -> bool:
    """Return whether a ._pth file beside the interpreter fixes sys.path."""
    folder, name = os.path.split(sys.executable)
    stems = [f"python{sys.version_info[0]}{sys.version_info[1]}", os.path.splitext(name)[0]]
    return any(os.path.exists(os.path.join(folder, stem + "._pth")) for stem in stems)


def is_isolated() -> bool:
    """Return whether this interpreter never puts the script's folder on its path (-I, -P, ._pth)."""
    return bool(sys.flags.isolated or getattr(sys.flags, "safe_path", False) or attempt(is_embedded) is True)


def read_path(users_path: list[str]) -> None:
    """Set the search path and the prefix as Python's start-up would, from files alone: `-I -S` keeps it from running anything of the user's."""
    import site

    prefix, outside = _virtual_environment()
    sys.prefix = prefix or sys.prefix
    places = [sys.prefix] if prefix else []
    if not prefix or outside:
        places.append(sys.base_prefix)
    given = folders_of_pythonpath()
    found = given + [entry for entry in users_path if entry not in given]
    for folder in site.getsitepackages(places):
        if os.path.isdir(folder):
            found.append(folder)
            found.extend(_pth_entries(folder))
    users_path[:] = list(dict.fromkeys(found))


def _virtual_environment() -> tuple[str | None, bool]:
    """Return the folder of the virtual environment and whether it sees the packages outside; None where there is none."""
    for folder in (os.path.dirname(sys.executable), os.path.dirname(os.path.dirname(sys.executable))):
        text = small_text(os.path.join(folder, "pyvenv.cfg"))
        if text:
            split = (line.partition("=") for line in text.splitlines())
            rows = {key.strip().lower(): value.strip().lower() for key, _, value in split}
            return folder, rows.get("include-system-site-packages", "true") == "true"
    return None, True


def _pth_entries(folder: str) -> Iterator[str]:
    """Yield the folders that .pth files add; their lines of code are left alone."""
    for name in sorted(attempt(os.listdir, folder)):
        if name.endswith(".pth") and not name.startswith("."):
            for line in small_text(os.path.join(folder, name)).splitlines():
                entry = os.path.join(folder, line.strip())
                if line.strip() and not line.startswith(("#", "import ", "import\t")) and os.path.exists(entry):
                    yield entry
