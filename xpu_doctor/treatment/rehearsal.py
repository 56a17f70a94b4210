"""What a step would write into the files of a project: its commands are tried on copies in a folder for temporary files."""

from __future__ import annotations

import difflib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from xpu_doctor.model.commands import Command
from xpu_doctor.process.run import run
from xpu_doctor.text.visible import visible
from xpu_doctor.treatment.errors import reason_of
from xpu_doctor.treatment.place import Place
from xpu_doctor.treatment.project import MODULE, folder_of, project_files
from xpu_doctor.treatment.trial import own_words

SECONDS = 900.0
"""How long one command may take: poetry and pdm fetch wheels whose requirements an index does not serve apart."""
READ_TOO = ("poetry.toml", "uv.toml", ".python-version", ".pdm-python", "README.md", "README.rst", "README", "LICENSE")
"""Files that managers read and do not write."""
LOCKS = (".lock", "-lock.yaml")
MOST_OF_A_LOCK = 80
"""Lines of a lock file's difference that are shown."""
UNSHOWN = (".pdm-python",)
"""Files that name the interpreter of a machine, and are no part of what a project shares."""

Contents = Mapping[Path, bytes | None]
"""What files hold; None for one that is not there."""


@dataclass(frozen=True)
class Rehearsal:
    """What would be written."""

    difference: str = ""
    """In the unified format; empty where nothing would change, or where that is not known."""
    reason: str = ""
    """Why it could not be tried, in one line; empty where it was."""


def contents(files: Sequence[Path]) -> Contents:
    """Return what files hold now."""
    return {path: _read(path) for path in files}


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def rehearse(
    manager: str, project: str, commands: Sequence[Command], place: Place, environment: Mapping[str, str]
) -> Rehearsal:
    """Try what commands do to the files of a project; neither the project nor the environment is changed."""
    if manager == "pipenv":
        return Rehearsal(reason="pipenv changes its files and the environment in one command")
    files, folder = project_files(manager, project), folder_of(project)
    try:
        with tempfile.TemporaryDirectory(prefix="xpu-doctor-", ignore_cleanup_errors=True) as named:
            copy = Path(os.path.realpath(named))
            _copied(files, folder, copy, place)
            for command in _editing(commands):
                tried = _moved(command, str(folder), str(copy))
                variables = {**tried.environment(environment), **_surroundings(manager, place)}
                ended = run(tried.argv, SECONDS, variables, folder=str(copy))
                if ended.code != 0:
                    return Rehearsal(reason=_why(tried, ended.stderr or ended.stdout))
            after = {path: _read(copy / path.relative_to(folder)) for path in files}
            return Rehearsal(difference(contents(files), after, folder))
    except OSError as error:
        return Rehearsal(reason=reason_of(error))


def _copied(files: Sequence[Path], folder: Path, copy: Path, place: Place) -> None:
    for path in (*files, *(folder / name for name in READ_TOO)):
        if path.is_file():
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    if not (copy / ".pdm-python").exists():
        (copy / ".pdm-python").write_text(str(place.python), encoding="utf-8")


def _editing(commands: Sequence[Command]) -> Iterator[Command]:
    """Yield the commands that write into files of a project, in the form that changes nothing else."""
    for command in commands:
        argv = command.argv
        own = own_words(argv)
        if "--dry-run" in argv:
            continue
        if (
            (own and argv[own] in ("add", "lock"))
            or argv[1:3] == ("-m", MODULE)
            or argv[:2] in (("pdm", "config"), ("pdm", "add"))
        ):
            yield command
        elif argv[0] == "poetry" and "add" in argv:
            yield command if "source" in argv else replace(command, argv=(*argv, "--lock"))
        elif argv[0] == "pixi" and "--no-install" in argv:
            yield command


def _moved(command: Command, old: str, new: str) -> Command:
    """Return a command that works in a copy of the project."""
    return replace(command, argv=tuple(_elsewhere(word, old, new) for word in command.argv))


def _elsewhere(word: str, old: str, new: str) -> str:
    return new + word[len(old) :] if word == old or (word.startswith(old + os.sep) and word.endswith(".toml")) else word


def _surroundings(manager: str, place: Place) -> dict[str, str]:
    """Return the variables by which a manager takes the environment for that of the copy, and makes none of its own."""
    if manager == "uv-project":
        return {"UV_PYTHON": str(place.python)}
    if manager == "poetry":
        return {"VIRTUAL_ENV": str(place.prefix), "POETRY_VIRTUALENVS_CREATE": "false", "POETRY_NO_INTERACTION": "1"}
    return {"PDM_NON_INTERACTIVE": "1"} if manager == "pdm" else {}


def _why(command: Command, said: str) -> str:
    last = next((line.strip() for line in reversed(said.splitlines()) if line.strip(" │╰─▶×")), "it fails")
    return visible(f"{' '.join(command.argv[:2])} ...: {last.rstrip('.')}", one_line=True)


def difference(before: Contents, after: Contents, folder: Path) -> str:
    """Return how files differ, in the unified format; of a lock file the beginning."""
    found = (
        _difference(path.relative_to(folder).as_posix(), before.get(path), after.get(path))
        for path in dict.fromkeys((*before, *after))
        if path.name not in UNSHOWN
    )
    return "".join(found)


def _difference(name: str, before: bytes | None, after: bytes | None) -> str:
    if before == after:
        return ""
    old, new = ((content or b"").decode("utf-8", "replace").splitlines() for content in (before, after))
    labels = ("/dev/null" if before is None else f"a/{name}", "/dev/null" if after is None else f"b/{name}")
    lines = list(difflib.unified_diff(old, new, *labels, lineterm=""))
    if name.endswith(LOCKS) and len(lines) > MOST_OF_A_LOCK:
        lines = [*lines[:MOST_OF_A_LOCK], f"... and {len(lines) - MOST_OF_A_LOCK} more lines of {name}"]
    return "\n".join(lines) + "\n"
