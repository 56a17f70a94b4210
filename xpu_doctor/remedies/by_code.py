"""Remedies of the driver and the kernel for a finding that a message implies, where the text tells the distribution."""

from __future__ import annotations

from dataclasses import replace

from xpu_doctor.facts import Machine
from xpu_doctor.facts.pasted import Pasted
from xpu_doctor.findings import Remedy
from xpu_doctor.unknown import known_or


def for_machine(code: str, machine: Machine, pasted: Pasted) -> tuple[Remedy, ...]:
    """Return what to do about a code on this machine; empty where its distribution is not known, or no remedy depends on it."""
    if code not in CODES or known_or(machine.os, "linux") == "windows" or not known_or(machine.distribution, ""):
        return ()
    from xpu_doctor.remedies import driver

    if code == "kernel-too-old":
        return driver.newer_kernel(machine, known_or(pasted.kernel_below, ""))
    if known_or(pasted.in_container, False) is True:
        machine = replace(machine, container="container")
    if code.startswith("level-zero-loader"):
        return driver.install_loader(machine)[:2]
    return driver.install_driver(machine, newest=code == "gpu-driver-too-old")


CODES = frozenset({"gpu-driver-missing", "gpu-driver-too-old", "level-zero-loader-missing", "level-zero-loader-too-old", "kernel-too-old"})
"""The codes whose remedies are other ones on another distribution."""
