"""The kernel logged a hang or a reset of the GPU in this boot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Gpu, Kernel, LevelZero, LogLine, Machine
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Maybe, known, known_or
from xpu_doctor.remedies.kernel import after_hang
from xpu_doctor.rules.support.gpus import none_to_use

HANG = re.compile(
    r"GPU HANG|Timedout job|[Ee]ngine reset|[Rr]esetting (?:chip|rcs|ccs|bcs|vcs|vecs)|CAT error|GT\d+: reset (?:started|failed|queued)|[Ww]edged|hung on"
)
DEAD = re.compile(
    r"[Dd]eclared wedged|declaring it wedged|device (?:is )?wedged|failed to reset|reset failed|needs recovery|lost"
)
DEVICE_LOST = 0x70000001


class GpuHangLogged(Rule):
    """The kernel logged a hang or a reset of the GPU in this boot."""

    code = "gpu-hang-logged"
    layer = Layer.KERNEL
    systems = ("linux",)
    severity = Severity.WARNING
    explains = {
        "compute-failed": "work that the GPU was doing when it hung or was reset is lost",
        "xpu-query-crashed": "a lost device answers queries with errors that end the process",
        "xpu-query-hung": "a query waits for a GPU that does not answer",
        "xpu-unavailable": "a device that the kernel gave up is not listed any more",
    }

    def check(
        self, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel, level_zero: LevelZero
    ) -> Iterator[Finding]:
        """Yield a warning for a logged hang, an error where the device did not come back."""
        if none_to_use(gpus):
            return
        if known_or(level_zero.init_code, 0) == DEVICE_LOST:
            yield self.found(
                "machine",
                "zeInit says that the device is lost: the GPU hung or was reset, and did not come back",
                severity=Severity.ERROR,
                confidence=Confidence.LIKELY,
                evidence=("level_zero.init_result",),
                remedies=after_hang(machine),
            )
            return
        if known_or(machine.os, "linux") != "linux":
            return
        lines = [line for line in known(kernel.gpu_log) if HANG.search(line.text)]
        if not lines:
            return
        dead = _last(lines, DEAD)
        shown = dead or lines[-1]
        yield self.found(
            "machine",
            f"the kernel logged {len(lines)} line{'s' if len(lines) > 1 else ''} about a hang or reset of the GPU in this boot"
            + (", and gave the device up" if dead else ""),
            severity=Severity.ERROR if dead else Severity.WARNING,
            evidence=(Evidence("kernel.gpu_log", shown.text, shown.source),),
            remedies=after_hang(machine),
        )


def _last(lines: list[LogLine], pattern: re.Pattern[str]) -> LogLine | None:
    return next((line for line in reversed(lines) if pattern.search(line.text)), None)
