"""Remedies about single packages and folders: one requirement put back, one distribution taken out, what an install left deleted."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Installer, Python
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import denied, known_or
from xpu_doctor.remedies.commands import Unprintable, interpreter, lines, sequence, shells
from xpu_doctor.remedies.embedded import pip_for_embedded
from xpu_doctor.remedies.ownership import Owner, owner_of, parent

DELETE = "import os, shutil, sys; [shutil.rmtree(name) for name in sys.argv[1:] if os.path.isdir(name)]"
IMPORT = "import torch; print(torch.__version__)"


def chain(commands: Iterable[Command], os: str) -> tuple[str, ...]:
    """Return commands as a line for the usual shell of a system, or a comment that says why they cannot be written."""
    steps = tuple(commands)
    try:
        return sequence(steps, shells(os)[0])
    except Unprintable as reason:
        return (f"# no command is printed here: {reason}",)


def name_interpreter(os: str) -> Remedy:
    """Return how to examine another program than one that is no Python."""
    name = "py" if os == "windows" else "python3"
    return Remedy(
        "Name the Python that your program uses: an interpreter, or the folder of an environment",
        "Nothing of torch can be seen without it.",
        commands=lines(
            [
                Command((name, "-c", "import sys; print(sys.executable)")),
                Command(("xpu-doctor", "check", "--python", name)),
            ],
            shells(os)[0],
        ),
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
        command = Command(
            (*uv(installer, executable), "pip", "install", "--python", executable, "--reinstall", "--no-deps", spec)
        )
    else:
        command = pip_command(python, (executable, "-m", "pip", "install", "--force-reinstall", "--no-deps", spec))
    steps = (*pip_first(python, installer, command), command)
    proofs = (Command((executable, "-c", IMPORT)),)
    return Remedy(
        f"Install {spec}, and nothing else",
        "Where the package is still registered a plain install would do nothing, so it is installed anew.",
        commands=chain(steps, os),
        os=os,
        manager="uv" if by_uv else "pip",
        risk=Risk.REINSTALL,
        verify=lines(proofs, shells(os)[0]),
        steps=steps,
        proofs=proofs,
    )


def pip_command(python: Python, argv: tuple[str, ...]) -> Command:
    """Return a command of pip that leaves the user's own packages alone, which an interpreter outside of a virtual environment would change too."""
    apart = bool(known_or(python.user_site, "")) and denied(python.virtual_environment)
    return Command(argv, variables={"PYTHONNOUSERSITE": "1"} if apart else {})


def pip_first(python: Python, installer: Installer, command: Command) -> list[Command]:
    """Return the commands that bring pip where the next one needs it and it is not there, else none."""
    if command.argv[1:3] != ("-m", "pip") or known_or(installer.has_pip, True):
        return []
    if known_or(python.embedded, False) and not known_or(python.ensurepip, True):
        return pip_for_embedded(command.argv[0])
    ensure = [Command((command.argv[0], "-m", "ensurepip", "--upgrade"))]
    package = debian_package(python)
    if known_or(python.ensurepip, True) or not package:
        return ensure
    return [Command(("sudo", "apt-get", "install", "-y", package)), *ensure]


def debian_package(python: Python) -> str:
    """Return the package that brings ensurepip for an interpreter of Debian or Ubuntu, or empty."""
    entries = known_or(python.sys_path, ())
    version = ".".join(known_or(python.version, "").split(".")[:2])
    debian = known_or(python.base_prefix, "") == "/usr" and any(
        "/dist-packages" in entry or entry == f"/usr/lib/python{version}" for entry in entries
    )
    return f"python{version}-venv" if debian and version and known_or(python.os, "") == "linux" else ""


def delete(python: Python, folders: tuple[str, ...]) -> Remedy | None:
    """Return the remedy that removes folders which an interrupted pip left behind, None where they are not the environment's own."""
    executable, os = _named(python)
    own = tuple(path for path in folders if owner_of(parent(path), python) is Owner.TARGET)
    if not own:
        return None
    names = ", ".join(re.sub(r"^.*[\\/]", "", path) for path in own)
    steps = tuple(deletions(executable, os, own))
    return Remedy(
        f"Delete the folder{'s' if len(own) > 1 else ''} {names}",
        "pip renames what it is about to replace. Nothing imports these folders; they take space and make pip warn.",
        commands=chain(steps, os),
        os=os,
        steps=steps,
    )


def uninstall(
    python: Python, installer: Installer, names: tuple[str, ...], title: str, why: str, url: str = ""
) -> Remedy:
    """Return the remedy that takes distributions out and installs nothing."""
    executable, os = _named(python)
    by_uv = known_or(installer.manager, "pip") in ("uv", "uv-project")
    if by_uv:
        command = Command((*uv(installer, executable), "pip", "uninstall", "--python", executable, *names))
    else:
        command = pip_command(python, (executable, "-m", "pip", "uninstall", "-y", *names))
    shown, manager = chain([command], os), "uv" if by_uv else "pip"
    return Remedy(title, why, shown, os=os, manager=manager, risk=Risk.REINSTALL, url=url, steps=(command,))


def uv(installer: Installer, python: str) -> tuple[str, ...]:
    """Return how to call uv: by name, or as a module where the environment holds it and PATH does not."""
    return (python, "-m", "uv") if known_or(installer.uv, "") == "module" else ("uv",)


def deletions(python: str, os: str, folders: tuple[str, ...]) -> list[Command]:
    """Return the command that deletes folders, none where there is none to delete."""
    if not folders:
        return []
    if os == "windows":
        return [Command((python, "-c", DELETE, *folders))]
    return [Command(("rm", "-rf", "--", *folders))]


def _named(python: Python) -> tuple[str, str]:
    """Return what to type for the interpreter, and its system."""
    os = known_or(python.os, "linux")
    return interpreter(python), os
