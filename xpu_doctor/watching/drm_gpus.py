"""Which Intel GPUs of this Linux have drivers that count, what is known of each, and why one may not count."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.host.interface import Host
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.facts.watched import WatchedGpu
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown
from xpu_doctor.probes.gpus import BUS, gpus
from xpu_doctor.tables.gpus import device_of, intel_gpus
from xpu_doctor.watching.drm_fdinfo import DRIVERS

# i915 prints `drm-engine-*` from Linux 5.19 on, with GuC submission (Arc, Xe and later) from 6.5 on; xe prints `drm-cycles-*` from 6.11 on:
# drivers/gpu/drm/i915/i915_drm_client.c and drivers/gpu/drm/xe/xe_drm_client.c of torvalds/linux, read 2026-11-27.
COUNT_SINCE = {"i915": "Linux 6.5 on (5.19 for GPUs without GuC)", "xe": "Linux 6.11 on"}


@dataclass(frozen=True)
class DrmGpu:
    """An Intel GPU with a driver whose clients tell what they use."""

    facts: WatchedGpu
    nodes: frozenset[str]
    """Names of its device files: `card0`, `renderD128`."""
    render_node: str
    """Empty where it has none."""


def drm_gpus(host: Host) -> Maybe[tuple[DrmGpu, ...]]:
    """Return the Intel GPUs on the bus that i915 or xe drives."""
    found: Maybe[tuple[Gpu, ...]] = gpus.gather(host)
    if isinstance(found, Unknown):
        return found
    driven = [(gpu, driver) for gpu in intel_gpus(found) if (driver := gpu.kernel_driver) in DRIVERS]
    return tuple(_drm_gpu(host, gpu, str(driver)) for gpu, driver in driven)


def _drm_gpu(host: Host, gpu: Gpu, driver: str) -> DrmGpu:
    names = host.list(f"{BUS}/{gpu.address}/drm")
    node = gpu.render_node if isinstance(gpu.render_node, str) else ""
    return DrmGpu(watched_gpu(gpu, driver), frozenset(() if isinstance(names, Unknown) else names), node)


def watched_gpu(gpu: Gpu, driver: str) -> WatchedGpu:
    """Return what is known of a GPU before anything was counted."""
    device = device_of(gpu)
    unlisted = Unknown("its id is not in this table")
    integrated: Maybe[bool] = not device.family.discrete if device is not None else unlisted
    return WatchedGpu(
        address=gpu.address,
        driver=driver,
        name=device.name if device is not None else (gpu.name or unlisted),
        device_id=gpu.device_id,
        integrated=integrated,
        memory_bytes=0 if integrated is True else gpu.memory_bytes,
    )


def unlisted_gpu(address: str, driver: str) -> WatchedGpu:
    """Return a GPU that only its clients tell of."""
    return WatchedGpu(
        address=address, driver=driver, device_id=Unknown("the PCI bus does not show it"), name=NOT_EXAMINED
    )


def why_uncounted(host: Host, driver: str) -> Unknown:
    """Return why a driver prints no engines for a client of the program."""
    kernel = host.read("/proc/sys/kernel/osrelease", 256)
    running = f"this is {kernel.strip()}" if isinstance(kernel, str) else "this kernel's version is not known"
    since = COUNT_SINCE.get(driver, "a later Linux on")
    return Unknown(
        f"the driver {driver} does not tell the engine time of the program: it does from {since}, {running}; "
        "virtual functions (SR-IOV) tell none"
    )
