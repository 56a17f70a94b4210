"""How the packages of an operating system are installed: by the tool that the distribution has, step by step."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.unknown import known_or
from xpu_doctor.tables.distributions import Distribution

INSTALL: dict[str, tuple[str, ...]] = {
    "apt": ("sudo apt-get update", "sudo apt-get install -y {}"),
    "dnf": ("sudo dnf install -y {}",),
    "zypper": ("sudo zypper --non-interactive install {}",),
    "pacman": ("sudo pacman -Syu --needed {}",),
    "emerge": ("sudo emerge --noreplace {}",),
}
"""What each package manager is told; pacman updates the whole system, since it knows no partial upgrade."""


def in_order(*steps: str) -> tuple[str, ...]:
    """Return steps as one line that stops at the first step that fails; empty without steps."""
    return (" && ".join(steps),) if steps else ()


def without_sudo(machine: Machine, steps: Iterable[str]) -> tuple[str, ...]:
    """Return steps as this machine takes them: in a container one is root already, and sudo is not there."""
    inside = bool(known_or(machine.container, ""))
    return tuple(step.replace("sudo ", "") if inside else step for step in steps)


def install_steps(found: Distribution, packages: Iterable[str]) -> tuple[str, ...]:
    """Return the steps that install packages of the distribution's own archive, empty where it has no such tool."""
    names = " ".join(packages)
    return tuple(step.format(names) for step in INSTALL.get(found.manager, ())) if names else ()
