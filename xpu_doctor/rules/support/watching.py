"""What the rules about a watched program have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from xpu_doctor.diagnosis.program_use import ProgramUse, Use, use_of
from xpu_doctor.model.facts import Watched, WatchedGpu
from xpu_doctor.model.findings import Evidence
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known, known_or
from xpu_doctor.tables.devices import find_device
from xpu_doctor.text.amounts import duration, percent

T = TypeVar("T")
HERE = "watched[0]"
"""The path of the program's facts."""
SHOWN_GPUS = 4
SHOWN_SPOTS = 3
SMALL_SPOT = 0.05
"""Share of the CPU time below which a function is no evidence."""


def program(watched: Maybe[tuple[Watched, ...]]) -> Watched:
    """Return the watched program.

    Raises:
        Undecided: none was watched.
    """
    programs = known(watched)
    if not programs:
        raise Undecided(Unknown("no program was watched", "watched"))
    return programs[0]


def field(fact: Maybe[T], name: str) -> T:
    """Return the value of a fact of the program.

    Raises:
        Undecided: it is not known.
    """
    if isinstance(fact, Unknown):
        raise Undecided(Unknown(fact.reason, f"{HERE}.{name}"))
    return fact


def not_known(use: Use, name: str = "gpus") -> Undecided:
    """Return that a rule cannot decide, because the use of the GPU is not known."""
    return Undecided(Unknown(use.reason, f"{HERE}.{name}"))


def used_so(watched: Maybe[tuple[Watched, ...]], kind: ProgramUse) -> tuple[Watched, Use, float] | None:
    """Return the watched program, its use and its share where it used the GPU in that way, else None.

    Raises:
        Undecided: none was watched, or how it used the GPU is not known.
    """
    seen = program(watched)
    use = use_of(seen)
    if use.kind is ProgramUse.UNKNOWN and seen.inside != ():
        raise not_known(use)
    return None if use.kind is not kind or use.share is None else (seen, use, use.share)


def called(gpu: WatchedGpu) -> str:
    """Return what a GPU is called: its name, else its address."""
    return known_or(gpu.name, "") or f"the GPU {gpu.address}"


def is_integrated(gpu: WatchedGpu) -> bool | None:
    """Return whether a GPU is integrated, by what the system or its device id says; None where neither does."""
    if isinstance(gpu.integrated, bool):
        return gpu.integrated
    device = find_device(gpu.device_id) if isinstance(gpu.device_id, int) else None
    return None if device is None else not device.family.discrete


def since_torch(watched: Watched, use: Use) -> str:
    """Return the time that shares are of, in words."""
    told = any(isinstance(each.imported_at, (int, float)) for each in known_or(watched.inside, ()))
    return f"{duration(use.seconds or 0.0)}{' since it had imported torch' if told else ''}"


def command_evidence(watched: Watched) -> Iterator[Evidence]:
    """Yield the command as one line: what is private in it is told by the words before it."""
    if isinstance(watched.command, tuple):
        yield Evidence(f"{HERE}.command", " ".join(watched.command), "")


def gpu_evidence(use: Use) -> Iterator[Evidence]:
    """Yield the share of each GPU."""
    names = [called(row.gpu) for row in use.gpus]
    seen = [row for row in use.gpus if row.busy_seconds is not None]
    for row in sorted(seen, key=lambda row: not row.used)[:SHOWN_GPUS]:
        share = f" ({percent(row.share)})" if row.share is not None else ""
        at = f" at {row.gpu.address}" if names.count(called(row.gpu)) > 1 else ""
        worked = f"{duration(row.busy_seconds)}{share}" if row.busy_seconds else "none"
        yield Evidence(f"{HERE}.gpus[{row.place}].busy_seconds", f"{called(row.gpu)}{at}: {worked}", "")


def cpu_evidence(watched: Watched, use: Use) -> Iterator[Evidence]:
    """Yield the CPU time of the program."""
    cpu = known_or(watched.cpu_seconds, None)
    if cpu is not None and use.cpus is not None:
        of = f" of {watched.logical_cpus}" if isinstance(watched.logical_cpus, int) else ""
        yield Evidence(f"{HERE}.cpu_seconds", f"{duration(cpu)}: {use.cpus:.1f}{of} CPUs busy on average", "")


def hook_evidence(watched: Watched) -> Iterator[Evidence]:
    """Yield what torch itself said about its device."""
    for place, report in enumerate(known_or(watched.inside, ())[:4]):
        path = f"{HERE}.inside[{place}]"
        torch = f"torch {report.torch_version}, " if report.torch_version else ""
        if isinstance(report.initialised, bool):
            word = "initialised" if report.initialised else "never initialised"
            yield Evidence(f"{path}.initialised", f"{torch}{watched.device_type} {word} (process {report.pid})", "")
        if isinstance(report.available, bool):
            yield Evidence(f"{path}.available", "", "")


def spot_evidence(watched: Watched) -> Iterator[Evidence]:
    """Yield where the CPU time went, the most of it first."""
    spots = list(enumerate(known_or(watched.hot_spots, ())))
    spots.sort(key=lambda spot: -spot[1].share)
    for place, spot in spots[:SHOWN_SPOTS]:
        if spot.share >= SMALL_SPOT:
            file = spot.file.replace("\\", "/").rpartition("/")[2]
            where = f"{percent(spot.share)} of the CPU time in {spot.function} ({file}:{spot.line})"
            yield Evidence(f"{HERE}.hot_spots[{place}]", where, "")
