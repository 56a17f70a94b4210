"""The running kernel has a known fault in the GPU's driver."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Kernel, Machine
from xpu_doctor.model.facts.pasted import Pasted
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, holds, known, known_or
from xpu_doctor.model.versions import release
from xpu_doctor.remedies.kernel import newer_kernel
from xpu_doctor.rules.support.gpus import names, subject
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.drivers import BadKernel, KernelEffect, between
from xpu_doctor.tables.gpus import device_of, usable
from xpu_doctor.tables.rows import rows

HANG = re.compile(r"GPU HANG|Timedout job|[Ee]ngine reset|[Ww]edged")


class KernelRegression(Rule):
    """The running kernel has a known fault in the GPU's driver."""

    code = "kernel-regression"
    layer = Layer.KERNEL
    systems = ("linux",)
    severity = Severity.WARNING
    confidence = Confidence.LIKELY
    from_table = True
    explains = {
        "compute-failed": "these kernels fail or abort submitted work",
        "gpu-hang-logged": "these kernels hang or reset the GPU, and log it",
        "low-performance": "these kernels run the GPU at a wrong clock or with costly copies",
        "xpu-query-hung": "on these kernels a call into the driver may wait forever",
        "xpu-unavailable": "on these kernels the driver does not offer the device",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel, pasted: Pasted
    ) -> Iterator[Finding]:
        """Yield a note for each row whose kernels and GPU family fit; a warning where its effect was logged too."""
        if known(machine.os) != "linux" or holds(machine.wsl) or "kernel" in pasted.used_works:
            return
        seen = known(gpus)
        version = known(kernel.version)
        for row in rows(BadKernel):
            hit = [gpu for gpu in usable(seen) if (device := device_of(gpu)) and device.family.key in row.families]
            if hit and between(release(version), row.kernels):
                hung = row.effect is KernelEffect.HANG and any(
                    HANG.search(line.text) for line in known_or(kernel.gpu_log, ())
                )
                yield self.found(
                    subject(hit, seen),
                    f"kernel {version} has a known fault with {names(hit)}: {row.symptom}",
                    severity=Severity.WARNING if hung else Severity.INFO,
                    evidence=("kernel.version", table_row(row, row.id)),
                    remedies=newer_kernel(machine, row.fixed),
                )
