"""What a watched program used of its GPUs: shares, and which kind of use that is. Pure.

The share is the busy time of the GPUs that were used, divided by their number and by the time since torch was imported. What the counters
or torch's own allocator saw of success is never overruled; where they cannot tell, the answer is unknown, with the reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from xpu_doctor.diagnosis.program_figures import (
    GpuShare,
    allocated,
    cpu_seconds_of,
    data_wait,
    gpu_shares,
    import_seconds,
    inside_of,
    io_wait,
    is_own,
    mean_share,
    noise,
    own_cpu_seconds,
    torch_seconds,
    work_of,
    workers_of,
)
from xpu_doctor.model.facts.watched import InsideReport, Watched, WatchedProcess
from xpu_doctor.model.terms import Term
from xpu_doctor.model.unknown import Unknown, denied, holds, known_or
from xpu_doctor.text.amounts import duration, percent

SHORTEST = 3.0
"""Seconds since the import of torch below which a program that used no GPU may just not have come to it."""
SHORTEST_SHARE = 5.0
"""Seconds below which a share tells more of the start than of the work."""
LEAST_WORK, LEAST_CPUS = 5.0, 0.1
"""CPU seconds, and CPUs on average, below which a program has not computed anything."""
SMALL_SHARE, HALF = 0.25, 0.5
DOMINANT_CPUS, DOMINANT_TIMES = 0.7, 3.0
"""CPUs that the program itself keeps busy, and how many times the GPU's time that is, where the CPU does most of the work."""
LEAST_WAIT = 0.25
"""Share of the time that a program waits for data, below which that is no reason for an idle GPU."""
LEAST_IO_WAIT = 0.3
"""The same of waiting for a disk."""


class ProgramUse(Term):
    """What a watched program did with the GPU."""

    NEVER = "never"
    MOSTLY_CPU = "mostly-cpu"
    STARVED = "starved"
    USED = "used"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RankUse:
    """What one rank of a distributed program used."""

    rank: int
    busy_seconds: float | None
    share: float | None
    """Of the time since torch was imported, of its busiest GPU."""
    cpus: float | None
    """CPUs that it kept busy on average."""
    use: ProgramUse


@dataclass(frozen=True)
class Use:
    """What a watched program used."""

    kind: ProgramUse
    reason: str
    """What it rests on, or why it is not known."""
    share: float | None = None
    """Of the used GPUs, 0 to 1."""
    seconds: float | None = None
    """Since torch was imported, else the watched time."""
    gpus: tuple[GpuShare, ...] = ()
    cpus: float | None = None
    """CPUs that the program kept busy on average."""
    cpu_share: float | None = None
    """Of the CPUs that it may use."""
    data_wait: float | None = None
    """Share of the time that it waited for its DataLoader."""
    io_wait: float | None = None
    """Share of the time that its processes waited for block devices."""
    ranks: tuple[RankUse, ...] = ()
    by_hook: bool = False
    """Whether torch itself told it, and not the counters alone."""


def use_of(watched: Watched) -> Use:
    """Return what a watched program used, which is unknown where nothing can tell."""
    seconds = torch_seconds(watched)
    gpus = gpu_shares(watched, seconds)
    kind, reason, by_hook = _kind(watched, gpus, seconds)
    cpu = cpu_seconds_of(watched)
    watched_seconds = known_or(watched.seconds, 0.0)
    cpus = cpu / watched_seconds if cpu is not None and watched_seconds > 0 else None
    logical = known_or(watched.logical_cpus, 0)
    return Use(
        kind=kind,
        reason=reason,
        share=mean_share(gpus, seconds),
        seconds=seconds,
        gpus=gpus,
        cpus=cpus,
        cpu_share=min(1.0, cpus / logical) if cpus is not None and logical > 0 else None,
        data_wait=data_wait(watched),
        io_wait=io_wait(watched),
        ranks=_ranks(watched, seconds),
        by_hook=by_hook,
    )


# ------------------------------------------------------------------------------------------ which kind


def _kind(watched: Watched, gpus: Sequence[GpuShare], seconds: float | None) -> tuple[ProgramUse, str, bool]:
    if seconds is None:
        return ProgramUse.UNKNOWN, "how long the program was watched is not known", False
    used = any(gpu.used for gpu in gpus)
    if watched.inside == ():
        return ProgramUse.USED if used else ProgramUse.UNKNOWN, "no Python process imported torch", False
    if used:
        return _kind_of_used(watched, gpus, seconds)
    if any(map(allocated, inside_of(watched))):
        return ProgramUse.UNKNOWN, _blind(watched, "torch put tensors on the device"), False
    return _kind_of_unused(watched, gpus, seconds)


def _blind(watched: Watched, seen: str) -> str:
    """Return why the share of a device that was used is not known."""
    if isinstance(watched.counters, Unknown):
        return f"{seen}, and nothing tells for how long it worked: {watched.counters.reason}"
    return f"{seen}, and its counters show no work"


def _kind_of_unused(watched: Watched, gpus: Sequence[GpuShare], seconds: float) -> tuple[ProgramUse, str, bool]:
    reports = inside_of(watched)
    hook = _hook_says_never(watched)
    seen = _counters_say_never(watched, gpus)
    if hook is None and not seen:
        started = any(holds(report.initialised) for report in reports)
        if started:
            return ProgramUse.UNKNOWN, _blind(watched, "torch initialised the device"), False
        return ProgramUse.UNKNOWN, _why_unknown(watched), False
    if not reports and not _runs_python(watched):
        return ProgramUse.UNKNOWN, "whether the program uses torch is not known", False
    if seconds < SHORTEST:
        return (
            ProgramUse.UNKNOWN,
            f"{duration(seconds)} after the import of torch is too short to tell: let it run longer",
            False,
        )
    work = work_of(watched)
    if work is None:
        return ProgramUse.UNKNOWN, "what the program computed at all is not known", False
    if work < LEAST_WORK or work / seconds < LEAST_CPUS:
        return ProgramUse.UNKNOWN, _too_little(work, seconds), False
    return ProgramUse.NEVER, hook or "the counters of the GPUs saw no work of it", hook is not None


def _too_little(work: float, seconds: float) -> str:
    """Return why the work of a program is too little to judge where it was done."""
    spent = f"{duration(work)} of CPU time in {duration(seconds)} after the import of torch"
    if work < LEAST_WORK:
        return f"{spent} is too little to tell: let it run longer"
    return f"{spent}: it hardly computed at all"


def _hook_says_never(watched: Watched) -> str | None:
    """Return that torch itself says that the device was never initialised; None where it does not, or not for the whole program."""
    reports = inside_of(watched)
    told = bool(reports) and all(report.whole and denied(report.initialised) for report in reports)
    return "torch never initialised the device" if told and not watched.pythons_without_hook else None


def _counters_say_never(watched: Watched, gpus: Sequence[GpuShare]) -> bool:
    """Return whether counters that know the program's processes saw no work of it on any GPU."""
    if isinstance(watched.counters, Unknown) or not gpus or any(gpu.busy_seconds is None for gpu in gpus):
        return False
    if any(holds(report.initialised) and _without_peak(report) for report in inside_of(watched)):
        return False
    workers = [each for each in known_or(watched.processes, ()) if known_or(each.cpu_seconds, 0.0) >= LEAST_WORK]
    return bool(workers) and not any(isinstance(each.gpus, Unknown) for each in workers)


def _without_peak(report: InsideReport) -> bool:
    """Return whether torch does not tell what an initialised device held: it may have worked."""
    return not report.devices or any(isinstance(device.peak_bytes, Unknown) for device in report.devices)


def _why_unknown(watched: Watched) -> str:
    if isinstance(watched.counters, Unknown):
        python = _runs_python(watched) or isinstance(watched.processes, Unknown)
        return watched.counters.reason if python else f"no Python ran in it, and {watched.counters.reason}"
    if isinstance(watched.inside, Unknown):
        return watched.inside.reason
    return "neither the counters of the GPUs nor torch told of the whole program"


def _runs_python(watched: Watched) -> bool:
    return any(is_python(process) for process in known_or(watched.processes, ()))


def is_python(process: WatchedProcess) -> bool:
    """Return whether a process is a Python interpreter, by the name of its program file."""
    return process.name.lower().startswith(("python", "pypy", "pt_main_thread"))


def _kind_of_used(watched: Watched, gpus: Sequence[GpuShare], seconds: float) -> tuple[ProgramUse, str, bool]:
    share = mean_share(gpus, seconds)
    if share is None:
        return ProgramUse.UNKNOWN, "the GPU time of the program is not known", False
    if seconds < SHORTEST_SHARE:
        return ProgramUse.USED, "it was over too soon for a share to say much", False
    if share < HALF:
        waits = _waits(watched, share, seconds)
        if waits:
            return ProgramUse.STARVED, waits, data_wait(watched) is not None
    own = own_cpu_seconds(watched)
    busy = sum(gpu.busy_seconds or 0.0 for gpu in gpus)
    if share < SMALL_SHARE and own is not None:
        cpu, count = own
        if cpu / (seconds * count) >= DOMINANT_CPUS and cpu >= DOMINANT_TIMES * busy:
            return ProgramUse.MOSTLY_CPU, f"{cpu / seconds:.1f} CPUs were busy with it on average", False
    return ProgramUse.USED, "", False


def _waits(watched: Watched, share: float, seconds: float) -> str:
    """Return what shows that the program waits for its data for at least half of the time in which the GPU is idle; else empty."""
    wait = data_wait(watched)
    if wait is not None:
        enough = wait >= LEAST_WAIT and wait >= (1.0 - share) / 2
        return f"the program waited {percent(wait)} of the time for the next batch" if enough else ""
    own = [each for each in known_or(watched.processes, ()) if is_own(each, watched)]
    main = [each.main_thread_seconds for each in own]
    if not own or any(isinstance(each, Unknown) for each in main):
        return ""
    idles = sum(known_or(each, 0.0) for each in main) / (seconds * len(own)) < HALF
    if not idles:
        return ""
    disk = io_wait(watched)
    if disk is not None and disk >= LEAST_IO_WAIT:
        return f"its processes waited {percent(disk)} of the time for a disk"
    loading = sum(known_or(each.cpu_seconds, 0.0) for each in workers_of(own, watched)) / seconds
    return f"its workers kept {loading:.1f} CPUs busy while it waited" if loading >= DOMINANT_CPUS * len(own) else ""


# ------------------------------------------------------------------------------------------ ranks


def _ranks(watched: Watched, seconds: float | None) -> tuple[RankUse, ...]:
    processes = known_or(watched.processes, ())
    told = {each.rank for each in processes if isinstance(each.rank, int)}
    told |= {report.rank for report in inside_of(watched) if isinstance(report.rank, int)}
    return tuple(_rank(rank, watched, seconds) for rank in sorted(told))


def _rank(rank: int, watched: Watched, seconds: float | None) -> RankUse:
    processes = [each for each in known_or(watched.processes, ()) if each.rank == rank]
    reports = [each for each in inside_of(watched) if each.rank == rank]
    cpu = [each.cpu_seconds for each in processes if not isinstance(each.cpu_seconds, Unknown)]
    work = sum(cpu)
    busy = _busy_by_gpu(processes)
    most = max(busy.values(), default=0.0) if busy is not None else None
    spent = max(0.0, work - sum(import_seconds(report, watched) for report in reports))
    return RankUse(
        rank=rank,
        busy_seconds=None if busy is None else sum(busy.values()),
        share=min(1.0, most / seconds) if most is not None and seconds else None,
        cpus=work / seconds if cpu and seconds else None,
        use=_use_of_rank(reports, most, spent, seconds),
    )


def _busy_by_gpu(processes: Sequence[WatchedProcess]) -> dict[str, float] | None:
    """Return the GPU time of processes by GPU; None where no counters tell of one of them."""
    if not processes or any(isinstance(each.gpus, Unknown) for each in processes):
        return None
    busy: dict[str, float] = {}
    for each in processes:
        for gpu in known_or(each.gpus, ()):
            busy[gpu.address] = busy.get(gpu.address, 0.0) + max(0.0, gpu.busy_seconds)
    return busy


def _use_of_rank(reports: Sequence[InsideReport], busy: float | None, work: float, seconds: float | None) -> ProgramUse:
    if any(map(allocated, reports)) or (busy is not None and busy >= noise(seconds)):
        return ProgramUse.USED
    computed = seconds is not None and seconds >= SHORTEST and work >= LEAST_WORK and work / seconds >= LEAST_CPUS
    idle = busy is not None and not any(holds(report.initialised) and _without_peak(report) for report in reports)
    hook = bool(reports) and all(report.whole and denied(report.initialised) for report in reports)
    return ProgramUse.NEVER if reports and computed and (idle or hook) else ProgramUse.UNKNOWN
