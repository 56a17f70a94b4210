"""Remedies of the runtime layer: reinstall Intel's packages at the pinned versions, leave oneAPI's variables out, get a redistributable."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Installer, Machine, Python
from xpu_doctor.model.findings import Remedy, Risk, Shell
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.commands import interpreter, lines, shell_of
from xpu_doctor.remedies.install import own_environment
from xpu_doctor.remedies.packages import chain, pip_command, pip_first, uv
from xpu_doctor.remedies.patient import untouchable
from xpu_doctor.remedies.system_packages import in_order, install_steps, without_sudo
from xpu_doctor.remedies.variables import CODE
from xpu_doctor.tables.distributions import distribution_of
from xpu_doctor.tables.libraries import compiler_packages, system_package
from xpu_doctor.tables.releases import STABLE

REDISTRIBUTABLE = "https://aka.ms/vs/17/release/vc_redist.x64.exe"


def reinstall_packages(python: Python, installer: Installer, specs: Iterable[str], why: str) -> Remedy:
    """Return the remedy that puts Intel packages back at exact versions, and touches nothing else."""
    wanted, name = tuple(specs), interpreter(python)
    if untouchable(python, installer):
        return own_environment(python, installer)
    if known_or(installer.manager, "pip") in ("uv", "uv-project"):
        command = Command(
            (
                *uv(installer, name),
                "pip",
                "install",
                "--python",
                name,
                "--reinstall",
                "--no-deps",
                *wanted,
                "--index-url",
                STABLE,
            )
        )
    else:
        options = ("--force-reinstall", "--no-deps", "--no-cache-dir")
        command = pip_command(python, (name, "-m", "pip", "install", *options, *wanted, "--index-url", STABLE))
    return Remedy(
        title="Reinstall the Intel runtime packages at the versions that this torch requires",
        why=why,
        commands=chain((*pip_first(python, installer, command), command), known_or(python.os, "linux")),
        os=known_or(python.os, ""),
        manager="uv" if known_or(installer.manager, "pip") in ("uv", "uv-project") else "pip",
        risk=Risk.REINSTALL,
        verify=lines((Command((name, "-c", CODE)),), shell_of(python)),
    )


def redistributable(python: Python) -> Remedy:
    """Return the remedy that installs the Visual C++ runtime of today."""
    return Remedy(
        title="Install the current Microsoft Visual C++ Redistributable (x64)",
        why="torch and Intel's libraries use it, and Windows does not bring it.",
        commands=("winget install --id Microsoft.VCRedist.2015+.x64 --exact",),
        os="windows",
        manager="winget",
        risk=Risk.ADMIN,
        verify=lines((Command((interpreter(python), "-c", CODE)),), shell_of(python)),
        url=REDISTRIBUTABLE,
    )


def system_libraries(python: Python, machine: Machine, names: Iterable[str]) -> Remedy | None:
    """Return the remedy that installs libraries of the operating system, None where no package is known."""
    found = distribution_of(machine)
    manager = found.manager
    packages = tuple(dict.fromkeys(filter(None, (system_package(name, manager) for name in names))))
    if not manager or not packages:
        return None
    return Remedy(
        title=f"Install {', '.join(packages)}",
        why="These libraries belong to the operating system; slim images leave them out.",
        commands=in_order(*without_sudo(machine, install_steps(found, packages))),
        os="linux",
        manager=manager,
        risk=Risk.ADMIN,
        verify=lines((Command((interpreter(python), "-c", CODE)),), Shell.SH),
    )


def compiler(machine: Machine) -> tuple[Remedy, ...]:
    """Return the remedy that installs what torch.compile builds with, empty where no package is known."""
    found = distribution_of(machine)
    packages = compiler_packages(found.family)
    steps = without_sudo(machine, install_steps(found, packages))
    if not steps:
        return ()
    return (
        Remedy(
            title=f"Install {', '.join(packages)}",
            why="torch.compile builds small programs on this machine: with a C++ compiler, Level Zero's headers and Python's.",
            commands=in_order(*steps),
            os="linux",
            manager=found.manager,
            risk=Risk.ADMIN,
        ),
    )


def newer_cpp_runtime(python: Python, installer: Installer) -> Remedy:
    """Return the remedy that gives an environment of conda's kind a newer libstdc++, by the program that keeps it."""
    prefix = known_or(python.prefix, "")
    packages = ("libstdcxx-ng", "libgcc-ng")
    if known_or(installer.manager, "") == "pixi" and installer.project:
        program = "pixi"
        command = Command(("pixi", "add", "--manifest-path", installer.project, *packages))
    else:
        program = installer.conda or "conda"
        where = ("--prefix", prefix) if prefix else ()
        command = Command((program, "install", "--yes", *where, "--channel", "conda-forge", *packages))
    return Remedy(
        title="Update the C++ runtime of this environment",
        why="Its libstdc++ is found before the system's and is older than what the system's libraries need.",
        commands=lines((command,), Shell.SH),
        os="linux",
        manager="pixi" if program == "pixi" else "conda",
        risk=Risk.REINSTALL,
        verify=lines((Command((interpreter(python), "-c", CODE)),), Shell.SH),
    )
