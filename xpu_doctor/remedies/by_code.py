"""Remedies for a finding that a message implies, where the text tells the distribution, or what runs the container."""

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
    inside = holds(pasted.in_container) and code != "wsl-setup"
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


def for_container(code: str, machine: Machine, pasted: Pasted) -> tuple[Remedy, ...]:
    """Return how the GPU gets into the containers that take part; empty where the code speaks of something else, or none does."""
    if code not in IN_CONTAINERS:
        return ()
    from xpu_doctor.remedies.containers import of_kinds

    if holds(pasted.in_container) and pasted.container_kinds:
        return of_kinds(pasted.container_kinds, machine)
    shifted = code == "device-permission" and known_or(pasted.node_group, "") in SHIFTED
    return of_kinds(("lxc",), machine) if shifted else ()


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
    return driver.install_driver(machine, newest=code in ("gpu-driver-too-old", "wsl-setup"))


CODES = frozenset(
    {
        "gpu-driver-missing",
        "gpu-driver-too-old",
        "level-zero-loader-missing",
        "level-zero-loader-too-old",
        "kernel-too-old",
        "compile-toolchain",
        "wsl-setup",
    }
)
"""The codes whose remedies are other ones on another distribution."""
SHIFTED = frozenset({"nobody", "number", "strange"})
"""How the group of a device node looks where the numbers of a guest are not those of its host."""
IN_CONTAINERS = frozenset({"container-no-device", "device-permission"})
"""The codes whose remedies are other ones where a container takes part."""
