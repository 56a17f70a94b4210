"""Remedies about single packages and folders: one requirement put back, one distribution taken out, what an install left deleted."""

from __future__ import annotations

import re

from xpu_doctor.facts import Installer, Python
from xpu_doctor.findings import Remedy, Risk
from xpu_doctor.remedies.commands import Command, lines, shells
from xpu_doctor.unknown import known_or

IMPORT = "import torch; print(torch.__version__)"


def name_interpreter(os: str) -> Remedy:
    """Return how to examine another program than one that is no Python."""
    name = "py" if os == "windows" else "python3"
    return Remedy(
        "Name the Python that your program uses: an interpreter, or the folder of an environment",
        "Nothing of torch can be seen without it.",
        commands=lines([Command((name, "-c", "import sys; print(sys.executable)")), Command(("xpu-doctor", "check", "--python", name))], shells(os)[0]),
        os=os,
    )


def see_the_start(executable: str, os: str) -> Remedy:
    """Return how to see what ends an interpreter at its start."""
    return Remedy(
        "See what ends it at its start, and take that away",
        "A sitecustomize.py, a .pth file or a variable such as PYTHONHOME acts before any program does; -v names each file as it is read.",
        commands=lines([Command((executable, "-v", "-c", "pass"))], shells(os)[0]),
        verify=lines([Command((executable, "-c", "print('it starts')"))], shells(os)[0]),
        os=os,
    )


def requirement(python: Python, installer: Installer, spec: str) -> Remedy:
    """Return the remedy that puts one requirement of torch back, by the manager of the environment."""
    executable, os = _named(python)
    by_uv = known_or(installer.manager, "pip") in ("uv", "uv-project")
    if by_uv:
        command = Command((*uv(installer, executable), "pip", "install", "--python", executable, "--reinstall", "--no-deps", spec))
    else:
        command = Command((executable, "-m", "pip", "install", "--force-reinstall", "--no-deps", spec))
    first = pip_first(installer, executable, command)
    shell = shells(os)[0]
    return Remedy(
        f"Install {spec}, and nothing else",
        "Where the package is still registered a plain install would do nothing, so it is installed anew.",
        commands=lines([*first, command], shell),
        os=os,
        manager="uv" if by_uv else "pip",
        risk=Risk.REINSTALL,
        verify=lines([Command((executable, "-c", IMPORT))], shell),
    )


def pip_first(installer: Installer, executable: str, command: Command) -> list[Command]:
    """Return the command that brings pip where the next one needs it and it is not there, else none."""
    by_pip = command.argv[1:3] == ("-m", "pip")
    return [Command((executable, "-m", "ensurepip", "--upgrade"))] if by_pip and known_or(installer.has_pip, True) is False else []


def delete(python: Python, folders: tuple[str, ...]) -> Remedy:
    """Return the remedy that removes folders which an interrupted pip left behind."""
    executable, os = _named(python)
    names = ", ".join(re.sub(r"^.*[\\/]", "", path) for path in folders)
    return Remedy(
        f"Delete the folder{'s' if len(folders) > 1 else ''} {names}",
        "pip renames what it is about to replace. Nothing imports these folders; they take space and make pip warn.",
        commands=lines(deletions(executable, os, folders), shells(os)[0]),
        os=os,
    )


def uninstall(python: Python, installer: Installer, names: tuple[str, ...], title: str, why: str, url: str = "") -> Remedy:
    """Return the remedy that takes distributions out and installs nothing."""
    executable, os = _named(python)
    by_uv = known_or(installer.manager, "pip") in ("uv", "uv-project")
    command = (*uv(installer, executable), "pip", "uninstall", "--python", executable) if by_uv else (executable, "-m", "pip", "uninstall", "-y")
    shown = lines([Command((*command, *names))], shells(os)[0])
    return Remedy(title, why, shown, os=os, manager="uv" if by_uv else "pip", risk=Risk.REINSTALL, url=url)


def uv(installer: Installer, python: str) -> tuple[str, ...]:
    """Return how to call uv: by name, or as a module where the environment holds it and PATH does not."""
    return (python, "-m", "uv") if known_or(installer.uv, "") == "module" else ("uv",)


def deletions(python: str, os: str, folders: tuple[str, ...]) -> list[Command]:
    """Return the command that deletes folders, none where there is none to delete."""
    if not folders:
        return []
    if os == "windows":
        code = "import shutil, sys; [shutil.rmtree(name, ignore_errors=True) for name in sys.argv[1:]]"
        return [Command((python, "-c", code, *folders))]
    return [Command(("rm", "-rf", "--", *folders))]


def _named(python: Python) -> tuple[str, str]:
    """What to type for the interpreter, and its system."""
    os = known_or(python.os, "linux")
    return known_or(python.executable, "") or ("python" if os == "windows" else "python3"), os
