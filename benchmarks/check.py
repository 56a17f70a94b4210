"""Times `check` beside `import torch` and collect_env of one environment; prints medians and ratios.

    python benchmarks/check.py ENVIRONMENT [RUNS] [--doctor PYTHON]

ENVIRONMENT holds a torch; the doctor runs in the interpreter that runs this script unless --doctor names another.
All commands take turns, so that a machine that slows down slows each of them.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

LIMITS = {"static verdict / import": 0.25, "full check / import": 1.2}


def seconds(command: list[str]) -> float:
    """Wall time of one run of a command."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started


def peak_memory(command: list[str]) -> int:
    """Return the doctor's own peak memory in bytes, as it says itself."""
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    return int(json.loads(run.stdout)["tool"]["peak_memory_bytes"])


def main() -> int:
    """Measure, print, and return 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("runs", type=int, nargs="?", default=10)
    parser.add_argument("--doctor", default=sys.executable)
    options = parser.parse_args()
    python = str(options.environment / "bin" / "python")
    doctor = [options.doctor, "-m", "xpu_doctor"]
    check = [*doctor, "check", "--python", python]
    commands = {
        "import torch": [python, "-c", "import torch"],
        "collect_env": [python, "-m", "torch.utils.collect_env"],
        "static verdict": [*check, "--skip", "import"],
        "full check": check,
        "--version": [*doctor, "--version"],
    }
    for command in commands.values():
        seconds(command)
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(options.runs):
        for name, command in commands.items():
            times[name].append(seconds(command))
    medians = {name: statistics.median(values) for name, values in times.items()}
    base = medians["import torch"]
    for name, median in medians.items():
        print(
            f"{name:16} median {median:6.3f} s  (min {min(times[name]):.3f}, max {max(times[name]):.3f})  {median / base:5.2f} x import torch"
        )
    print(f"peak memory of the doctor: {peak_memory([*check, '--json']) / 2**20:.1f} MiB")
    ratios = {
        "static verdict / import": medians["static verdict"] / base,
        "full check / import": medians["full check"] / base,
    }
    for name, ratio in ratios.items():
        print(f"{name}: {ratio:.2f} (at most {LIMITS[name]}): {'holds' if ratio <= LIMITS[name] else 'FAILS'}")
    return int(any(ratio > LIMITS[name] for name, ratio in ratios.items()))


if __name__ == "__main__":
    sys.exit(main())
