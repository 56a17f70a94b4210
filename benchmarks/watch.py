"""Measures what `watch` costs a program; prints medians of pairs with their quartiles, and writes JSON with -o.

    python benchmarks/watch.py ENVIRONMENT [--pairs 11] [--seconds 20] [--alternating 120] [--starts 15] [-o FILE]

ENVIRONMENT holds a torch. Each pair runs the same number of training steps on the processor once alone and once under
`watch --interval 1s`, in turns, one right after the other, so that a machine that slows down slows both. On a quiet machine 11 pairs of 20
seconds take about 8 minutes; `--pairs 3 --seconds 5 --starts 5` is a look.

- wall and CPU of the command: as the program itself reports them, from the begin of its loop to the end, and of its whole life.
- CPU of watch: all of its processes less the command's. It starts and reports once, so that runs of two lengths tell what a second costs.
- a step while watched: one training under `watch`, which is stopped and continued every two seconds, so that a machine whose speed wanders slows
  both; each stretch that is watched is compared with the mean of the two beside it. Samples are taken twenty times as often as usual, and a twentieth
  of what they cost is told, with twice its standard error. It holds all that grows with the time.
- start: from the call to the first instruction of the command, and `watch -- true` as a whole, each against the bare command.
- hook: a Python without torch, from the call to its first instruction, with the hook against `--no-inside`.
"""

from __future__ import annotations

import argparse
import bisect
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

LIMITS = {
    "wall of the loop, %": 1.0,
    "CPU of the command, %": 1.0,
    "a step while watched, %": 1.0,
    "CPU of watch for each second, %": 1.0,
    "start, s": 0.15,
}

PROGRAM = """
import json, resource, sys, time
import torch
from torch import nn
torch.manual_seed(1)
torch.set_num_threads(1)
model = nn.Sequential(nn.Linear(256, 512), nn.ReLU(), nn.Linear(512, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
rows, labels = torch.randn(128, 256), torch.randint(0, 10, (128,))
steps, seconds = int(sys.argv[1]), float(sys.argv[2])

def step():
    loss = nn.functional.cross_entropy(model(rows), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

for _ in range(20):
    step()
began, cpu = time.monotonic(), time.process_time()
done, moments = 0, []
while done < steps or (not steps and time.monotonic() - began < seconds):
    step()
    done += 1
    moments.append(time.monotonic())
wall, cpu = time.monotonic() - began, time.process_time() - cpu
usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
with open(sys.argv[3], "w") as file:
    json.dump({"moments": moments if "moments" in sys.argv else [], "steps": done, "wall": wall, "cpu": cpu, "life_cpu": sum(u.ru_utime + u.ru_stime for u in usage)}, file)
"""
FIRST_INSTRUCTION = "import time, sys; sys.stdout.write(repr(time.monotonic()))"


def run(command: Sequence[str]) -> tuple[float, float, str]:
    """Return wall time, CPU time of the command and all that it waited for, and what it printed."""
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - started
        output.seek(0)
        said = output.read().decode()
    if child.returncode:
        sys.exit(f"{' '.join(command)} ended with {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime, said


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    if len(values) < 2:
        return {"median": values[0], "low": values[0], "high": values[0]}
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": statistics.median(values), "low": low, "high": high}


class Bench:
    """The commands that are compared."""

    def __init__(self, environment: Path, folder: Path) -> None:
        self.python = str(environment / "bin" / "python")
        self.answer, self.program = folder / "answer.json", folder / "train.py"
        self.program.write_text(PROGRAM, encoding="utf-8")
        self.report = folder / "report.json"

    def watch(self, *options: str, interval: str = "1s") -> list[str]:
        """Return the begin of a command under watch."""
        return [
            sys.executable,
            "-m",
            "xpu_doctor",
            "watch",
            "--interval",
            interval,
            "-o",
            str(self.report),
            *options,
            "--",
        ]

    def train(self, before: Sequence[str], steps: int, seconds: float = 0) -> dict[str, float]:
        """Train under `before`, or alone; return what the program said, and the figures of all processes."""
        wall, cpu, _ = run([*before, self.python, str(self.program), str(steps), str(seconds), str(self.answer)])
        said: dict[str, float] = json.loads(self.answer.read_text(encoding="utf-8"))
        return {**said, "outer_wall": wall, "outer_cpu": cpu, "other_cpu": cpu - said["life_cpu"]}

    def first_instruction(self, before: Sequence[str], *flags: str) -> float:
        """Return the seconds from the call to the first instruction of a small Python."""
        started = time.monotonic()
        _, _, said = run([*before, self.python, *flags, "-c", FIRST_INSTRUCTION])
        return float(said.splitlines()[-1]) - started


def paired(pairs: int, bare: Callable[[], Any], watched: Callable[[], Any]) -> list[tuple[Any, Any]]:
    """Run both in turns; each second pair begins with the other one."""
    found = []
    for number in range(pairs):
        if number % 2:
            second = watched()
            found.append((bare(), second))
        else:
            first = bare()
            found.append((first, watched()))
    return found


def training(bench: Bench, pairs: int, seconds: float) -> dict[str, dict[str, float]]:
    """Return what watch costs a training, in percent."""
    steps = round(bench.train([], 0, seconds)["steps"])
    both = paired(pairs, lambda: bench.train([], steps), lambda: bench.train(bench.watch(), steps))
    # A third of the length: what watch spends on start and report is the same in both.
    short = [bench.train(bench.watch(), steps // 3) for _ in range(pairs)]
    slope = [
        (long["other_cpu"] - brief["other_cpu"]) / (long["wall"] - brief["wall"])
        for (_, long), brief in zip(both, short, strict=True)
    ]
    return {
        "wall of the loop, %": spread([100 * (watched["wall"] / bare["wall"] - 1) for bare, watched in both]),
        "CPU of the loop, %": spread([100 * (watched["cpu"] / bare["cpu"] - 1) for bare, watched in both]),
        "CPU of the command, %": spread([100 * (watched["life_cpu"] / bare["life_cpu"] - 1) for bare, watched in both]),
        "CPU of watch for each second, %": spread([100 * value for value in slope]),
        "CPU of watch as a whole, s": spread([watched["other_cpu"] for _, watched in both]),
        "wall of the whole beyond the bare command, s": spread(
            [watched["outer_wall"] - bare["outer_wall"] for bare, watched in both]
        ),
        "length of the loop, s": spread([bare["wall"] for bare, _ in both]),
    }


STRETCH = 2.0
"""Seconds for which the watch works, and then stands still."""
OFTEN = 0.05
"""Seconds between samples there: what they cost is twenty times as large as with one second, and so can be told from the noise."""


def alternating(bench: Bench, seconds: float) -> dict[str, dict[str, float]]:
    """Return by how much a step is longer while the watch works than while it is stopped, in percent, for samples of one second."""
    command = [
        *bench.watch(interval=f"{OFTEN}s"),
        bench.python,
        str(bench.program),
        "0",
        str(seconds),
        str(bench.answer),
        "moments",
    ]
    turns: list[float] = []
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while child.poll() is None:
        turns.append(time.monotonic())
        child.send_signal(signal.SIGSTOP if len(turns) % 2 else signal.SIGCONT)
        time.sleep(STRETCH)
        if len(turns) > (seconds + 30) / STRETCH:
            break
    child.send_signal(signal.SIGCONT)
    child.wait()
    moments = json.loads(bench.answer.read_text(encoding="utf-8"))["moments"]
    inside = [(begin, end) for begin, end in itertools.pairwise(turns) if moments[0] < begin and end < moments[-1]]
    lengths = [_step(moments, begin, end) for begin, end in inside]
    # Signals alternate: stopped after the first, third ... of all turns.
    first_is_stopped = turns.index(inside[0][0]) % 2 == 0
    found = [
        100 * OFTEN * (lengths[at] / ((lengths[at - 1] + lengths[at + 1]) / 2) - 1)
        for at in range(1, len(lengths) - 1)
        if (at % 2 == 0) != first_is_stopped
    ]
    center, error = statistics.median(found), statistics.stdev(found) / len(found) ** 0.5
    return {"a step while watched, %": {"median": center, "low": center - 2 * error, "high": center + 2 * error}}


def _step(moments: Sequence[float], begin: float, end: float) -> float:
    """Return the mean seconds of the steps that lie within a stretch."""
    first, last = bisect.bisect_left(moments, begin), bisect.bisect_right(moments, end) - 1
    return (moments[last] - moments[first]) / (last - first)


def starts(bench: Bench, pairs: int) -> dict[str, dict[str, float]]:
    """Return what watch adds to the start of a command, in seconds."""
    alone = ("-I", "-S")
    begin = paired(
        pairs, lambda: bench.first_instruction([], *alone), lambda: bench.first_instruction(bench.watch(), *alone)
    )
    whole = paired(pairs, lambda: run(["true"])[0], lambda: run([*bench.watch(), "true"])[0])
    hook = paired(
        pairs,
        lambda: bench.first_instruction(bench.watch("--no-inside")),
        lambda: bench.first_instruction(bench.watch()),
    )
    return {
        "start, s": spread([watched - bare for bare, watched in begin]),
        "`watch -- true` beyond `true`, s": spread([watched - bare for bare, watched in whole]),
        "hook in a Python without torch, s": spread([watched - bare for bare, watched in hook]),
    }


def main() -> int:
    """Measure, print, and return 1 where a limit is passed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("environment", type=Path)
    parser.add_argument("--pairs", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=20, help="length of the training")
    parser.add_argument(
        "--alternating",
        type=float,
        default=120,
        help="length of the training in which the watch is stopped now and then",
    )
    parser.add_argument("--starts", type=int, default=15, help="pairs of short commands")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(options.environment, Path(folder))
        bench.train([], 5)
        bench.first_instruction(bench.watch())
        figures = {**starts(bench, options.starts), **alternating(bench, options.alternating)}
        if options.pairs:
            figures.update(training(bench, options.pairs, options.seconds))
    for name, figure in figures.items():
        limit = LIMITS.get(name)
        judged = "" if limit is None else f"  (at most {limit}: {'holds' if figure['median'] <= limit else 'FAILS'})"
        print(f"{name:46} {figure['median']:8.3f}  [{figure['low']:.3f} to {figure['high']:.3f}]{judged}")
    if options.output:
        about = {
            "pairs": options.pairs,
            "starts": options.starts,
            "python": sys.version.split()[0],
            "load": os.getloadavg(),
        }
        options.output.write_text(json.dumps({**about, "figures": figures}, indent=1) + "\n", encoding="utf-8")
    return int(any(figures[name]["median"] > limit for name, limit in LIMITS.items() if name in figures))


if __name__ == "__main__":
    sys.exit(main())
