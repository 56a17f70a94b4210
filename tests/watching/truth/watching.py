"""Runs a program under `watch` on a simulated machine, and judges what was seen as on a machine that is otherwise in order."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.support.example_reports import MOMENT, snapshot
from tests.watching.truth.machine import SimulatedGpu, SimulatedMachine
from xpu_doctor.model.facts import Import, Xpu
from xpu_doctor.model.facts import Run as Stages
from xpu_doctor.model.facts.watched import Watched
from xpu_doctor.model.selection import WATCHED_LAYERS
from xpu_doctor.model.snapshot import with_watched
from xpu_doctor.probes.gpus import gpus as probe_gpus
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document, FindingDocument

PROGRAMS = Path(__file__).with_name("programs")
WATCH = Path(__file__).with_name("watch_on_machine.py")
INTERVAL = "0.5s"
LIMIT = 180


@dataclass(frozen=True)
class Run:
    """A program that was watched."""

    code: int
    stdout: str
    stderr: str
    watched: Watched
    document: Document
    """The report as on a machine that has these GPUs, and a torch for them."""
    busy: dict[str, float]
    """What the GPUs really did, in seconds, by address."""
    imported: dict[int, float]
    """When processes had imported torch, in seconds after the start of the watch."""

    @property
    def codes(self) -> list[str]:
        """The root cause first, then what is folded under it, then all others."""
        return [code for finding in self.document.root_causes for code in _codes(finding)]

    def share(self, pids: Sequence[int] = ()) -> float:
        """Return the true share in percent: of the GPUs that worked, since the first of these processes had imported torch."""
        worked = [busy for busy in self.busy.values() if busy > 0]
        since = min(moment for pid, moment in self.imported.items() if not pids or pid in pids)
        assert isinstance(self.watched.seconds, float)
        return 100 * sum(worked) / (max(1, len(worked)) * (self.watched.seconds - since))


def watch(command: Sequence[str], gpus: tuple[SimulatedGpu, ...], device: Path, folder: Path, *options: str) -> Run:
    """Run a command on a machine with these GPUs under the real command line."""
    saved = folder / "watched.json"
    with SimulatedMachine(folder / "machine", gpus) as machine:
        place = json.dumps({"proc": machine.proc, "gpus": [dataclasses.asdict(gpu) for gpu in gpus]})
        ended = subprocess.run(
            [
                sys.executable, str(WATCH), place, "watch", "--interval", INTERVAL, "-o", str(saved), "--no-redact", *options, "--", *command,
            ],
            env={**os.environ, **machine.environment(device)},
            capture_output=True, text=True, timeout=LIMIT, check=False, cwd=folder,
        )  # fmt: skip
        assert saved.exists(), ended.stderr
        busy, moments = machine.busy_seconds(), machine.moments()
    facts: dict[str, Any] = json.loads(saved.read_text(encoding="utf-8"))["snapshot"]["watched"][0]
    watched = msgspec.convert(facts, Watched)
    assert isinstance(watched.pid, int)
    began = machine.seen[watched.pid]
    return Run(
        ended.returncode, ended.stdout, ended.stderr, watched, _judged(watched, machine), busy,
        {int(pid): moment - began for pid, moment in moments.items()},
    )  # fmt: skip


def program(torch_environment: Path, name: str) -> list[str]:
    """Return the command that runs one of the programs."""
    return [str(torch_environment / "bin" / "python"), str(PROGRAMS / f"{name}.py")]


def _judged(watched: Watched, machine: SimulatedMachine) -> Document:
    """Return the report on a machine with these GPUs and a torch for them, which watch examines without importing it."""
    healthy = snapshot("healthy-arc-b580")
    found = probe_gpus.gather(machine.host)
    examined = dataclasses.replace(
        healthy, gpus=found, xpu=Xpu(), imported=Import(), run=Stages(), skipped=("import", "enumeration", "compute")
    )
    return Report(created=MOMENT).of_snapshot(with_watched(examined, watched), layers=WATCHED_LAYERS)


def _codes(finding: FindingDocument) -> list[str]:
    return [finding.code, *(code for below in finding.explains for code in _codes(below))]
