"""The Intel GPU is one that PyTorch's XPU builds do not support."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Machine, Pasted
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, known, known_or
from xpu_doctor.remedies.device import unsupported_gpu
from xpu_doctor.rules.support.table_row import table_row
from xpu_doctor.tables.devices import Device, Support
from xpu_doctor.tables.gpus import device_of, intel_gpus, support, title


class GpuUnsupported(Rule):
    """The Intel GPU is one that PyTorch's XPU builds do not support."""

    code = "gpu-unsupported"
    layer = Layer.DEVICE
    from_table = True
    explains = {
        "compute-failed": "the compute runtime has no code generator for this GPU, so no kernel runs on it",
        "gpu-driver-missing": "no driver of today serves this GPU, so installing one would fix nothing",
        "gpu-driver-too-old": "no newer driver serves this GPU, so an update would fix nothing",
        "level-zero-loader-missing": "there is no driver for this GPU that the loader could load",
        "level-zero-loader-too-old": "there is no driver for this GPU that a newer loader could load",
        "program-never-used-gpu": "torch offers programs no GPU that it and the driver do not support",
        "torch-cpu-wheel": "the XPU build does not know this GPU, so the CPU build is the right one",
        "torch-cuda-wheel": "the XPU build does not know this GPU, so a build for another vendor's GPU may be the right one",
        "torch-rocm-wheel": "the XPU build does not know this GPU, so a build for another vendor's GPU may be the right one",
        "xpu-unavailable": "torch.xpu offers only GPUs that the driver and torch support",
    }

    def check(self, gpus: Maybe[tuple[Gpu, ...]], pasted: Pasted, machine: Machine) -> Iterator[Finding]:
        """Found for each unsupported GPU: an error where no other Intel GPU is there, else a note."""
        mine = intel_gpus(known(gpus))
        poor = [gpu for gpu in mine if support(gpu) is Support.UNSUPPORTED]
        alone = len(poor) == len(mine)
        about_torch = known_or(pasted.about_torch, True)
        for number, gpu in enumerate(poor):
            device = device_of(gpu)
            if device is None:
                continue
            note = _note(device, known_or(machine.os, "linux"))
            yield self.found(
                "machine" if alone and number == 0 else f"gpu {gpu.address}",
                f"{title(gpu)} is {_kind(gpu, device)}: PyTorch XPU does not support it{note}",
                severity=_severity(alone, about_torch),
                confidence=_confidence(gpu, about_torch),
                evidence=(
                    *(
                        f"gpus[{place}].{'device_id' if isinstance(gpu.device_id, int) else 'name'}"
                        for place, other in enumerate(known(gpus))
                        if other is gpu
                    ),
                    table_row(device.family, f"{device.family.codename}: {device.family.torch.value}"),
                ),
                remedies=unsupported_gpu(device.family) if alone else (),
            )


def _note(device: Device, system: str) -> str:
    """Return what the table says besides of a family on a system, after a semicolon; empty where it says nothing."""
    notes = (device.family.note, device.family.linux_note if system == "linux" else "")
    return "".join(f"; {note}" for note in notes if note)


def _kind(gpu: Gpu, device: Device) -> str:
    """Return what the GPU is: its id tells the family, its name only the architecture."""
    family = device.family
    return (
        f"{family.codename} ({family.architecture})"
        if isinstance(gpu.device_id, int)
        else f"of the architecture {family.architecture}"
    )


def _severity(alone: bool, about_torch: bool) -> Severity:
    """Return error where it is the only GPU, and less where a text is about OpenCL or SYCL only, which such a GPU may run."""
    if not alone:
        return Severity.INFO
    return Severity.ERROR if about_torch else Severity.WARNING


def _confidence(gpu: Gpu, about_torch: bool) -> Confidence:
    """Return less for a name than for an id, and least for a text that leaves open what the GPU is wanted for."""
    if not about_torch:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if isinstance(gpu.device_id, int) else Confidence.LIKELY
