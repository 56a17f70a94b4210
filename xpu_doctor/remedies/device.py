"""What to do where the GPU itself is the obstacle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from xpu_doctor.model.facts import XpuDevice
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.terms import UNNAMED_HYPERVISOR
from xpu_doctor.tables.device_names import named_gpus
from xpu_doctor.tables.devices import Family, GpuKind

HARDWARE = "https://docs.pytorch.org/docs/stable/notes/get_start_xpu.html"


_FIRST_DEVICE = "ONEAPI_DEVICE_SELECTOR=level_zero:0"
_OFTEN_FIRST = "the card is often 0"


def for_cards(remedy: Remedy, devices: Sequence[XpuDevice]) -> Remedy:
    """Return a remedy that selects a card by the number that it has in a listing of torch."""
    numbers = (each.index for each in devices if any(gpu.kind is GpuKind.DISCRETE for gpu in named_gpus(each.name)))
    card = next(numbers, 0)
    if not card:
        return remedy
    commands = tuple(line.replace(_FIRST_DEVICE, f"{_FIRST_DEVICE[:-1]}{card}") for line in remedy.commands)
    return replace(remedy, commands=commands, why=remedy.why.replace(_OFTEN_FIRST, f"here the card is {card}"))


def named(hypervisor: str) -> str:
    """Return a hypervisor's name in brackets after a space; empty where nobody told it."""
    return "" if hypervisor == UNNAMED_HYPERVISOR else f" ({hypervisor})"


ON_LINUX = ("lspci -nn -d 8086::0300", "lspci -nn -d 8086::0380")
ON_WINDOWS = ("pnputil /enum-devices /class Display",)
"""Both cmd.exe and PowerShell take it, and it needs no rights."""


def no_gpu(hypervisor: str, system: str = "linux") -> tuple[Remedy, ...]:
    """Return what helps where no Intel GPU is on the bus."""
    seen = ON_WINDOWS if system == "windows" else ON_LINUX
    install = Remedy(
        "Put a supported Intel GPU into the machine, or use another device",
        "torch.xpu drives Intel GPUs only. Without one, PyTorch computes on the CPU with any build; nothing has to be reinstalled.",
        verify=seen,
        url=HARDWARE,
    )
    firmware = Remedy(
        "If the GPU is in the machine, look in the firmware setup",
        "A card that is not seated or powered, or graphics that the firmware switches off, do not appear on the bus.",
        risk=Risk.REBOOT,
        verify=seen[:1],
    )
    if not hypervisor:
        return (install, firmware)
    return (pass_through(hypervisor, seen), install)


def look_in_device_manager() -> Remedy:
    """Return how to see why Windows does not start a GPU."""
    return Remedy(
        "If the GPU is in the machine, see what Device Manager says of it",
        "A card with a warning sign did not start: its properties tell why (code 43: the driver gave up; code 10: it cannot start), and Intel's newest "
        "driver, a power cable or the firmware's Above 4G decoding may help. One that is shown with hidden devices alone is not in the machine.",
        os="windows",
        verify=ON_WINDOWS,
    )


def pass_through(hypervisor: str, verify: tuple[str, ...] = ON_LINUX) -> Remedy:
    """Return how a virtual machine gets its host's GPU."""
    return Remedy(
        "Pass the host's Intel GPU through to this virtual machine",
        f"The hypervisor{named(hypervisor)} shows the guest only the devices that it is given: the whole PCI device (VFIO) or an SR-IOV function.",
        risk=Risk.ADMIN,
        verify=verify,
        url="https://docs.kernel.org/driver-api/vfio.html",
    )


def unsupported_gpu(family: Family) -> tuple[Remedy, ...]:
    """Return what helps where the GPU is one that PyTorch XPU does not support."""
    return (
        Remedy(
            "Compute on the CPU, or use a supported Intel GPU (Arc, Core Ultra graphics, Data Center GPU Max)",
            f"No PyTorch release is built or validated for {family.architecture} graphics; no driver or wheel changes that.",
            url=HARDWARE,
        ),
        Remedy(
            "For inference on this GPU, OpenVINO supports older Intel graphics",
            "It has kernels for integrated graphics that PyTorch has none for.",
            url="https://docs.openvino.ai/2025/about-openvino/release-notes-openvino/system-requirements.html",
        ),
    )
