"""What the tables know of a GPU that was found, by its id or by its name."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.tables.device_names import family_named
from xpu_doctor.tables.devices import DISPLAY_CLASS, Device, Support, families, find_device


def is_intel_gpu(gpu: Gpu) -> bool:
    """Return whether this is an Intel display device (or one that the table knows, whatever its class)."""
    if gpu.vendor != "intel":
        return False
    if isinstance(gpu.pci_class, int) and gpu.pci_class >> 16 != DISPLAY_CLASS:
        return isinstance(gpu.device_id, int) and find_device(gpu.device_id) is not None
    return True


def intel_gpus(gpus: Iterable[Gpu]) -> tuple[Gpu, ...]:
    """Return the Intel GPUs among display devices, in their order."""
    return tuple(gpu for gpu in gpus if is_intel_gpu(gpu))


@lru_cache(maxsize=256)
def find_named(name: str) -> Device | None:
    """Return what the tables know of a GPU that only a text names; None where the name does not tell the family."""
    family = family_named(name) if name else ""
    return Device(0, name, families()[family]) if family else None


def device_of(gpu: Gpu) -> Device | None:
    """Return the table's row for a GPU, by its id or else by its name; None where neither is in the table."""
    if gpu.vendor != "intel":
        return None
    return find_device(gpu.device_id) if isinstance(gpu.device_id, int) else find_named(gpu.name)


def support(gpu: Gpu) -> Maybe[Support]:
    """Return what PyTorch makes of an Intel GPU; unknown where it is not in the table."""
    device = device_of(gpu)
    if device is not None:
        return device.family.torch
    return (
        gpu.device_id
        if isinstance(gpu.device_id, Unknown)
        else Unknown(f"the id 0x{gpu.device_id:04x} is not in this table")
    )


def title(gpu: Gpu) -> str:
    """Return how to call a GPU in a sentence: name, then address."""
    device = device_of(gpu)
    if device is not None and (not gpu.name or not device.name.startswith("Intel(R) Graphics [")):
        name = device.name
        if device.name in ("Intel(R) Graphics", "Intel(R) Arc(TM) Graphics", "Intel(R) UHD Graphics"):
            name = f"{device.name} ({device.family.codename})"
    else:
        name = gpu.name or (f"Intel GPU 0x{gpu.device_id:04x}" if isinstance(gpu.device_id, int) else "Intel GPU")
    return f"{name} at {gpu.address}" if gpu.address else name


def usable(gpus: Iterable[Gpu]) -> tuple[Gpu, ...]:
    """Return the Intel GPUs that a torch with XPU may use: all but those that the table calls unsupported."""
    return tuple(gpu for gpu in intel_gpus(gpus) if support(gpu) is not Support.UNSUPPORTED)
