"""How long the facts below torch take beside `import torch`, with a GPU that Intel's real driver simulates.

    python -m benchmarks.below_torch --python ENVIRONMENT [--runs 10]

It downloads Debian testing's Level Zero loader and Intel's driver (7 MB) and prints medians as ratios to the import.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.hosts.test_recorded_hosts import recording
from tests.level_zero.parts import NEWEST, overlay, simulated
from tests.level_zero.test_loaders import B580_HOST
from xpu_doctor.examination.level_zero import LevelZeroRun
from xpu_doctor.host.live import LiveHost
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.probes import PROBES
from xpu_doctor.probes.runner import run_probes
from xpu_doctor.target.agent_run import Patient
from xpu_doctor.target.find import interpreter_in


def median(action: Callable[[], object], runs: int) -> float:
    """Return the median of some runs in seconds."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        action()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def main() -> None:
    """Measure the probes and the Level Zero stages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", required=True, help="environment with torch")
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    python = str(interpreter_in(Path(options.python), windows=os.name == "nt"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        newer = overlay(folder / "testing", "forky", NEWEST)
        keys = simulated(
            "bmg", 0xE20B, "5x4x8", "Intel(R) Arc(TM) B580 Graphics", str(newer.libraries / "libze_intel_gpu.so.1")
        )
        patient = Patient(newer.python, newer.environment(**keys), str(folder))
        recorded = RecordedHost(recording(B580_HOST))
        imported = median(
            lambda: subprocess.run([python, "-c", "import torch"], check=True, stderr=subprocess.DEVNULL), options.runs
        )
        rows = {
            "probes, this machine": median(lambda: run_probes(LiveHost(), PROBES), options.runs),
            "probes, a recorded B580": median(lambda: run_probes(recorded, PROBES), options.runs),
            "Level Zero, a simulated B580, with and without its keys": median(
                lambda: LevelZeroRun(patient).finish(), options.runs
            ),
        }
    print(f"import torch: {imported:.2f} s (median of {options.runs})")
    for what, seconds in rows.items():
        print(f"{what}: {1000 * seconds:.0f} ms, {seconds / imported:.3f} of the import")


if __name__ == "__main__":
    main()
