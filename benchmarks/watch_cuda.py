"""Compares what `watch --device-type cuda` says of real trainings with what torch.profiler says of the same runs; prints JSON.

    python benchmarks/watch_cuda.py [--python PYTHON] [--seconds 20] [-o FILE]

Needs an NVIDIA GPU, a Python with a torch that can use it (found on PATH where --python is not given), and nvidia-ml-py beside the doctor.
Each kind of program trains for the same time: on the processor, on the GPU, and on both in turns. While it does, torch.profiler notes each
kernel; their time, overlaps counted once, over the time since torch was imported is what watch's share is compared with.
The exit code is 1 where a share is off by more than 5 points, and 2 where nothing could be measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

KINDS = ("cpu", "cuda", "half")
POINTS = 5.0
LIMIT_SECONDS = 240
"""Added to the time of the training: how long a run may take at most."""
EXPECTED = {"cpu": "program-never-used-gpu", "cuda": "", "half": ""}

PROGRAM = """
import json, os, sys, time
kind, seconds, answer = sys.argv[1], float(sys.argv[2]), sys.argv[3]
import torch
imported = time.monotonic()
from torch import nn

def network(width):
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))

def trained(device, width, rows):
    model = network(width).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    data = torch.randn(rows, width, device=device)
    def step():
        loss = model(data).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()  # waits for the device
    return step

def turns(step, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        step()

torch.set_num_threads(2)
on_cpu = trained("cpu", 512, 256)
kernels = []
if kind == "cpu":
    turns(on_cpu, seconds)
else:
    on_gpu = trained("cuda", 4096, 4096)
    from torch.profiler import ProfilerActivity, profile
    with profile(activities=[ProfilerActivity.CUDA]) as profiler:
        if kind == "cuda":
            turns(on_gpu, seconds)
        else:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                turns(on_gpu, 0.5)
                turns(on_cpu, 0.5)
        torch.cuda.synchronize()
    trace = answer + ".trace"
    profiler.export_chrome_trace(trace)
    with open(trace) as file:
        events = json.load(file)["traceEvents"]
    os.remove(trace)
    kernels = [(float(e["ts"]), float(e["ts"]) + float(e["dur"])) for e in events
               if e.get("ph") == "X" and e.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset")]
busy, until = 0.0, float("-inf")
for start, end in sorted(kernels):
    busy += max(0.0, end - max(start, until))
    until = max(until, end)
with open(answer, "w") as file:
    json.dump({"kernels": len(kernels), "busy_seconds": busy / 1e6, "seconds": time.monotonic() - imported,
               "torch": torch.__version__, "gpu": torch.cuda.get_device_name(0) if kind != "cpu" else ""}, file)
"""


def pythons(given: str) -> Iterator[str]:
    """Yield interpreters that may have a torch, the likeliest first."""
    if given:
        yield given
        return
    names = ("python3", "python", "python3.12", "python3.11", "python3.10", "python3.13")
    found = [sys.executable, *(shutil.which(name, path=os.environ.get("PATH")) or "" for name in names)]
    found += ["/usr/bin/python3", "/usr/local/bin/python3", "/opt/conda/bin/python", "/opt/venv/bin/python"]
    yield from dict.fromkeys(path for path in found if path and os.access(path, os.X_OK))


def with_cuda(given: str) -> tuple[str, str]:
    """Return the first interpreter whose torch can use a GPU, and what was tried."""
    tried = []
    ask = "import torch; print(torch.__version__, torch.cuda.is_available())"
    for python in pythons(given):
        try:
            run = subprocess.run(
                [python, "-c", ask], capture_output=True, text=True, timeout=180, check=False, env=clean()
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            tried.append(f"{python}: {error}")
            continue
        said = (run.stdout.strip() or run.stderr.strip() or "nothing").splitlines()[-1]
        if run.returncode == 0 and said.endswith("True"):
            return python, "; ".join([*tried, f"{python}: torch {said}"])
        tried.append(f"{python}: {said}")
    return "", "; ".join(tried)


def clean() -> dict[str, str]:
    """Return the environment without what would bind another interpreter to the doctor's."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONHOME", "VIRTUAL_ENV", "PYTHONPATH")
    }


def watched(kind: str, python: str, seconds: float, folder: Path, extra: Sequence[str]) -> dict[str, Any]:
    """Run one program under watch and return both accounts of it."""
    program, answer, report = folder / "program.py", folder / f"{kind}.json", folder / f"{kind}-report.json"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [python, str(program), kind, str(seconds), str(answer)]
    watch = [
        sys.executable,
        "-m",
        "xpu_doctor",
        "watch",
        "--device-type",
        "cuda",
        "-o",
        str(report),
        *extra,
        "--",
        *command,
    ]
    package = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(part for part in (package, os.environ.get("PYTHONPATH", "")) if part)
    started = time.monotonic()
    try:
        run = subprocess.run(
            watch, capture_output=True, text=True, errors="replace", timeout=seconds + LIMIT_SECONDS, check=False,
            env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return {"kind": kind, "error": f"took more than {error.timeout:.0f} s"}
    result: dict[str, Any] = {
        "kind": kind,
        "exit_code": run.returncode,
        "wall_seconds": round(time.monotonic() - started, 2),
    }
    if not answer.exists() or not report.exists():
        missing = [path.name for path in (answer, report) if not path.exists()]
        return {
            **result,
            "error": f"not written: {', '.join(missing)}",
            "stderr": run.stderr[-3000:],
            "stdout": run.stdout[-1000:],
        }
    profiler = json.loads(answer.read_text(encoding="utf-8"))
    document = json.loads(report.read_text(encoding="utf-8"))
    return {**result, **compared(document, profiler), "stderr_tail": run.stderr[-600:]}


def compared(document: dict[str, Any], profiler: dict[str, Any]) -> dict[str, Any]:
    """Return watch's share beside the profiler's."""
    facts = (document.get("snapshot") or {}).get("watched")
    one = facts[0] if isinstance(facts, list) and facts else {}
    found: dict[str, Any] = {
        "profiler": profiler,
        "findings": codes(document),
        "program": document.get("program"),
        "counters": one.get("counters"),
        "gpus": one.get("gpus"),
        "seconds": one.get("seconds"),
        "samples": one.get("samples"),
        "inside": one.get("inside"),
        "processes": [
            {name: process.get(name) for name in ("pid", "name", "seconds", "cpu_seconds", "gpus")}
            for process in (one.get("processes") if isinstance(one.get("processes"), list) else ())
        ],
    }
    gpus = one.get("gpus") if isinstance(one.get("gpus"), list) else []
    busy = [gpu["busy_seconds"] for gpu in gpus if isinstance(gpu.get("busy_seconds"), int | float)]
    if not busy or not isinstance(one.get("seconds"), int | float):
        return {**found, "error": "watch knows no share; see counters and gpus"}
    inside = one.get("inside") if isinstance(one.get("inside"), list) else []
    imported = [report["imported_at"] for report in inside if isinstance(report.get("imported_at"), int | float)]
    since = one["seconds"] - (min(imported) if imported else 0.0)
    used = [value for value in busy if value > 0]
    counted = 100 * sum(used) / (max(1, len(used)) * since)
    told = (document.get("program") or {}).get("share")
    share = 100 * told if isinstance(told, int | float) else counted
    expected = 100 * profiler["busy_seconds"] / profiler["seconds"]
    return {
        **found,
        "share_of_watch": round(share, 2),
        "share_by_its_facts": round(counted, 2),
        "share_of_profiler": round(expected, 2),
        "difference_in_points": round(share - expected, 2),
        "busy_seconds_of_watch": round(sum(used), 3),
        "busy_seconds_of_profiler": round(profiler["busy_seconds"], 3),
        "since_import_by_watch": round(since, 3),
    }


def codes(document: dict[str, Any]) -> list[str]:
    """Return the codes of all findings, those folded under others too."""
    found = []
    open_ones = list(document.get("root_causes") or ())
    while open_ones:
        finding = open_ones.pop(0)
        found.append(str(finding.get("code")))
        open_ones += finding.get("explains") or ()
    return found


def about_the_machine() -> dict[str, str]:
    """Return what helps to understand odd figures."""
    told = {"python": sys.version.split()[0], "container": str(Path("/.dockerenv").exists())}
    for name, command in {
        "nvidia-smi": ["nvidia-smi", "--query-gpu=name,driver_version,mig.mode.current,uuid", "--format=csv,noheader"],
        "compute-apps": ["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader"],
        "nvidia-ml-py": [sys.executable, "-c", "import importlib.metadata as m; print(m.version('nvidia-ml-py'))"],
        "doctor": [sys.executable, "-m", "xpu_doctor", "--version"],
    }.items():
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            told[name] = (run.stdout.strip() or run.stderr.strip()[-300:])[:600]
        except (OSError, subprocess.TimeoutExpired) as error:
            told[name] = str(error)
    return told


def main() -> int:
    """Run all kinds and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default="", help="the interpreter with a torch for CUDA")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only this kind; may be given more than once")
    parser.add_argument("--watch-option", action="append", default=[], help="passed on to watch")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    python, tried = with_cuda(options.python)
    result: dict[str, Any] = {"machine": about_the_machine(), "interpreters": tried, "kinds": []}
    if python:
        with tempfile.TemporaryDirectory() as folder:
            for kind in options.kind or KINDS:
                one = watched(kind, python, options.seconds, Path(folder), options.watch_option)
                result["kinds"].append(one)
                print(
                    f"{kind}: {one.get('share_of_watch', one.get('error'))} %, profiler {one.get('share_of_profiler')} %",
                    file=sys.stderr,
                )
    else:
        result["error"] = "no interpreter here has a torch that can use a GPU"
    off = [one.get("difference_in_points") for one in result["kinds"]]
    result["verdict"] = {
        "within_5_points": bool(off) and all(value is not None and abs(value) <= POINTS for value in off),
        "right_findings": all(
            (EXPECTED[one["kind"]] in one["findings"]) if EXPECTED[one["kind"]] else "program-never-used-gpu" not in one["findings"]
            for one in result["kinds"] if "findings" in one
        ),
    }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    if not off or all(value is None for value in off):
        return 2
    return 0 if result["verdict"]["within_5_points"] else 1


if __name__ == "__main__":
    sys.exit(main())
