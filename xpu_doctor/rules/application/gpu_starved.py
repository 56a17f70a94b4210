"""The GPU waits for the watched program's data."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_use import LEAST_IO_WAIT, ProgramUse, Use
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Machine, Watched
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.remedies.program import feed_the_gpu
from xpu_doctor.rules.support.watching import (
    HERE,
    cpu_evidence,
    gpu_evidence,
    since_torch,
    spot_evidence,
    used_so,
)
from xpu_doctor.text.amounts import duration, percent

CPUS_BUSY = 0.8
"""Share of the CPUs from which on there is none left for further workers."""


class GpuStarved(Rule):
    """The GPU waits for the watched program's data."""

    code = "gpu-starved"
    layer = Layer.APPLICATION
    severity = Severity.WARNING
    explains = dict[str, str]()

    def check(self, watched: Maybe[tuple[Watched, ...]], machine: Machine) -> Iterator[Finding]:
        """Found where the GPU was busy for less than half of the time, and the program waited for data for most of the rest."""
        found = used_so(watched, ProgramUse.STARVED)
        if found is None:
            return
        seen, use, share = found
        yield self.found(
            "machine",
            f"the GPU waits for data: it was busy {percent(share)} of {since_torch(seen, use)}, and {use.reason}",
            confidence=Confidence.CERTAIN if use.by_hook else Confidence.LIKELY,
            evidence=(
                *gpu_evidence(use),
                *_loader_evidence(seen),
                *_disk_evidence(seen, use),
                *cpu_evidence(seen, use),
                *spot_evidence(seen),
            ),
            remedies=feed_the_gpu(
                seen,
                known_or(machine.os, "linux"),
                disk=use.io_wait is not None and use.io_wait >= LEAST_IO_WAIT,
                cpus_busy=use.cpu_share is not None and use.cpu_share >= CPUS_BUSY,
            ),
        )


def _loader_evidence(seen: Watched) -> Iterator[Evidence]:
    """Yield what the hook told of DataLoaders."""
    for place, report in enumerate(known_or(seen.inside, ())):
        path = f"{HERE}.inside[{place}]"
        batches = known_or(report.batches, 0)
        if not batches or isinstance(report.data_wait_seconds, Unknown):
            continue
        yield Evidence(f"{path}.data_wait_seconds", f"{duration(report.data_wait_seconds)} for {batches} batches", "")
        for name in ("loader_workers", "pin_memory"):
            if not isinstance(getattr(report, name), Unknown):
                yield Evidence(f"{path}.{name}", "", "")
        return


def _disk_evidence(seen: Watched, use: Use) -> Iterator[Evidence]:
    """Yield the process that waited most for block devices, where that matters."""
    if use.io_wait is None or use.io_wait < LEAST_IO_WAIT:
        return
    rows = list(enumerate(known_or(seen.processes, ())))
    place, process = max(rows, key=lambda row: known_or(row[1].io_wait_seconds, 0.0))
    waited = f"{duration(known_or(process.io_wait_seconds, 0.0))} in {process.name} (process {process.pid})"
    yield Evidence(f"{HERE}.processes[{place}].io_wait_seconds", waited, "")
