"""The GPU's own memory was full, and the watched program's data spilled into that of the machine."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.program_figures import OWN_MEMORY, SHARED_MEMORY, regions
from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Watched, WatchedGpu
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Maybe, Undecided, Unknown, known_or
from xpu_doctor.rules.support.watching import HERE, called, field, is_integrated, program
from xpu_doctor.text.amounts import percent, size

FULL = 0.9
"""Share of its own memory from which on a GPU has next to none left: the rest serves the screen and the driver."""
GROWN, GROWN_SHARE = 256 << 20, 0.02
"""Bytes, and share of the GPU's memory, from which on growth in the machine's memory is more than buffers for copies."""


class MemorySpilled(Rule):
    """The GPU's own memory was full, and the watched program's data spilled into that of the machine."""

    code = "memory-spilled"
    layer = Layer.APPLICATION
    severity = Severity.WARNING
    confidence = Confidence.LIKELY
    explains = {"gpu-starved": "data that lies in the machine's memory is read over the bus, and the GPU waits for it"}

    def check(self, watched: Maybe[tuple[Watched, ...]]) -> Iterator[Finding]:
        """Found for each GPU whose own memory was nearly full while what it held in the machine's memory grew."""
        seen = program(watched)
        gpus = field(seen.gpus, "gpus")
        open_question: Unknown | None = None
        for place, gpu in enumerate(gpus):
            if is_integrated(gpu) or not gpu.memory:
                continue
            if isinstance(gpu.memory_bytes, Unknown):
                open_question = Unknown(gpu.memory_bytes.reason, f"{HERE}.gpus[{place}].memory_bytes")
            elif gpu.memory_bytes > 0:
                yield from self._of_gpu(place, gpu, gpu.memory_bytes)
        if open_question is not None:
            raise Undecided(open_question)

    def _of_gpu(self, place: int, gpu: WatchedGpu, whole: int) -> Iterator[Finding]:
        own, shared = regions(gpu, OWN_MEMORY), regions(gpu, SHARED_MEMORY)
        held = sum(row.peak_bytes for _, row in own)
        grown = sum(row.growth_bytes for _, row in shared)
        if held < FULL * whole or grown < max(GROWN, GROWN_SHARE * whole):
            return
        path = f"{HERE}.gpus[{place}]"
        yield self.found(
            called(gpu) if known_or(gpu.name, "") else gpu.address,
            f"the memory of {called(gpu)} was full ({size(held)} of {size(whole)}), and {size(grown)} spilled into the machine's memory",
            evidence=(
                Evidence(f"{path}.memory_bytes", size(whole), ""),
                *(
                    Evidence(
                        f"{path}.memory[{at}].peak_bytes",
                        f"{row.region}: {size(row.peak_bytes)} ({percent(row.peak_bytes / whole)})",
                        "",
                    )
                    for at, row in own
                ),
                *(
                    Evidence(f"{path}.memory[{at}].growth_bytes", f"{row.region}: {size(row.growth_bytes)}", "")
                    for at, row in shared
                    if row.growth_bytes
                ),
            ),
            remedies=(
                Remedy(
                    "Make it fit: a smaller batch, bfloat16 in place of float32, or gradient checkpointing",
                    "What does not fit is read over the bus, which is many times slower than the GPU's own memory, and nothing says so.",
                ),
                Remedy(
                    "End other programs that hold memory of this GPU",
                    "Only what this program held is counted here; browsers and desktops hold some as well.",
                ),
            ),
        )
