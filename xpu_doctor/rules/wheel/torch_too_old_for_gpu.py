"""This torch is older than its support for the GPU."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distributions, Gpu, Installer, Pasted, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy
from xpu_doctor.model.unknown import Maybe, known, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.install import newest_wanted, other_python, reinstall
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.devices import Family
from xpu_doctor.tables.gpus import device_of, intel_gpus, title

NATIVE = (2, 4)
"""First torch release with torch.xpu of its own; older ones reach XPU through the Intel Extension only."""


class TorchTooOldForGpu(Rule):
    """This torch is older than its support for the GPU."""

    code = "torch-too-old-for-gpu"
    layer = Layer.WHEEL
    confidence = Confidence.LIKELY
    from_table = True
    explains = {
        "compute-failed": "this torch has no kernels for a GPU that is newer than it",
        "program-never-used-gpu": "this torch does not know a GPU that is newer than it, so the program is offered none",
        "xpu-unavailable": "this torch, or the runtime that it brings, does not know a GPU that is newer than it",
    }

    def check(
        self,
        installation: Installation,
        gpus: Maybe[tuple[Gpu, ...]],
        pasted: Pasted,
    ) -> Iterator[Finding]:
        """Found where every supported GPU needs a later torch than the one installed."""
        version = numbers(known(installation.torch.version))
        mine = [
            (gpu, device)
            for gpu in intel_gpus(known(gpus))
            if (device := device_of(gpu)) is not None and device.family.min_torch
        ]
        extension = known_or(installation.distributions.find("intel-extension-for-pytorch"), None)
        if not mine or version < NATIVE or extension is not None or known_or(pasted.ipex, False):
            return
        if all(version < numbers(device.family.min_torch) for _, device in mine):
            gpu, device = mine[0]
            yield self.found(
                "torch",
                f"torch {installation.torch.version} is older than XPU support for {title(gpu)}, which begins with {device.family.min_torch}",
                evidence=(
                    "torch.version",
                    "gpus",
                    table_row(device.family, f"{device.family.codename}: torch {device.family.min_torch} or newer"),
                ),
                remedies=_newer(
                    installation.python,
                    installation.distributions,
                    installation.installer,
                    installation.torch,
                    device.family,
                ),
            )


def _newer(
    python: Python, distributions: Distributions, installer: Installer, torch: Torch, family: Family
) -> tuple[Remedy, ...]:
    """Return the whole sequence to the newest release."""
    title = f"Install torch {family.min_torch} or newer, best the latest, from the XPU index"
    why = "Older XPU builds hold no kernels for this GPU."
    newest = newest_wanted(python).release
    if newest and numbers(newest) < numbers(family.min_torch):  # no wheel that is new enough exists for this Python
        return other_python(python, installer)
    rows = reinstall(Installation(python, distributions, installer, torch), newest=True)
    return tuple(replace(row, title=title, why=f"{why} {row.why}".strip(), url=family.source) for row in rows)
