"""Remedies of the driver and the kernel for a finding that a message implies, where the text tells the distribution."""

from __future__ import annotations

from functools import lru_cache

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.facts.pasted import Pasted
from xpu_doctor.model.findings import Remedy
from xpu_doctor.model.unknown import holds, known_or


def for_machine(code: str, machine: Machine, pasted: Pasted) -> tuple[Remedy, ...]:
    """Return what to do about a code on this machine; empty where its distribution is not known, or no remedy depends on it."""
    if code not in CODES or known_or(machine.os, "linux") == "windows" or not known_or(machine.distribution, ""):
        return ()
    inside = holds(pasted.in_container) and code != "kernel-too-old"
    told = Machine(
        os=machine.os,
        distribution=machine.distribution,
        distribution_version=machine.distribution_version,
        distribution_like=machine.distribution_like,
        distribution_codename=machine.distribution_codename,
        distribution_variant=machine.distribution_variant,
        wsl=machine.wsl,
        container="container" if inside else machine.container,
    )
    return _remedies(code, told, known_or(pasted.kernel_below, ""))


@lru_cache(maxsize=256)
def _remedies(code: str, machine: Machine, minimum_kernel: str) -> tuple[Remedy, ...]:
    from xpu_doctor.remedies import driver, kernel
    from xpu_doctor.remedies.runtime import compiler

    if code == "kernel-too-old":
        return kernel.newer_kernel(machine, minimum_kernel)
    if code == "compile-toolchain":
        return compiler(machine)
    if code.startswith("level-zero-loader"):
        return driver.install_loader(machine)[:2]
    return driver.install_driver(machine, newest=code == "gpu-driver-too-old")


CODES = frozenset(
    {
        "gpu-driver-missing",
        "gpu-driver-too-old",
        "level-zero-loader-missing",
        "level-zero-loader-too-old",
        "kernel-too-old",
        "compile-toolchain",
    }
)
"""The codes whose remedies are other ones on another distribution."""
