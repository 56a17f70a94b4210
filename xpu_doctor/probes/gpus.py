"""Display and accelerator devices on the PCI bus of Linux, before any driver: sysfs alone."""

from __future__ import annotations

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.probes.machine import is_wsl
from xpu_doctor.probes.runner import probe
from xpu_doctor.tables.devices import DISPLAY_CLASS
from xpu_doctor.tables.gpus import is_intel_gpu

BUS = "/sys/bus/pci/devices"
ACCELERATOR_CLASS = 0x12
IORESOURCE_MEM = 0x200
BARS = 6
"""Rows of a `resource` file that are base address registers."""


@probe("gpus", layer=Layer.DEVICE, on=("linux",))
def gpus(host: Host) -> Maybe[tuple[Gpu, ...]]:
    """Display and accelerator devices on the PCI bus, each with the kernel driver bound to it (sysfs alone)."""
    names = host.list(BUS)
    if isinstance(names, Unknown):
        return Unknown(f"the PCI bus cannot be read: {names.reason}")
    if not names:
        return Unknown("the PCI bus shows no device at all")
    found = tuple(gpu for name in names if (gpu := _pci_gpu(host, name)) is not None)
    if is_wsl(host) is True and not any(gpu.vendor == "intel" for gpu in found):
        return Unknown("in WSL2 the bus shows Microsoft's adapter only: the GPU belongs to Windows")
    return found


def _pci_gpu(host: Host, name: str) -> Gpu | None:
    folder = f"{BUS}/{name}"
    pci_class = _hex(host.read(f"{folder}/class", 64))
    if not isinstance(pci_class, int) or pci_class >> 16 not in (DISPLAY_CLASS, ACCELERATOR_CLASS):
        return None
    vendor = _hex(host.read(f"{folder}/vendor", 64))
    gpu = Gpu(
        address=name,
        vendor_id=vendor if isinstance(vendor, int) else 0,
        device_id=_hex(host.read(f"{folder}/device", 64)),
        pci_class=pci_class,
        revision=_hex(host.read(f"{folder}/revision", 64)),
        kernel_driver=_base_name(host.link(f"{folder}/driver")),
        render_node=_render_node(host, folder),
        bar_bytes=bar_sizes(host.read(f"{folder}/resource", 8192)),
        memory_bytes=_memory(host, folder),
    )
    # Intel's NPUs sit in the accelerator class: they are no GPUs.
    return None if gpu.vendor == "intel" and not is_intel_gpu(gpu) else gpu


def _hex(text: Maybe[str]) -> Maybe[int]:
    if isinstance(text, Unknown):
        return text
    try:
        return int(text.strip(), 16)
    except ValueError:
        return Unknown(f"no hexadecimal number: {text.strip()[:20]!r}")


def _base_name(target: Maybe[str]) -> Maybe[str]:
    return target if isinstance(target, Unknown) else target.rstrip("/").rpartition("/")[2]


def _render_node(host: Host, folder: str) -> Maybe[str]:
    names = host.list(f"{folder}/drm")
    if isinstance(names, Unknown):
        return "" if host.exists(f"{folder}/drm") is False else names
    return next((name for name in names if name.startswith("renderD")), "")


def bar_sizes(resource: Maybe[str]) -> Maybe[tuple[int, ...]]:
    """Return the sizes in bytes of the memory regions of a sysfs `resource` file."""
    if isinstance(resource, Unknown):
        return resource
    sizes = []
    for line in resource.splitlines()[:BARS]:
        try:
            start, end, flags = (int(part, 16) for part in line.split())
        except ValueError:
            return Unknown(f"a row of `resource` is no range: {line[:60]!r}")
        if flags & IORESOURCE_MEM and end > start:
            sizes.append(end - start + 1)
    return tuple(sizes)


def _memory(host: Host, folder: str) -> Maybe[int]:
    for path in (
        *host.glob(f"{folder}/drm/card*/lmem_total_bytes"),
        *host.glob(f"{folder}/tile0/physical_vram_size_bytes"),
    ):
        said = host.read(path, 64)
        if isinstance(said, str) and said.strip().isdigit():
            return int(said)
    return Unknown("the kernel driver does not tell it")
