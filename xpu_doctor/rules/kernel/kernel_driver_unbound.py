"""The kernel knows the GPU, but neither i915 nor xe is bound to it."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Kernel, LogLine, Machine
from xpu_doctor.model.findings import Confidence, Finding, Layer
from xpu_doctor.model.unknown import Maybe, known, known_or
from xpu_doctor.remedies.kernel import bind_driver
from xpu_doctor.rules.support.gpus import paths, subject, told
from xpu_doctor.tables.gpus import device_of, title, usable

GRAPHICS = ("i915", "xe")


class KernelDriverUnbound(Rule):
    """A GPU that torch may use has no graphics driver, or one that keeps it for a virtual machine."""

    code = "kernel-driver-unbound"
    layer = Layer.KERNEL
    explains = {
        "container-no-device": "without a kernel driver there is no render node that a container could be given",
        "gpu-driver-bug": "without a kernel driver zeInit finds no device and fails as it does where the driver is at fault",
        "xpu-unavailable": "without a kernel driver there is no render node to reach the GPU through",
    }

    def check(self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel) -> Iterator[Finding]:
        """Found for each GPU whose bound driver is known and is neither i915 nor xe."""
        if known(machine.os) != "linux" or known_or(machine.wsl, False) is True:
            return
        seen = known(gpus)
        loose = [gpu for gpu in usable(seen) if told(gpu, seen, "kernel_driver") not in GRAPHICS]
        for gpu in loose:
            device = device_of(gpu)
            wanted = device.family.kernel_driver[0] if device else "i915 or xe"
            why, fact = _why(gpu, kernel, wanted)
            bound = known(gpu.kernel_driver)
            state = f"belongs to the kernel driver {bound}" if bound else "has no kernel driver"
            yield self.found(
                subject(loose if len(loose) > 1 else [gpu], seen),
                f"{title(gpu)} {state} instead of {wanted}" + (f": {why}" if why else ""),
                confidence=Confidence.CERTAIN if device else Confidence.LIKELY,
                evidence=(*paths([gpu], seen, "kernel_driver"), *((fact,) if fact else ())),
                remedies=bind_driver(machine, bound, wanted, why),
            )
            if len(loose) == len(usable(seen)):
                return


def _why(gpu: Gpu, kernel: Kernel, wanted: str) -> tuple[str, str]:
    """Return what keeps the driver away, in words, and the fact that shows it."""
    if known(gpu.kernel_driver).startswith("vfio"):
        return "it is reserved for a virtual machine", ""
    for word in known_or(kernel.command_line, ()):
        name, _, value = word.partition("=")
        if name == "nomodeset":
            return "the kernel was booted with nomodeset", "kernel.command_line"
        if name.endswith(("blacklist",)) and any(module in value.split(",") for module in GRAPHICS):
            return f"the kernel was booted with {word}", "kernel.command_line"
        if name in ("i915.modeset", "xe.modeset") and value == "0":
            return f"the kernel was booted with {word}", "kernel.command_line"
        if (
            name.endswith(".force_probe")
            and isinstance(gpu.device_id, int)
            and f"!{gpu.device_id:04x}" in value.lower()
            and name.startswith(wanted)
        ):
            return f"the kernel was booted with {word}", "kernel.command_line"
    log = known_or(kernel.gpu_log, ())
    firmware = _first(log, ("firmware", "failed")) or _first(log, ("Direct firmware load",))
    if firmware:
        return f"its firmware could not be loaded ({firmware.text})", "kernel.gpu_log"
    failed = _first(log, ("probe", "failed")) or _first(log, ("error -",))
    if failed:
        return f"the driver gave up ({failed.text})", "kernel.gpu_log"
    modules = kernel.modules
    if isinstance(modules, tuple) and wanted in GRAPHICS and wanted not in modules:
        return f"the module {wanted} is not loaded, or this kernel has none", "kernel.modules"
    return "", ""


def _first(lines: tuple[LogLine, ...], words: tuple[str, ...]) -> LogLine | None:
    return next((line for line in lines if all(word.lower() in line.text.lower() for word in words)), None)
