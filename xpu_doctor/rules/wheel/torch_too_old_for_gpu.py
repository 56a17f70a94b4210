"""This torch is older than its support for the GPU."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.conditions import numbers
from xpu_doctor.facts import Distributions, Gpu, Pasted, Torch
from xpu_doctor.findings import Confidence, Finding, Layer, Remedy, Risk
from xpu_doctor.rule import Rule
from xpu_doctor.tables.devices import device_of, intel_gpus, title
from xpu_doctor.unknown import Maybe, known, known_or

NATIVE = (2, 4)
"""First torch release with torch.xpu of its own; older ones reach XPU through the Intel Extension only."""


class TorchTooOldForGpu(Rule):
    """The table says that XPU builds know this GPU only from a later release on."""

    code = "torch-too-old-for-gpu"
    layer = Layer.WHEEL
    confidence = Confidence.LIKELY
    from_table = True
    explains = frozenset({"xpu-unavailable", "compute-failed"})

    def check(self, torch: Torch, gpus: Maybe[tuple[Gpu, ...]], distributions: Distributions, pasted: Pasted) -> Iterator[Finding]:
        """Found where every supported GPU needs a later torch than the one installed."""
        version = numbers(known(torch.version))
        mine = [(gpu, device) for gpu in intel_gpus(known(gpus)) if (device := device_of(gpu)) is not None and device.family.min_torch]
        extension = known_or(distributions.find("intel-extension-for-pytorch"), None)
        if not mine or version < NATIVE or extension is not None or known_or(pasted.ipex, False):
            return
        if all(version < numbers(device.family.min_torch) for _, device in mine):
            gpu, device = mine[0]
            yield self.found(
                "torch",
                f"torch {torch.version} is older than XPU support for {title(gpu)}, which begins with {device.family.min_torch}",
                evidence=("torch.version", "gpus"),
                remedies=(
                    Remedy(
                        f"Install torch {device.family.min_torch} or newer, best the latest, from the XPU index",
                        "older XPU builds hold no kernels for this GPU",
                        ("python -m pip install --upgrade torch torchvision torchaudio --index-url https://download.pytorch.org/whl/xpu",),
                        risk=Risk.REINSTALL,
                        verify=("python -c \"import torch; print(torch.__version__, torch.xpu.is_available())\"",),
                        url=device.family.source,
                    ),
                ),
            )
