"""Where did the matmul run? The signals of many runs, each in a fresh process, idle and with every CPU busy.

    python benchmarks/compute.py measure --python PY --device cuda --runs 30 [--load] [--agree] --out raw.json
    python benchmarks/compute.py matrix --torch VENV --runs 30 --out raw.json       (the devices of tests/compute)
    python benchmarks/compute.py judge raw.json ... [--out results.json]

`measure` needs nothing but the standard library and can run on a machine where the doctor is not installed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
AGENT = ROOT / "xpu_doctor" / "target" / "agent" / "__main__.py"
KEY = b"0" * 32
"""What the agent reads first and seals its lines with; here nobody else writes, so the seals are not looked at."""

AGREE = """
import json, sys, torch
from torch.utils.benchmark import Timer
rows = []
for dtype, size in json.loads(sys.argv[2]):
    a, b = (torch.randn(size, size, device=sys.argv[1], dtype=getattr(torch, dtype)) for _ in range(2))
    timer = Timer("torch.mm(a, b)", globals={"torch": torch, "a": a, "b": b})
    timer.blocked_autorange(min_run_time=0.3)
    seconds = timer.blocked_autorange(min_run_time=1.0).median
    rows.append({"dtype": dtype, "size": size, "tflops": 2 * size**3 / seconds / 1e12})
print(json.dumps(rows))
"""
DESCRIBE = """
import json, sys, torch
device = torch.device(sys.argv[1])
name = torch.get_device_module(device).get_device_name(0) if device.type != "cpu" else "cpu"
print(json.dumps({"torch": torch.__version__, "python": sys.version.split()[0], "device": name, "threads": torch.get_num_threads()}))
"""


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep a number of processors busy; the processes are ended by their ids."""
    children = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for child in children:
            child.kill()
            child.wait()


def stage(python: str, device: str, limits: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Run the stage once in a fresh process: its facts, and what the whole process took."""
    with tempfile.TemporaryDirectory() as folder:
        transcript = os.path.join(folder, "transcript")
        request = json.dumps({"compute": {"devices": [device], "limits": dict(limits)}, "folder": folder})
        Path(transcript).write_bytes(KEY)
        started = time.perf_counter()
        run = subprocess.run(
            [python, "-B", str(AGENT), transcript, request, "compute"],
            env=dict(environment),
            capture_output=True,
            timeout=300,
            check=False,
        )
        wall = time.perf_counter() - started
        written = Path(transcript).read_bytes()[len(KEY) :]
        lines = [json.loads(line.split(b" ", 2)[2]) for line in written.splitlines() if line]
    ends = [line for line in lines if line["kind"] in ("end", "error")]
    return {
        **(ends[-1].get("facts", {"failure": ends[-1]}) if ends else {"failure": run.stderr.decode()[-500:]}),
        "process_seconds": wall,
    }


def series(
    python: str, device: str, runs: int, load: bool, limits: Mapping[str, Any], environment: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Run the stage many times, with every logical CPU busy where `load` says so."""
    with busy(len(os.sched_getaffinity(0)) if load else 0):
        rows = []
        for number in range(runs):
            rows.append(stage(python, device, limits, environment))
            if number % 10 == 9:
                print(f"{number + 1} of {runs} runs", file=sys.stderr, flush=True)
        return rows


def ask(python: str, code: str, *arguments: str) -> Any:
    """Run a line of code in an interpreter and return its JSON answer."""
    run = subprocess.run([python, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.strip().splitlines()[-1])


def hardware() -> dict[str, Any]:
    """Return what this machine is."""
    names = [
        line.split(":", 1)[1].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cpu": names[0] if names else "",
        "logical_cpus": len(os.sched_getaffinity(0)),
        "date": time.strftime("%Y-%m-%d"),
    }


def measure(options: argparse.Namespace) -> list[dict[str, Any]]:
    """One device, one series."""
    limits = json.loads(options.limits)
    row: dict[str, Any] = {
        "case": options.case or options.device,
        "load": options.load,
        "expected": options.expected,
        **hardware(),
    }
    row.update(ask(options.python, DESCRIBE, options.device))
    row["runs"] = series(options.python, options.device, options.runs, options.load, limits, os.environ)
    if options.agree:
        products = row["runs"][0]["devices"][0]["products"]
        row["torch.utils.benchmark"] = ask(
            options.python,
            AGREE,
            options.device,
            json.dumps([(item["dtype"], item["size"]) for item in products if item.get("tflops")]),
        )
    return [row]


def matrix(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Every behaviour of the test device, idle and loaded."""
    sys.path.insert(0, str(ROOT))
    from tests.compute.targets import FLOAT32, build

    with tempfile.TemporaryDirectory() as folder:
        target = build(Path(options.torch), Path(folder))
        plain = stage(target.python, "cpu", FLOAT32, target.environment)
        gflops = plain["cpu"]["tflops"] * 1000
        rows = []
        for name, expected, device, acting in cases(target, gflops):
            if options.only and options.only not in name:
                continue
            for load in (False, True):
                runs = series(target.python, device, options.runs, load, FLOAT32, acting.environment)
                rows.append(
                    {
                        "case": name,
                        "load": load,
                        "expected": expected,
                        **hardware(),
                        "torch": ask(target.python, DESCRIBE, "cpu")["torch"],
                        "runs": runs,
                    }
                )
                tell(rows[-1:])
                Path(options.out).write_text(json.dumps(rows), encoding="utf-8")
    return rows


def cases(target: Any, gflops: float) -> Iterator[tuple[str, str, str, Any]]:
    """Name, expected place, device and target of each case."""
    yield "boxed CPU fallback", "cpu", "testgpu", target.acting("fallback")
    yield "registered kernel that runs on the CPU", "cpu", "testgpu", target.acting("native")
    yield "the CPU itself", "cpu", "cpu", target.acting("fallback")
    for wait in ("spin", "block"):
        for speed in (0.5, 2.0):
            settings = {"wait": wait, "queue": "async", "gflops": str(gflops * speed)}
            yield (
                f"another process, {speed:g} times this CPU, {wait} wait",
                "not cpu",
                "testgpu",
                target.acting("elsewhere", **settings),
            )
    yield (
        "another process, really computing, spin wait",
        "not cpu",
        "testgpu",
        target.acting("elsewhere", wait="spin", queue="async"),
    )
    settings = {"wait": "spin", "queue": "sync", "gflops": str(gflops)}
    yield "another process, synchronous calls, spin wait", "not cpu", "testgpu", target.acting("elsewhere", **settings)


def judged(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the verdicts of a series and the spread of each signal."""
    sys.path.insert(0, str(ROOT))
    from xpu_doctor.diagnosis.where_it_ran import cpu_time_ratio, product_of, speedup, verdict
    from xpu_doctor.model.facts import Compute
    from xpu_doctor.target.stage_facts import filled

    places: dict[str, int] = {}
    signals: dict[str, list[float]] = {}
    tflops: dict[str, list[float]] = {}
    for facts in row["runs"]:
        compute = filled(Compute, facts)
        device = compute.devices[0] if isinstance(compute.devices, tuple) else None
        product = product_of(device) if device else None
        place = verdict(device, compute.cpu).place.value if device else "failed"
        places[place] = places.get(place, 0) + 1
        for item in facts.get("devices", [{}])[0].get("products", ()):
            if item.get("tflops"):
                tflops.setdefault(f"{item['dtype']} n={item['size']}", []).append(item["tflops"])
        if device is None or product is None:
            continue
        values = {
            "cpu time ratio": cpu_time_ratio(product, compute.cpu),
            "queue share": product.queue_share,
            "main thread share": product.main_thread_share,
            "times this CPU": speedup(product, compute.cpu),
            "CPU s / wall s": product.cpu_seconds_per_tflop * product.tflops
            if isinstance(product.cpu_seconds_per_tflop, float) and isinstance(product.tflops, float)
            else None,
            "measuring s": device.measuring_seconds,
            "warm-up s": device.warm_up_seconds,
            "stage s without import": compute.seconds,
            "process s": facts["process_seconds"],
        }
        for name, value in values.items():
            if isinstance(value, float):
                signals.setdefault(name, []).append(value)
    kept = {key: value for key, value in row.items() if key != "runs"}
    return {
        **kept,
        "verdicts": places,
        "signals": {name: spread(values) for name, values in signals.items()},
        "tflops": {name: spread(values) for name, values in tflops.items()},
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Minimum, median and maximum, to three digits."""
    figures = {"min": min(values), "median": statistics.median(values), "max": max(values)}
    return {"n": len(values), **{name: float(f"{value:.3g}") for name, value in figures.items()}}


def tell(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one line a series."""
    for row in map(judged, rows):
        ratio = row["signals"].get("cpu time ratio", {})
        print(
            f"{row['case']:60s} {'loaded' if row['load'] else 'idle':6s} expected {row['expected']:8s} {row['verdicts']}  cpu time ratio {ratio}",
            flush=True,
        )


def main() -> None:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("measure")
    one.add_argument("--python", default=sys.executable)
    one.add_argument("--device", required=True)
    one.add_argument("--case", default="")
    one.add_argument("--expected", default="device")
    one.add_argument("--load", action="store_true")
    one.add_argument("--agree", action="store_true")
    one.add_argument("--limits", default="{}")
    several = commands.add_parser("matrix")
    several.add_argument("--torch", required=True)
    several.add_argument("--only", default="")
    for command in (one, several):
        command.add_argument("--runs", type=int, default=30)
        command.add_argument("--out", required=True)
    judge = commands.add_parser("judge")
    judge.add_argument("raw", nargs="+")
    judge.add_argument("--out", default="")
    options = parser.parse_args()
    if options.command == "judge":
        rows = [row for path in options.raw for row in json.loads(Path(path).read_text(encoding="utf-8"))]
        tell(rows)
        if options.out:
            Path(options.out).write_text(json.dumps([judged(row) for row in rows], indent=1) + "\n", encoding="utf-8")
        return
    rows = measure(options) if options.command == "measure" else matrix(options)
    Path(options.out).write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
