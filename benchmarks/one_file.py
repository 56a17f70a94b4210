"""Times the one file beside the installed command, in turns; prints medians and ratios.

    python benchmarks/one_file.py xpu-doctor.pyz [RUNS]

Both run in the interpreter that runs this script, in which xpu-doctor must be installed. The first run of the file, which
unpacks it, is timed apart, in a cache of its own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIMIT = 1.5
"""The file may take so many times as long as the installed command."""
ASKED = {
    "--version": ["--version"],
    "--help": ["--help"],
    "check": ["check", "--python", sys.executable, "--skip", "import"],
}


def seconds(command: list[str], cache: str) -> float:
    """Wall time of one run of a command."""
    given = {**os.environ, "XDG_CACHE_HOME": cache, "LOCALAPPDATA": cache}
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=given, check=False)
    return time.perf_counter() - started


def main() -> int:
    """Measure, print, and return 1 where the limit is passed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("runs", type=int, nargs="?", default=20)
    options = parser.parse_args()
    installed = str(Path(sys.executable).with_name("xpu-doctor" + (".exe" if os.name == "nt" else "")))
    passed = False
    with tempfile.TemporaryDirectory() as cache:
        carried = [sys.executable, str(options.file)]
        print(
            f"size {options.file.stat().st_size / 2**20:.1f} MiB; first run {seconds([*carried, '--version'], cache):.2f} s"
        )
        for name, arguments in ASKED.items():
            commands = {"installed": [installed, *arguments], "one file": [*carried, *arguments]}
            times: dict[str, list[float]] = {who: [] for who in commands}
            for _ in range(options.runs + 1):
                for who, command in commands.items():
                    times[who].append(seconds(command, cache))
            medians = {who: statistics.median(values[1:]) for who, values in times.items()}
            ratio = medians["one file"] / medians["installed"]
            passed |= ratio > LIMIT
            print(
                f"{name:10} installed {medians['installed']:.3f} s, one file {medians['one file']:.3f} s, ratio {ratio:.2f}"
            )
    print(f"at most {LIMIT}: {'FAILS' if passed else 'holds'}")
    return int(passed)


if __name__ == "__main__":
    sys.exit(main())
