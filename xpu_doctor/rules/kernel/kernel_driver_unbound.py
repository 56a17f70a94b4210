"""The kernel knows the GPU, but neither i915 nor xe is bound to it."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Kernel, LogLine, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, holds, known, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.kernel import KeptAway, Unbound, bind_driver
from xpu_doctor.rules.support.gpus import paths, subject, told
from xpu_doctor.tables.gpus import device_of, title, usable

GRAPHICS = ("i915", "xe")
WORDS = {
    Unbound.VIRTUAL_MACHINE: "it is reserved for a virtual machine",
    Unbound.PARAMETER: "the kernel was booted with {}",
    Unbound.FIRMWARE: "its firmware could not be loaded ({})",
    Unbound.GAVE_UP: "the driver gave up ({})",
    Unbound.NO_MODULE: "the module {} is not loaded, or this kernel has none",
    Unbound.NOT_SEEN: "",
}
IN_THE_LOG = (
    (Unbound.FIRMWARE, ("firmware", "failed")),
    (Unbound.FIRMWARE, ("Direct firmware load",)),
    (Unbound.FIRMWARE, ("firmware", "error -")),
    (Unbound.GAVE_UP, ("probe", "failed")),
    (Unbound.GAVE_UP, ("error -",)),
)
"""Words that stand together in a line of the kernel's log, and what they mean; the first that is met decides."""


class KernelDriverUnbound(Rule):
    """The kernel knows the GPU, but neither i915 nor xe is bound to it."""

    code = "kernel-driver-unbound"
    layer = Layer.KERNEL
    systems = ("linux",)
    explains = {
        "container-no-device": "without a kernel driver there is no render node that a container could be given",
        "gpu-driver-bug": "without a kernel driver zeInit finds no device and fails as it does where the driver is at fault",
        "program-never-used-gpu": "without a kernel driver no program reaches the GPU",
        "xpu-unavailable": "without a kernel driver there is no render node to reach the GPU through",
    }

    def check(self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel) -> Iterator[Finding]:
        """Found for each GPU whose bound driver is known and is neither i915 nor xe."""
        if known(machine.os) != "linux" or holds(machine.wsl):
            return
        seen = known(gpus)
        loose = [gpu for gpu in usable(seen) if told(gpu, seen, "kernel_driver") not in GRAPHICS]
        for gpu in loose:
            device = device_of(gpu)
            wanted = device.family.kernel_driver[0] if device else "i915 or xe"
            kept = _kept_away(gpu, kernel, wanted)
            bound, why = known(gpu.kernel_driver), WORDS[kept.cause].format(kept.shown)
            state = (
                f"belongs to the kernel driver {bound} instead of {wanted}"
                if bound
                else f"has no kernel driver, it needs {wanted}"
            )
            yield self.found(
                subject(loose if len(loose) > 1 else [gpu], seen),
                f"{title(gpu)} {state}" + (f": {why}" if why else ""),
                confidence=Confidence.CERTAIN if device and not _may_be_unknown(gpu, kernel) else Confidence.LIKELY,
                evidence=(*paths([gpu], seen, "kernel_driver"), *((kept.fact,) if kept.fact else ())),
                remedies=bind_driver(machine, wanted, kept),
            )
            if len(loose) == len(usable(seen)):
                return


def _may_be_unknown(gpu: Gpu, kernel: Kernel) -> bool:
    """Return whether the kernel's number is below the first one that drives the GPU: it may not know the GPU at all."""
    device = device_of(gpu)
    minimum = device.family.min_kernel if device else ""
    return (
        bool(minimum)
        and known_or(gpu.kernel_driver, "") == ""
        and (0, 0) < release(known_or(kernel.version, "")) < release(minimum)
    )


def _kept_away(gpu: Gpu, kernel: Kernel, wanted: str) -> KeptAway:
    """Return what keeps the driver away, and the fact that shows it."""
    if known(gpu.kernel_driver).startswith("vfio"):
        return KeptAway(Unbound.VIRTUAL_MACHINE)
    for word in known_or(kernel.command_line, ()):
        if _forbids(word, gpu, wanted):
            return KeptAway(Unbound.PARAMETER, word, "kernel.command_line")
    log = known_or(kernel.gpu_log, ())
    for cause, words in IN_THE_LOG:
        line = _first(log, words)
        if line:
            return KeptAway(cause, line.text, "kernel.gpu_log")
    modules = kernel.modules
    if isinstance(modules, tuple) and wanted in GRAPHICS and wanted not in modules:
        return KeptAway(Unbound.NO_MODULE, wanted, "kernel.modules")
    return KeptAway(Unbound.NOT_SEEN)


def _forbids(word: str, gpu: Gpu, wanted: str) -> bool:
    """Return whether a parameter of the kernel keeps the wanted driver from this GPU."""
    name, _, value = word.partition("=")
    if name == "nomodeset" or (name in ("i915.modeset", "xe.modeset") and value == "0"):
        return True
    if name.endswith("blacklist"):
        return any(module in value.split(",") for module in GRAPHICS)
    denied = f"!{gpu.device_id:04x}" if isinstance(gpu.device_id, int) else ""
    return bool(denied) and name.endswith(".force_probe") and name.startswith(wanted) and denied in value.lower()


def _first(lines: tuple[LogLine, ...], words: tuple[str, ...]) -> LogLine | None:
    return next((line for line in lines if all(word.lower() in line.text.lower() for word in words)), None)
