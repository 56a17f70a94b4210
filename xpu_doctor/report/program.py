"""A watched program, what it used of its GPUs and of the CPUs, as rows of the document."""

from __future__ import annotations

from dataclasses import field

from xpu_doctor.diagnosis.program_figures import GpuShare, own_memory_peak
from xpu_doctor.diagnosis.program_use import RankUse
from xpu_doctor.diagnosis.program_words import JudgedProgram, judged_program
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.text.command_line import command_line


@dataclass(frozen=True)
class ProgramGpuDocument:
    """What the program used of one GPU; None stands for what is not known."""

    address: str
    """PCI address, the LUID on Windows."""
    driver: str
    name: str | None
    integrated: bool | None
    used: bool
    busy_seconds: float | None
    share: float | None
    """Of the time since torch was imported, 0 to 1."""
    memory_peak_bytes: int | None
    """The most that the program held of the GPU's own memory, of the machine's where it has none."""
    memory_bytes: int | None
    """Size of its own memory; 0 where it has none."""


@dataclass(frozen=True)
class ProgramRankDocument:
    """What one rank of a distributed program used."""

    rank: int
    use: str
    """`used`, `never` or `unknown`."""
    share: float | None
    """Of its busiest GPU, 0 to 1."""
    busy_seconds: float | None
    cpus: float | None
    """CPUs that it kept busy on average."""


@dataclass(frozen=True)
class FallbackDocument:
    """An operator that torch ran on the CPU for want of a kernel of the device."""

    name: str
    """Empty where torch does not name it."""
    count: int
    route: str


@dataclass(frozen=True)
class HotSpotDocument:
    """A function in which CPU time went."""

    function: str
    file: str
    line: int
    share: float
    """Of the samples in which a thread worked, 0 to 1."""


@dataclass(frozen=True)
class ProgramDocument:
    """A watched program; None stands for what is not known."""

    command: str | None
    """Its words with blanks between them, to be read and not to be typed: what is private in it is found so."""
    pid: int | None
    attached: bool
    """Whether it ran already when the watch began."""
    seconds: float | None
    """The watched time."""
    end: str | None
    """`exited`, `signal`, or `running` where the watch ended first."""
    exit_code: int | None
    signal: str
    device_type: str
    """The type of torch device that was expected."""
    use: str
    """`never`, `mostly-cpu`, `starved`, `used` or `unknown`."""
    reason: str
    """What that rests on, or why it is not known."""
    share: float | None
    """Busy time of the used GPUs by their number and the time since torch was imported, 0 to 1."""
    torch_seconds: float | None
    """The time that shares are of: since torch was imported, else the watched time."""
    counters: str | None
    """What told the GPU time: `drm-fdinfo`, `windows`, `nvml`."""
    no_counters: str
    """Why nothing did; empty where something did."""
    gpus: list[ProgramGpuDocument]
    cpu_seconds: float | None
    cpus: float | None
    """CPUs that it kept busy on average."""
    logical_cpus: int | None
    data_wait: float | None
    """Share of the time that it waited for its DataLoader, 0 to 1."""
    processes: int
    ranks: list[ProgramRankDocument] = field(default_factory=list)
    fallback_operators: list[FallbackDocument] = field(default_factory=list)
    hot_spots: list[HotSpotDocument] = field(default_factory=list)


def program_document(snapshot: Snapshot) -> ProgramDocument | None:
    """Return the watched program of a snapshot, None where none was watched."""
    program = judged_program(snapshot)
    return None if program is None else _document(program)


def _document(program: JudgedProgram) -> ProgramDocument:
    seen, use = program.watched, program.use
    return ProgramDocument(
        command=command_line(seen.command) if isinstance(seen.command, tuple) else None,
        pid=known_or(seen.pid, None),
        attached=seen.attached,
        seconds=_rounded(known_or(seen.seconds, None)),
        end=known_or(seen.end, None),
        exit_code=known_or(seen.exit_code, None),
        signal=seen.signal,
        device_type=seen.device_type,
        use=use.kind.value,
        reason=use.reason,
        share=_rounded(use.share),
        torch_seconds=_rounded(use.seconds),
        counters=known_or(seen.counters, None),
        no_counters=seen.counters.reason if isinstance(seen.counters, Unknown) else "",
        gpus=[_gpu(row) for row in use.gpus],
        cpu_seconds=_rounded(known_or(seen.cpu_seconds, None)),
        cpus=_rounded(use.cpus),
        logical_cpus=known_or(seen.logical_cpus, None),
        data_wait=_rounded(use.data_wait),
        processes=len(known_or(seen.processes, ())) + seen.further_processes,
        ranks=[_rank(row) for row in use.ranks],
        fallback_operators=[
            FallbackDocument(row.name, row.count, row.route)
            for row in sorted(known_or(seen.fallback_operators, ()), key=lambda row: -row.count)
        ],
        hot_spots=[
            HotSpotDocument(row.function, row.file, row.line, round(row.share, 4))
            for row in sorted(known_or(seen.hot_spots, ()), key=lambda row: -row.share)
        ],
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _gpu(row: GpuShare) -> ProgramGpuDocument:
    gpu = row.gpu
    return ProgramGpuDocument(
        address=gpu.address,
        driver=gpu.driver,
        name=known_or(gpu.name, None),
        integrated=known_or(gpu.integrated, None),
        used=row.used,
        busy_seconds=_rounded(row.busy_seconds),
        share=_rounded(row.share),
        memory_peak_bytes=own_memory_peak(gpu),
        memory_bytes=known_or(gpu.memory_bytes, None),
    )


def _rank(row: RankUse) -> ProgramRankDocument:
    return ProgramRankDocument(
        row.rank, row.use.value, _rounded(row.share), _rounded(row.busy_seconds), _rounded(row.cpus)
    )
