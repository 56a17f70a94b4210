"""Figures of a watched program that its use is judged by: times, shares, work. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from xpu_doctor.model.facts.watched import InsideReport, MemoryUse, Watched, WatchedGpu, WatchedProcess
from xpu_doctor.model.unknown import Unknown, holds, known_or

NOISE_SECONDS = 0.05
"""GPU time that merely looking at a device may cost."""
NOISE_SHARE, NOISE_AT_MOST = 0.001, 1.0
"""Of a long program: the part of its time, and the seconds, up to which GPU time is no use of the GPU."""
IMPORT_CPU_SECONDS = 10.0
"""What the import of torch may cost, where its end is not known."""
OWN_MEMORY = ("vram", "local", "dedicated")
"""How the regions of a GPU's own memory are called, at the beginning."""
SHARED_MEMORY = ("gtt", "system", "shared")
"""The same of the machine's memory."""
OTHER_VENDORS = ("nvidia", "geforce", "quadro", "radeon", "amd ", "microsoft basic")


@dataclass(frozen=True)
class GpuShare:
    """What the program used of one GPU."""

    place: int
    """Of the GPU in `watched.gpus`."""
    gpu: WatchedGpu
    busy_seconds: float | None
    share: float | None
    """Of the time since torch was imported, 0 to 1."""
    used: bool


def torch_seconds(watched: Watched) -> float | None:
    """Return the watched time since torch was imported, the whole watched time where that is not known.

    The first import counts of a process that used the device: a launcher imports torch seconds before its ranks do. Where none used it,
    the first import of all.
    """
    whole = watched.seconds
    if isinstance(whole, Unknown) or whole <= 0:
        return None
    reports = inside_of(watched)
    users = [report for report in reports if holds(report.initialised) or allocated(report)]
    begun = [report.imported_at for report in users or reports if isinstance(report.imported_at, (int, float))]
    rest = whole - max(0.0, min(begun)) if begun else whole
    return float(rest) if 0 < rest <= whole else float(whole)


def noise(seconds: float | None) -> float:
    """Return the seconds of GPU time that are no use of it yet."""
    return max(NOISE_SECONDS, min(NOISE_AT_MOST, NOISE_SHARE * (seconds or 0.0)))


def of_device_type(gpu: WatchedGpu, device_type: str) -> bool:
    """Return whether a GPU can be of a type of torch device: Windows counts those of all makers."""
    name = known_or(gpu.name, "").lower()
    if device_type == "xpu":
        return gpu.driver != "nvidia" and not any(maker in f"{name} " for maker in OTHER_VENDORS)
    return device_type != "cuda" or (gpu.driver not in ("i915", "xe") and "intel" not in name)


def allocated(report: InsideReport) -> bool:
    """Return whether torch put anything on a device of the watched type: what was seen to work."""
    return any(known_or(device.peak_bytes, 0) > 0 or known_or(device.allocations, 0) > 0 for device in report.devices)


def work_of(watched: Watched) -> float | None:
    """Return the CPU seconds that the program spent after the import of torch, at least."""
    cpu = cpu_seconds_of(watched)
    reports = inside_of(watched)
    if cpu is None:
        return None
    if not reports:
        return cpu
    return max(0.0, cpu - sum(import_seconds(report, watched) for report in reports))


def import_seconds(report: InsideReport, watched: Watched) -> float:
    """Return the CPU seconds that the import of torch cost a process, at most: none in one that was forked after it."""
    if isinstance(report.imported_at, Unknown):
        return IMPORT_CPU_SECONDS
    begun = next((each.first_seen for each in known_or(watched.processes, ()) if each.pid == report.pid), 0.0)
    return min(IMPORT_CPU_SECONDS, max(0.0, report.imported_at - begun))


def inside_of(watched: Watched) -> tuple[InsideReport, ...]:
    """Return what the hook wrote, nothing where none ran."""
    return known_or(watched.inside, ())


def gpu_shares(watched: Watched, seconds: float | None) -> tuple[GpuShare, ...]:
    """Return what the program used of each GPU that can be of the watched type."""
    listed = enumerate(known_or(watched.gpus, ()))
    return tuple(_gpu_share(place, gpu, seconds) for place, gpu in listed if of_device_type(gpu, watched.device_type))


def _gpu_share(place: int, gpu: WatchedGpu, seconds: float | None) -> GpuShare:
    if isinstance(gpu.busy_seconds, Unknown):
        return GpuShare(place, gpu, None, None, False)
    busy = max(0.0, gpu.busy_seconds)
    return GpuShare(place, gpu, busy, min(1.0, busy / seconds) if seconds else None, busy >= noise(seconds))


def mean_share(gpus: Iterable[GpuShare], seconds: float | None) -> float | None:
    """Return the share of the used GPUs, 0 where all were seen idle, None where that is not known."""
    rows = list(gpus)
    used = [gpu.share for gpu in rows if gpu.used and gpu.share is not None]
    if used:
        return sum(used) / len(used)
    idle = bool(rows) and seconds is not None and all(gpu.busy_seconds is not None for gpu in rows)
    return 0.0 if idle else None


def cpu_seconds_of(watched: Watched) -> float | None:
    """Return the CPU time of the whole program; None where it is not known."""
    if not isinstance(watched.cpu_seconds, Unknown):
        return max(0.0, watched.cpu_seconds)
    told = [each.cpu_seconds for each in known_or(watched.processes, ()) if not isinstance(each.cpu_seconds, Unknown)]
    return max(0.0, sum(told)) if told else None


def is_own(process: WatchedProcess, watched: Watched) -> bool:
    """Return whether a process is one that used the device: torch initialised it there, or the counters know work of it."""
    initialised = {report.pid for report in inside_of(watched) if holds(report.initialised) or allocated(report)}
    if initialised:
        return process.pid in initialised
    return any(gpu.busy_seconds > 0 for gpu in known_or(process.gpus, ()))


def own_cpu_seconds(watched: Watched) -> tuple[float, int] | None:
    """Return the CPU time of the processes that used the device, and their number; None where it is not known."""
    own = [each for each in known_or(watched.processes, ()) if is_own(each, watched)]
    told = [each.cpu_seconds for each in own if not isinstance(each.cpu_seconds, Unknown)]
    return (sum(told), len(told)) if told and len(told) == len(own) else None


def workers_of(own: Sequence[WatchedProcess], watched: Watched) -> list[WatchedProcess]:
    """Return the processes that the given ones started."""
    parents = {each.pid for each in own}
    return [each for each in known_or(watched.processes, ()) if each.parent in parents and each.pid not in parents]


def data_wait(watched: Watched) -> float | None:
    """Return which share of its time the program waited for DataLoaders, on average over the processes that have one."""
    whole = watched.seconds
    if isinstance(whole, Unknown):
        return None
    shares = []
    for report in inside_of(watched):
        if isinstance(report.data_wait_seconds, Unknown) or not known_or(report.batches, 0):
            continue
        since = whole - known_or(report.imported_at, 0.0)
        if since > 0:
            shares.append(min(1.0, max(0.0, report.data_wait_seconds) / since))
    return sum(shares) / len(shares) if shares else None


def io_wait(watched: Watched) -> float | None:
    """Return the largest share of its time that a process waited for block devices."""
    shares = [
        min(1.0, max(0.0, each.io_wait_seconds) / each.seconds)
        for each in known_or(watched.processes, ())
        if not isinstance(each.io_wait_seconds, Unknown) and each.seconds > 0
    ]
    return max(shares) if shares else None


def regions(gpu: WatchedGpu, names: tuple[str, ...]) -> list[tuple[int, MemoryUse]]:
    """Return the regions of memory whose names begin so, with their places."""
    return [(at, row) for at, row in enumerate(gpu.memory) if row.region.lower().startswith(names)]


def own_memory_peak(gpu: WatchedGpu) -> int | None:
    """Return the most that the program held of a GPU's own memory, of the machine's where it has none; None where that is not known."""
    held = regions(gpu, OWN_MEMORY) or regions(gpu, SHARED_MEMORY)
    return sum(max(0, row.peak_bytes) for _, row in held) if held else None
