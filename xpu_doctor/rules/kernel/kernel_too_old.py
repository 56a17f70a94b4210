"""The running kernel does not know the GPU, or takes it only by force_probe."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Kernel, LevelZero, Machine, Pasted
from xpu_doctor.model.findings import Confidence, Evidence, EvidenceKind, Finding, Layer
from xpu_doctor.model.unknown import Maybe, holds, known, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.kernel import back_to_i915, newer_kernel
from xpu_doctor.rules.support.gpus import listed, paths, subject, told
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.distributions import carries_backports
from xpu_doctor.tables.gpus import device_of, title, usable

REFUSED = re.compile(
    r"graphics device ([0-9a-f]{4}) is not (?:properly )?(?:officially )?supported|force_probe=([0-9a-f]{4})",
    re.IGNORECASE,
)
XE_SOURCE = Evidence(
    "known case",
    "zeInit finds no device on an A770 that xe drives",
    "https://github.com/intel/compute-runtime/issues/905",
    EvidenceKind.CASE,
)


class KernelTooOld(Rule):
    """The running kernel does not know the GPU, or takes it only by force_probe."""

    code = "kernel-too-old"
    layer = Layer.KERNEL
    systems = ("linux",)
    explains = {
        "container-no-device": "a kernel that does not know the GPU makes no render node that a container could be given",
        "gpu-driver-bug": "without a kernel driver zeInit finds no device and fails as it does where the driver is at fault",
        "kernel-driver-unbound": "a kernel that does not know the GPU binds no driver to it",
        "program-never-used-gpu": "a kernel that does not know the GPU gives programs no way to it",
        "xpu-unavailable": "a kernel that does not know the GPU makes no render node to reach it through",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel, level_zero: LevelZero, pasted: Pasted
    ) -> Iterator[Finding]:
        """Found for each GPU without a kernel driver whose family needs a newer kernel, or which the kernel's log refuses."""
        if known(machine.os) != "linux" or holds(machine.wsl):
            return
        seen = known(gpus)
        yield from self._on_xe(machine, seen, kernel, level_zero)
        unbound = [gpu for gpu in usable(seen) if told(gpu, seen, "kernel_driver") == ""]
        if not unbound:
            return
        version = known(kernel.version)
        refused = _refused(kernel)
        for gpu in unbound:
            device = device_of(gpu)
            minimum = device.family.min_kernel if device else ""
            said = isinstance(gpu.device_id, int) and f"{gpu.device_id:04x}" in refused
            # (0, 0) is a version that nobody could parse: it is older than nothing.
            if not said and not (minimum and (0, 0) < release(version) < release(minimum)):
                continue
            sure = said or (
                device is not None
                and device.family.kernel_sure
                and not carries_backports(version, known_or(machine.distribution, ""))
                and not (isinstance(pasted.about_torch, bool) and "-generic" in version)
            )
            needs = f"it needs {minimum} or newer" if minimum else "it needs a newer one, or force_probe"
            yield self.found(
                subject([gpu], seen),
                f"kernel {version} does not drive {title(gpu)}: {needs}",
                confidence=Confidence.CERTAIN if sure else Confidence.LIKELY,
                evidence=(
                    "kernel.version",
                    *paths([gpu], seen, "kernel_driver"),
                    *(("kernel.gpu_log",) if said else ()),
                    *(
                        (table_row(device.family, f"{device.family.codename}: Linux {minimum} or newer"),)
                        if device and minimum and not said
                        else ()
                    ),
                ),
                remedies=newer_kernel(machine, minimum, device.family.kernel_package if device else ""),
            )

    def _on_xe(
        self, machine: Machine, gpus: tuple[Gpu, ...], kernel: Kernel, level_zero: LevelZero
    ) -> Iterator[Finding]:
        """Yield a finding for each GPU that belongs on i915, was given to xe by force_probe, and is not listed by Level Zero."""
        for gpu in usable(gpus):
            device = device_of(gpu)
            forced = device is not None and device.family.xe_force_probe and "xe" not in device.family.kernel_driver
            if forced and gpu.kernel_driver == "xe" and listed(gpu, level_zero) is False:
                yield self.found(
                    subject([gpu], gpus),
                    f"{title(gpu)} is driven by xe, which takes it only by force_probe: for computing it belongs to i915",
                    confidence=Confidence.LIKELY,
                    evidence=(
                        *paths([gpu], gpus, "kernel_driver"),
                        "kernel.command_line",
                        "level_zero.init_result",
                        XE_SOURCE,
                    ),
                    remedies=(back_to_i915(machine, gpu.device_id, _probes(kernel)),),
                )


def _probes(kernel: Kernel) -> tuple[str, ...]:
    """Return the parameters that give a GPU to xe and take it from i915."""
    return tuple(
        word for word in known_or(kernel.command_line, ()) if word.startswith(("xe.force_probe=", "i915.force_probe=!"))
    )


def _refused(kernel: Kernel) -> frozenset[str]:
    """Ids that i915 or xe said they do not take without force_probe."""
    lines = known_or(kernel.gpu_log, ())
    return frozenset(
        number.lower() for line in lines for match in REFUSED.finditer(line.text) for number in match.groups() if number
    )
