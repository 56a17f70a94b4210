"""What the formats for people say of a watched program: one headline, then rows of a label and a text. They decide nothing."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import ProgramUse
from xpu_doctor.report.program import ProgramDocument, ProgramGpuDocument, ProgramRankDocument
from xpu_doctor.text.amounts import duration, percent, size

MOST_RANKS = 8
MOST_GPUS = 8
LONG_COMMAND = 200
"""Characters of a command that a headline shows."""
NAMED_OPERATORS = 3
NAMED_SPOTS = 2


def headline(program: ProgramDocument) -> str:
    """Return what was watched, for how long, and how it ended."""
    command = program.command or ""
    shown = command if len(command) <= LONG_COMMAND else command[:LONG_COMMAND] + " ..."
    if program.attached or not shown:
        number = f" {program.pid}" if program.pid is not None else ""
        what = f"process{number}" + (f" (`{shown}`)" if shown else "")
    else:
        what = f"`{shown}`"
    time = f" for {duration(program.seconds)}" if program.seconds is not None else ""
    ending = _ending(program)
    return f"Watched {what}{time}{f'; {ending}' if ending else ''}."


def _ending(program: ProgramDocument) -> str:
    if program.end == "running":
        return "it goes on"
    if program.end == "signal":
        return f"it was ended by {program.signal or 'a signal'}"
    return f"it ended with exit code {program.exit_code}" if program.exit_code is not None else ""


def rows(program: ProgramDocument) -> Iterator[tuple[str, str]]:
    """Yield what it used, as label and text."""
    if program.use == ProgramUse.UNKNOWN:
        yield "GPU", f"not known: {program.reason}"
    elif program.no_counters:
        never = program.use == ProgramUse.NEVER
        yield "GPU", f"none: {program.reason}" if never else f"how much it worked is not known: {program.no_counters}"
    names = [gpu.name for gpu in program.gpus]
    for gpu in sorted(program.gpus, key=lambda gpu: not gpu.used)[:MOST_GPUS]:
        yield "GPU", of_gpu(gpu, names.count(gpu.name) > 1)
    if len(program.gpus) > MOST_GPUS:
        yield "GPU", f"and {len(program.gpus) - MOST_GPUS} more"
    if program.cpus is not None and program.cpu_seconds is not None:
        of = f" of {program.logical_cpus}" if program.logical_cpus else ""
        many = f", in {program.processes} processes" if program.processes > 1 else ""
        yield "CPU", f"{program.cpus:.1f}{of} busy on average ({duration(program.cpu_seconds)} of CPU time{many})"
    if program.data_wait is not None:
        yield "Data", f"waited {percent(program.data_wait)} of the time for the next batch"
    if program.fallback_operators:
        named = [f"{row.name or 'unnamed'} ({row.count} times)" for row in program.fallback_operators[:NAMED_OPERATORS]]
        more = len(program.fallback_operators) - NAMED_OPERATORS
        yield "On the CPU", ", ".join(named) + (f" and {more} more operators" if more > 0 else "")
    for spot in program.hot_spots[:NAMED_SPOTS]:
        file = spot.file.replace("\\", "/").rpartition("/")[2]
        yield "CPU time", f"{percent(spot.share)} in {spot.function} ({file}:{spot.line})"


def of_gpu(gpu: ProgramGpuDocument, with_address: bool = False) -> str:
    """Return what the program used of one GPU."""
    name = f"{gpu.name} at {gpu.address}" if gpu.name and with_address else gpu.name or gpu.address
    if gpu.busy_seconds is None:
        return f"{name}: how much it worked is not known"
    if not gpu.used:
        return f"{name}: not used"
    share = f"{percent(gpu.share)} busy" if gpu.share is not None else f"busy for {duration(gpu.busy_seconds)}"
    if gpu.memory_peak_bytes is None:
        return f"{name}: {share}"
    whole = f" of {size(gpu.memory_bytes)}" if gpu.memory_bytes else ""
    return f"{name}: {share}, at most {size(gpu.memory_peak_bytes)}{whole} of memory"


def shown_ranks(program: ProgramDocument) -> tuple[list[ProgramRankDocument], int]:
    """Return the ranks to show where there are several, those that used least first if not all are; and how many more there are."""
    ranks = program.ranks
    if len(ranks) < 2:
        return [], 0
    if len(ranks) <= MOST_RANKS:
        return list(ranks), 0
    least = sorted(ranks, key=lambda row: (row.use != "never", row.share if row.share is not None else 2.0, row.rank))
    return sorted(least[:MOST_RANKS], key=lambda row: row.rank), len(ranks) - MOST_RANKS


def of_rank(row: ProgramRankDocument) -> tuple[str, str, str]:
    """Return a rank, its GPU and its CPUs as the cells of a table."""
    unseen = {"never": "no GPU", "used": "used"}.get(row.use, "not known")
    gpu = percent(row.share) if row.share is not None and row.use != "never" else unseen
    return str(row.rank), gpu, "not known" if row.cpus is None else f"{row.cpus:.1f}"
