"""What to type where WSL2 does not show the GPU; each remedy says on which side."""

from __future__ import annotations

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.remedies.driver import WSL_GUIDE, install_driver


def set_up_wsl(machine: Machine) -> tuple[Remedy, ...]:
    """Return the steps in Windows, then those inside WSL."""
    return install_driver(machine)


def to_version_2() -> tuple[Remedy, ...]:
    """Return how to turn a distribution into a WSL 2 one."""
    return (
        Remedy(
            "In Windows (PowerShell): turn this distribution into a WSL 2 one",
            "Only WSL 2 has a Linux kernel of its own, and with it the GPU.",
            commands=("wsl --update", "wsl --list --verbose", "wsl --set-version DISTRIBUTION 2"),
            os="windows",
            risk=Risk.ADMIN,
            verify=("wsl --list --verbose",),
            url=WSL_GUIDE,
        ),
    )
