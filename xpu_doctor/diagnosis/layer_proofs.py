"""What proves that a layer works by its own facts, or why that cannot be told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from xpu_doctor.diagnosis.program_use import ProgramUse
from xpu_doctor.diagnosis.program_words import judged_program, worked_words
from xpu_doctor.diagnosis.where_it_ran import proved_on_gpu, summary
from xpu_doctor.model.facts import Gpu, LevelZero
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin, TorchBuild
from xpu_doctor.model.unknown import NOT_EXAMINED, Undecided, Unknown, known
from xpu_doctor.tables.builds import named

WITHOUT_XPU = frozenset({TorchBuild.CPU, TorchBuild.CUDA, TorchBuild.ROCM})
"""Builds of torch that have no XPU device."""
NOT_IN_TEXT = "not in the text"
KERNEL_DRIVERS = ("xe", "i915")


@dataclass(frozen=True)
class Proof:
    """Whether a layer was seen to work; `pointless` where there is nothing to judge in it."""

    works: bool
    summary: str
    pointless: bool = False


def _proof(judge: Callable[[Snapshot], Proof]) -> Callable[[Snapshot], Proof]:
    """Turn a missing fact into a proof that fails with its reason."""

    def guarded(snapshot: Snapshot) -> Proof:
        try:
            return judge(snapshot)
        except Undecided as missing:
            pasted = snapshot.origin == Origin.PASTED and missing.unknown == NOT_EXAMINED
            return Proof(False, NOT_IN_TEXT if pasted else missing.unknown.reason)

    return guarded


def intel_gpus(snapshot: Snapshot) -> tuple[Gpu, ...]:
    """Return the Intel display devices.

    Raises:
        Undecided: the bus could not be read.
    """
    return tuple(gpu for gpu in known(snapshot.gpus) if gpu.vendor == "intel")


@_proof
def device(snapshot: Snapshot) -> Proof:
    """Return whether an Intel display device is on the bus."""
    gpus = intel_gpus(snapshot)
    if not gpus:
        return Proof(False, "no Intel display device was seen")
    return Proof(
        True, ", ".join(_named(gpu) for gpu in gpus[:4]) + (f" and {len(gpus) - 4} more" if len(gpus) > 4 else "")
    )


def _named(gpu: Gpu) -> str:
    number = f" ({gpu.vendor_id:04x}:{gpu.device_id:04x})" if isinstance(gpu.device_id, int) else ""
    return (gpu.name or "Intel GPU") + number


@_proof
def kernel(snapshot: Snapshot) -> Proof:
    """i915 or xe is bound to each Intel GPU, or Windows' own driver model is there."""
    if snapshot.machine.wsl is True:
        return Proof(False, "in WSL2 the kernel driver is on the Windows side", pointless=True)
    gpus = intel_gpus(snapshot)
    if snapshot.machine.os == "windows":
        return Proof(bool(gpus), "Windows' display driver model", pointless=not gpus)
    if not gpus:
        return Proof(False, "no Intel GPU to drive", pointless=True)
    drivers = [known(gpu.kernel_driver) for gpu in gpus]
    bound = sorted({driver for driver in drivers if driver in KERNEL_DRIVERS})
    if not bound:
        return Proof(False, "neither i915 nor xe is bound to the GPU")
    version = snapshot.kernel.version
    return Proof(True, f"{', '.join(bound)} bound" + (f", Linux {version}" if isinstance(version, str) else ""))


@_proof
def access(snapshot: Snapshot) -> Proof:
    """At least one device node opens, and none is refused."""
    if snapshot.machine.os == "windows":
        return Proof(False, "Windows has no device nodes to open", pointless=True)
    nodes = known(snapshot.access.nodes)
    opened = [node.path for node in nodes if node.error == ""]
    if opened:
        return Proof(True, f"{', '.join(opened[:3])} opened for reading and writing")
    if not nodes and isinstance(snapshot.gpus, tuple) and not intel_gpus(snapshot):
        return Proof(False, "no Intel GPU to open", pointless=True)
    if snapshot.origin == Origin.PASTED:
        return Proof(False, "the text does not show that the render node can be opened")
    return Proof(False, "no render node could be opened" if nodes else "there is no render node")


@_proof
def driver(snapshot: Snapshot) -> Proof:
    """Level Zero initialises and names a GPU."""
    told = snapshot.pasted.windows_driver
    if (
        snapshot.origin == Origin.PASTED
        and isinstance(told, str)
        and not isinstance(snapshot.level_zero.devices, tuple)
    ):
        return Proof(False, f"Windows driver {told}; the text does not show it at work")
    devices = known(snapshot.level_zero.devices)
    if devices:
        return Proof(
            True,
            f"Level Zero {_driver_version(snapshot.level_zero)}: {len(devices)} device{'s' if len(devices) != 1 else ''}",
        )
    if isinstance(snapshot.gpus, tuple) and not intel_gpus(snapshot):
        return Proof(False, "no Intel GPU to drive", pointless=True)
    return Proof(False, "Level Zero names no device")


def _driver_version(level_zero: LevelZero) -> str:
    drivers = level_zero.drivers
    versions = (
        [driver.version for driver in drivers if isinstance(driver.version, str)] if isinstance(drivers, tuple) else []
    )
    return f"with driver {', '.join(versions[:2])}" if versions else "works"


@_proof
def runtime(snapshot: Snapshot) -> Proof:
    """Every library that torch's XPU libraries need is found, of a fitting version."""
    if snapshot.torch.installed is False:
        return Proof(False, "no torch is installed", pointless=Layer.WHEEL.value not in snapshot.skipped)
    build = known(snapshot.torch.build)
    if build != TorchBuild.XPU:
        return Proof(False, f"{named(build)} needs no Intel runtime", pointless=True)
    walked = known(snapshot.libraries.complete)
    return Proof(walked, "all needed libraries are found" if walked else "not all needed libraries could be followed")


@_proof
def wheel(snapshot: Snapshot) -> Proof:
    """Return whether an XPU build is installed. Another one does not work for XPU; where no rule calls it a fault, there is nothing to judge."""
    if known(snapshot.torch.installed) is False:
        works = snapshot.imported.succeeded is True
        return Proof(
            False, "torch can be imported, and where its files lie is not known" if works else "no torch is installed"
        )
    version = snapshot.torch.version if isinstance(snapshot.torch.version, str) else "of unknown version"
    build = known(snapshot.torch.build)
    told = f"torch {version} ({build} build)"
    if build in WITHOUT_XPU and not _has_extension(snapshot):
        return Proof(False, f"{told} has no XPU support, a fault only where an Intel GPU is to be used", pointless=True)
    return Proof(True, told)


def _has_extension(snapshot: Snapshot) -> bool:
    """Return whether Intel's extension brings the XPU device to a torch without one."""
    installed = snapshot.distributions.find("intel-extension-for-pytorch")
    return snapshot.pasted.ipex is True or not (installed is None or isinstance(installed, Unknown))


@_proof
def import_(snapshot: Snapshot) -> Proof:
    """`import torch` succeeded."""
    if not known(snapshot.imported.succeeded):
        return Proof(False, "import torch failed")
    seconds = snapshot.imported.seconds
    return Proof(True, "import torch works" + (f" ({seconds:.1f} s)" if isinstance(seconds, float) else ""))


@_proof
def enumeration(snapshot: Snapshot) -> Proof:
    """Every device that torch.xpu counts took a small tensor; of a pasted text no more can be had than that torch said it finds one."""
    if snapshot.origin == Origin.PASTED and snapshot.xpu.available is True and snapshot.pasted.no_device is not True:
        return Proof(True, "torch says in the text that it finds a GPU")
    if known(snapshot.xpu.allocated):
        count = known(snapshot.xpu.device_count)
        return Proof(True, f"torch.xpu counts {count} device{'s' if count != 1 else ''}; each took a tensor")
    return Proof(False, "torch.xpu counts no device that takes a tensor")


@_proof
def compute(snapshot: Snapshot) -> Proof:
    """Return whether a matmul provably ran on a GPU."""
    facts: Any = getattr(snapshot, "compute", None)
    if snapshot.origin == Origin.PASTED and (facts is None or isinstance(facts.devices, Unknown)):
        return Proof(False, NOT_IN_TEXT, pointless=snapshot.xpu.available is True)
    examined = facts is not None and not isinstance(facts, Unknown) and facts.devices != NOT_EXAMINED
    program = judged_program(snapshot)
    if not examined and program is not None and program.computed_on_xpu:
        return Proof(True, worked_words(program))
    if not examined:
        return Proof(False, "the timed matmul was not run", pointless=True)

    return Proof(proved_on_gpu(facts), summary(facts), pointless=not known(facts.devices))


def application(snapshot: Snapshot) -> Proof:
    """Return whether a watched program computed on the GPU; else applications are judged by their rules alone."""
    program = judged_program(snapshot)
    if program is None:
        return Proof(False, "nothing about an application", pointless=True)
    if program.use.kind is ProgramUse.UNKNOWN:
        return Proof(False, program.use.reason, pointless=program.watched.inside == ())
    return Proof(program.computed, worked_words(program))


PROOFS: Mapping[Layer, Callable[[Snapshot], Proof]] = {
    Layer.DEVICE: device,
    Layer.KERNEL: kernel,
    Layer.ACCESS: access,
    Layer.DRIVER: driver,
    Layer.RUNTIME: runtime,
    Layer.WHEEL: wheel,
    Layer.IMPORT: import_,
    Layer.ENUMERATION: enumeration,
    Layer.COMPUTE: compute,
    Layer.APPLICATION: application,
}
"""A layer to the function that proves it."""
