"""What the walk of torch's libraries costs, as a ratio to importing torch in the same run.

    python benchmarks/closure.py --torch VENV [--runtime VENV] [--runs 10] [--out benchmarks/results/closure.json]

VENV of --torch holds a real torch. VENV of --runtime holds Intel's runtime packages; a torch of stubs that needs all of them is
built into it with gcc for the run. Each walk is a fresh process that loads what the doctor loads for it; its peak memory is its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WALK = """
import json, os, resource, sys, time
sys.path.insert(0, sys.argv[1])
from xpu_doctor.model.facts import Python, Torch
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
started, cpu = time.perf_counter(), time.process_time()
from xpu_doctor.probes.libraries import closure_facts
python = Python(executable=sys.argv[2], os="linux", prefix=sys.argv[3], base_prefix=sys.argv[3], libc="glibc 2")
facts = closure_facts(python, Torch(path=sys.argv[4], version="2.13.0"), dict(os.environ), os.getcwd())
print(json.dumps({"seconds": time.perf_counter() - started, "cpu": time.process_time() - cpu, "count": facts.count,
                  "prediction": facts.prediction, "faults": len(facts.faults), "peak_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
                  "before_kib": before}))
"""
ROOTS = (
    "libsycl.so.*",
    "libmkl_sycl_*.so.*",
    "libccl.so.1",
    "libpti_view.so.*",
    "libsvml.so",
    "libirng.so",
    "libimf.so",
    "libintlc.so.5",
    "libmkl_core.so.*",
)


def site(venv: Path) -> Path:
    """Return the site-packages of an environment."""
    return next((venv / "lib").glob("python3*")) / "site-packages"


def stub_torch(venv: Path, folder: Path) -> Path:
    """Return a torch whose one library needs every runtime library of the environment, beside a copy-free view of it."""
    view = folder / "env"
    (view / "lib").mkdir(parents=True)
    for path in (venv / "lib").iterdir():
        if path.is_file():
            (view / "lib" / path.name).symlink_to(path)
    lib = view / "lib" / "python3" / "site-packages" / "torch" / "lib"
    lib.mkdir(parents=True)
    needed = sorted(
        {str(path) for pattern in ROOTS for path in (view / "lib").glob(pattern) if path.name.count(".") <= 2}
    )
    command = [
        "gcc",
        "-shared",
        "-nostdlib",
        "-x",
        "c",
        "/dev/null",
        "-x",
        "none",
        "-Wl,--no-as-needed",
        "-Wl,--allow-shlib-undefined",
        *needed,
    ]
    command += ["-Wl,-rpath,$ORIGIN/../../../..:$ORIGIN", "-Wl,--disable-new-dtags", "-o", str(lib / "libtorch_xpu.so")]
    subprocess.run(command, check=True, capture_output=True)
    return lib.parent


def walk(python: Path, prefix: Path, torch: Path) -> dict[str, Any]:
    """One walk in a fresh process."""
    command = [sys.executable, "-c", WALK, str(ROOT), str(python), str(prefix), str(torch)]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return answer


def seconds(command: list[str]) -> float:
    """How long a command takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def median(rows: list[dict[str, Any]], name: str) -> float:
    """Return the median of one column."""
    return statistics.median(row[name] for row in rows)


def main() -> int:
    """Measure, print, and write where asked."""
    parser = argparse.ArgumentParser(description="What the walk of torch's libraries costs.")
    parser.add_argument("--torch", type=Path, required=True)
    parser.add_argument("--runtime", type=Path)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--out", type=Path)
    chosen = parser.parse_args()
    python = chosen.torch / "bin" / "python"
    with tempfile.TemporaryDirectory(prefix="xpu-doctor-closure-") as folder:
        targets = {"real torch, CPU build": (chosen.torch, site(chosen.torch) / "torch")}
        if chosen.runtime:
            torch = stub_torch(chosen.runtime, Path(folder))
            targets["stub torch on all Intel runtime packages"] = (torch.parents[3], torch)
        rows: dict[str, list[dict[str, Any]]] = {name: [] for name in targets}
        imports = []
        for _ in range(chosen.runs):
            imports.append(seconds([str(python), "-c", "import torch"]))
            for name, (prefix, package) in targets.items():
                rows[name].append(walk(python, prefix, package))
    imported = statistics.median(imports)
    result: dict[str, Any] = {"date": date.today().isoformat(), "runs": chosen.runs, "walks": {}}
    for name, each in rows.items():
        result["walks"][name] = {
            "libraries": each[0]["count"],
            "prediction": each[0]["prediction"],
            "faults": each[0]["faults"],
            "walk/import": round(median(each, "seconds") / imported, 4),
            "cpu/import": round(median(each, "cpu") / imported, 4),
            "peak_mib": round(max(row["peak_kib"] for row in each) / 1024, 1),
            "peak_of_the_walk_itself_mib": round(max(row["peak_kib"] - row["before_kib"] for row in each) / 1024, 1),
        }
    text = json.dumps(result, indent=1)
    print(text)
    if chosen.out:
        chosen.out.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
