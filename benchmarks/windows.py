"""Times the doctor under a Python for Windows beside that Python alone; prints medians and ratios.

    python benchmarks/windows.py FOLDER [RUNS]

FOLDER is, or becomes, a bench as tests/windows makes it: on Windows itself, or under Wine. All commands take turns, so that a
machine that slows down slows each of them. What matters are the ratios: under Wine every file costs more than on Windows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.support.windows_bench import WindowsBench, build_bench

PASTED = b"PyTorch version: 2.13.0+cpu\nAssertionError: Torch not compiled with XPU enabled\n"


def seconds(bench: WindowsBench, argv: list[str | Path], stdin: bytes | None) -> float:
    """Wall time of one run of a command."""
    started = time.perf_counter()
    bench.machine.win(argv, stdin=stdin, timeout=300)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("runs", type=int, nargs="?", default=7)
    options = parser.parse_args()
    bench = build_bench(options.folder.absolute())
    doctor: list[str | Path] = [bench.doctor_python, "-m", "xpu_doctor"]
    bare = "the Python alone"
    commands: dict[str, tuple[list[str | Path], bytes | None]] = {
        bare: ([bench.doctor_python, "-I", "-c", "pass"], None),
        "import click": ([bench.doctor_python, "-c", "import click"], None),
        "--version": ([*doctor, "--version"], None),
        "explain": ([*doctor, "explain", "torch-cpu-wheel"], None),
        "triage": ([*doctor, "triage", "-"], PASTED),
        "check, full Python": ([*doctor, "check", "--python", bench.patient], None),
        "check, embeddable Python": ([*doctor, "check", "--python", bench.embedded], None),
        "check, venv": ([*doctor, "check", "--python", bench.venv], None),
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    try:
        for turn in range(options.runs + 1):
            for name, (argv, stdin) in commands.items():
                taken = seconds(bench, argv, stdin)
                if turn:  # the first one fills the caches
                    times[name].append(taken)
    finally:
        bench.machine.end()
    base = statistics.median(times[bare])
    for name, values in times.items():
        median = statistics.median(values)
        print(
            f"{name:25} median {median:6.3f} s  (min {min(values):.3f}, max {max(values):.3f})  {median / base:5.1f} x"
        )


if __name__ == "__main__":
    main()
