"""Finds the interpreter to examine, and says why that one."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.model.terms import ChosenBy
from xpu_doctor.process.one_file import one_file
from xpu_doctor.process.run import run
from xpu_doctor.target.rights import foreign_owner, may_become

RESOLVE_SECONDS = 10.0
WITHIN = (
    ".venv",
    "venv",
    "python_embeded",
    "python_embedded",
    "env",
    "resources/ai-backend-env",
    "resources/ComfyUI/.venv",
    "installer_files/env",
    "server/venv",
    "server/python",
)
"""Where a project or an application keeps its Python: ComfyUI portable, AI Playground, text-generation-webui, Krita's plug-in for diffusion."""
STORE_ALIAS = (
    "an alias of the Microsoft Store, and leads to no Python; `py --list-paths` lists those that are installed (Settings > Apps > App execution aliases "
    "switches the alias off)"
)


class TargetError(Exception):
    """There is no interpreter to examine; the message is one line with the way out."""


@dataclass(frozen=True)
class Choice:
    """The interpreter that was chosen, and why."""

    python: str
    why: str
    by: ChosenBy = ChosenBy.OPTION


@dataclass(frozen=True)
class Surroundings:
    """What the choice depends on; tests hand in another."""

    environment: Mapping[str, str]
    own_python: str = sys.executable
    own_prefix: str = sys.prefix
    windows: bool = sys.platform == "win32"
    run: Callable[[list[str]], str | None] | None = None
    """Runs a command and returns its output, None where it failed; None takes the real one."""


def find_target(option: str | None, around: Surroundings) -> Choice:
    """Return the interpreter that `--python`, the active environment, the doctor's own or PATH names, in this order.

    Raises:
        TargetError: `--python` names no interpreter, or none could be found at all.
    """
    if option is not None:
        return _asked_for(option, around)
    passed = ""
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        folder = around.environment.get(variable, "")
        python = interpreter_in(Path(folder), around.windows) if folder else None
        if python is not None:
            return Choice(_absolute(python), f"the active environment (${variable}){passed}", ChosenBy.ACTIVE)
        dead = _dead_link(Path(folder)) if folder else ""
        if dead:
            raise TargetError(
                f"the active environment ${variable} is broken: {dead}. Make it anew, or name another with --python PATH"
            )
        passed += f"; ${variable} names {folder}, which holds no interpreter" if folder else ""
    tool = isolated_tool(around.own_prefix)
    if not tool and around.own_python:
        if one_file():
            return Choice(around.own_python, f"the Python that runs xpu-doctor{passed}", ChosenBy.RUNNING)
        return Choice(around.own_python, f"the environment that xpu-doctor is installed in{passed}", ChosenBy.OWN)
    for python_on_path, name in _on_path(around):
        return Choice(python_on_path, f"`{name}` on PATH{passed}", ChosenBy.PATH)
    raise TargetError(
        "no Python was found on PATH: name the one to examine with --python PATH (an interpreter or an environment's folder)"
    )


def _asked_for(option: str, around: Surroundings) -> Choice:
    if not option:
        raise TargetError(
            "--python is empty: a command between $( ) printed nothing? Name an interpreter or an environment's folder"
        )
    path = _expanded(option)
    if os.path.isdir(path):
        own = interpreter_in(path, around.windows)
        pythons = (own,) if own else tuple(_within(path, around.windows))
        if not pythons:
            why = _dead_link(path) or "looked for bin/python3, Scripts\\python.exe, python.exe"
            hint = f"; did you mean {path.parent}?" if path.name in ("bin", "Scripts") else ""
            raise TargetError(f"--python {option}: this folder holds no interpreter ({why}){hint}")
        others = "".join(f"; {_absolute(python)} is there too" for python in pythons[1:])
        return Choice(_absolute(pythons[0]), f"named by --python{others}")
    if os.path.isfile(path):
        resolved = _resolved(_absolute(path), around)
        if resolved is None and _is_store_alias(str(path)):
            raise TargetError(f"--python {option}: this is {STORE_ALIAS}")
        return Choice(resolved or _absolute(path), "named by --python")
    found = shutil.which(option, path=around.environment.get("PATH"))
    if found is None:
        raise TargetError(f"--python {option}: no such file, folder or command")
    found = _absolute(Path(found))
    resolved = _resolved(found, around)
    if resolved is None:
        what = STORE_ALIAS if _is_store_alias(found) else "a shim that leads to no Python (no version is set)"
        raise TargetError(f"--python {option}: {found} is {what}")
    return Choice(resolved, "named by --python")


def _expanded(option: str) -> Path:
    """Return the path with its `~` followed.

    Raises:
        TargetError: there is no such user, or no home folder.
    """
    path = Path(os.path.expanduser(option))
    if str(path).startswith("~") and not os.path.lexists(path):
        user = option[1:].replace("\\", "/").split("/")[0]
        raise TargetError(
            f"--python {option}: "
            + (f"there is no user {user} here" if user else "the home folder is not known ($HOME is not set)")
        )
    return path


def _absolute(path: Path) -> str:
    """Return the absolute path; where the working folder was deleted, the path as it is."""
    try:
        return str(path.absolute())
    except OSError:
        return str(path)


def interpreter_in(folder: Path, windows: bool) -> Path | None:
    """Return the interpreter of an environment's folder (venv, conda, embeddable package), None where there is none."""
    names = ("Scripts/python.exe", "python.exe") if windows else ("bin/python3", "bin/python")
    others = ("bin/python3", "bin/python") if windows else ("Scripts/python.exe", "python.exe")
    for name in (*names, *(() if windows else others)):
        candidate: Path = folder / name
        if os.path.isfile(candidate):
            return candidate
    return None


def _dead_link(folder: Path) -> str:
    """Return what is wrong with the interpreter's link in a folder, in words, or empty where there is no such link."""
    for name in ("bin/python3", "bin/python", "Scripts/python.exe"):
        link = folder / name
        if os.path.islink(link):
            leads = os.path.join(os.path.dirname(link), os.readlink(link))
            return f"{link} leads to {leads}, which " + ("is not there" if _searchable(leads) else "you may not read")
    return ""


PROGRAMS = (b"#!", b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How files begin that a system starts: scripts, and programs of Linux, Windows and macOS."""


def start_refused(python: str, error: OSError) -> str:
    """Return why the system did not start a file as an interpreter, in words with the way out."""
    way_out = "make the environment anew, or name another with --python PATH"
    refused = error.strerror or str(error)
    try:
        mode = os.stat(python).st_mode
        with open(python, "rb") as stream:
            start = stream.read(512)
    except OSError:
        return f"{python} cannot be started: {refused}"
    if not start.startswith(PROGRAMS):
        return f"{python} cannot be started: it is no program; {way_out}"
    if isinstance(error, PermissionError) and not mode & 0o111:
        return f"{python} cannot be started: it is not executable. Run `chmod +x {shlex.quote(python)}`, {way_out}"
    if isinstance(error, FileNotFoundError) and start.startswith(b"#!"):
        words = start[2:].split(b"\n")[0].split()
        named = words[0].decode(errors="replace") if words else ""
        if named and not os.path.exists(named):
            return f"{python} cannot be started: the interpreter in its first line, {named}, does not exist: {way_out}"
    if isinstance(error, FileNotFoundError) and start.startswith(b"\x7fELF"):
        return f"{python} cannot be started: it was built for another system, whose loader is not here: {way_out}"
    return f"{python} cannot be started: {refused}"


def _searchable(path: str) -> bool:
    """Return whether all folders above a path may be searched by this user."""
    return all(
        os.access(parent, os.X_OK, effective_ids=os.access in os.supports_effective_ids)
        for parent in Path(path).parents
        if os.path.lexists(parent)
    )


def _within(folder: Path, windows: bool) -> Iterator[Path]:
    """Yield the interpreters of a project's or an application's folder."""
    for name in WITHIN:
        python = interpreter_in(folder / name, windows)
        if python is not None:
            yield python


def isolated_tool(prefix: str) -> str:
    """Return the tool that made an isolated environment for one program (`pipx`, `uv tool`), or empty."""
    folder = Path(prefix)
    if (folder / "pipx_metadata.json").exists() or "pipx" in folder.parts:
        return "pipx"
    if (folder / "uv-receipt.toml").exists() or any(
        part.startswith(("archive-v", "environments-v")) for part in folder.parts
    ):
        return "uv tool"
    return ""


def _on_path(around: Surroundings) -> Iterator[tuple[str, str]]:
    """Interpreters on PATH that really are Pythons, each with the name that found it."""
    for name in ("python", "python3", "py") if around.windows else ("python3", "python"):
        found = shutil.which(name, path=around.environment.get("PATH"))
        resolved = _resolved(_absolute(Path(found)), around) if found else None
        if resolved is not None:
            yield resolved, name


def _resolved(path: str, around: Surroundings) -> str | None:
    """Return the interpreter behind a shim, a launcher or a Store alias; the path itself where it is none; None where it is no Python."""
    if not _stands_for_another(path):
        return path
    arguments = [path, *(["-3"] if Path(path).stem.lower() == "py" else []), "-c", "import sys; print(sys.executable)"]
    answer = (around.run or _run)(arguments)
    lines = [line.strip() for line in (answer or "").splitlines() if line.strip()]
    return lines[-1] if lines and (os.path.isfile(lines[-1]) or around.run is not None) else None


def _stands_for_another(path: str) -> bool:
    """Return whether a file is a pyenv or asdf shim, the `py` launcher, or an alias of the Windows Store."""
    parts = [part.lower() for part in path.replace("\\", "/").split("/")]
    return "shims" in parts or parts[-1] in ("py", "py.exe") or "windowsapps" in parts


def _is_store_alias(path: str) -> bool:
    """Return whether a path is one of the empty files by which Windows offers the Store in place of a program."""
    return "windowsapps" in path.replace("\\", "/").lower().split("/")


def _run(arguments: list[str]) -> str | None:
    owner = foreign_owner(arguments[0])  # a shim is a script of whoever made it
    account = owner if owner is not None and may_become(owner, arguments[0]) else None
    try:
        ended = run(arguments, RESOLVE_SECONDS, os.environ, account=account)
    except OSError:
        return None
    return ended.stdout if ended.code == 0 else None


def other_interpreters(chosen: str, around: Surroundings) -> tuple[tuple[str, str], ...]:
    """Return (interpreter, torch's version or empty) of other environments nearby, found by looking at files only."""
    folders = [around.environment.get(name, "") for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    folders += [".venv", "venv", "python_embeded"]
    pythons = [interpreter_in(Path(folder), around.windows) for folder in folders if folder]
    for name in ("python3", "python"):
        found = shutil.which(name, path=around.environment.get("PATH"))
        if found and not _stands_for_another(found):
            pythons.append(Path(found))
    rows = {}
    for python in pythons:
        if python is not None and not _same(str(python), chosen):
            rows[_absolute(python)] = torch_version_near(python)
    return tuple(rows.items())


def _same(one: str, other: str) -> bool:
    """Return whether two paths lead to one environment; a venv's interpreter is a link, so folders are compared."""
    try:
        return os.path.realpath(os.path.dirname(one)) == os.path.realpath(os.path.dirname(other))
    except OSError:  # the working folder was deleted
        return one == other


def torch_version_near(python: Path) -> str:
    """Return the version of the torch in an interpreter's own site-packages, or empty, without running it."""
    prefix = python.parent.parent if python.parent.name in ("bin", "Scripts") else python.parent
    for pattern in ("lib/python3*/site-packages", "Lib/site-packages"):
        for site in prefix.glob(pattern):
            for info in site.glob("torch-*.dist-info"):
                return info.name[len("torch-") : -len(".dist-info")]
    return ""
