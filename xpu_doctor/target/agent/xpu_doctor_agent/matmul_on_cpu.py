"""The same matmuls on the CPU, for comparison."""

from __future__ import annotations

import sys

from .matmul_bench import Bench
from .matmul_timing import thread_share
from .resources import usable_cpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .matmul_timing import Limits


def on_cpu(torch: Any, limits: Limits, threads: int) -> Facts:
    """Do the same work on the CPU, a part of a second of it: on one thread for its CPU time, on all for its speed.

    One thread, because threads that wait for each other on a busy machine spin, up to fifty times the CPU time of the
    work. The least of several times and sizes is taken: other load can only add, and small matrices fit the caches.
    """
    bench = Bench(torch, None, torch.device("cpu"), torch.float32, 1)
    share = limits["cpu_seconds"] / 8
    size, best = 256, _on_one_thread(bench, 256, share)
    for larger in (1024, 512):
        if best["cpu_seconds_per_tflop"] * 2.0 * larger**3 / 1e12 < share * 1.5:
            size, second = larger, _on_one_thread(bench, larger, share)
            best = {key: min(best[key], second[key]) for key in best}
            break
    torch.set_num_threads(threads)
    bench.batch(1)
    work = 2.0 * size**3 / 1e12
    count = int(max(1, min(limits["most"], share / max(best["seconds_per_tflop"] * work / threads, 1e-4))))
    together = [bench.batch(count) for _ in range(3)]
    per_tflop = min([best["seconds_per_tflop"]] + [run["seconds"] / (work * count) for run in together])
    cpu, thread = (sum(run[key] for run in together) for key in ("cpu_seconds", "thread_seconds"))
    return {
        "size": size,
        "count": count,
        "threads": threads,
        "logical_cpus": usable_cpus(),
        "seconds": per_tflop * work * count,
        "tflops": 1.0 / per_tflop,
        "cpu_seconds_per_tflop": best["cpu_seconds_per_tflop"],
        "main_thread_share": thread_share(thread, cpu),
    }


def _on_one_thread(bench: Bench, size: int, seconds: float) -> dict[str, float]:
    """Return the seconds and CPU seconds of 10**12 operations on one thread, from batches of about some seconds each."""
    bench.prepare(size)
    bench.batch(1)
    once = min(bench.batch(1)["seconds"] for _ in range(2))
    count = int(max(1, seconds / max(once, 1e-5)))
    runs = [bench.batch(count) for _ in range(2)]
    work = 2.0 * size**3 * count / 1e12
    spent = [run["cpu_seconds"] for run in runs]
    # Windows counts CPU time in ticks of 1/64 s: there only the sum of all is long enough
    least = sum(spent) / len(spent) if sys.platform == "win32" else min(spent)
    return {"cpu_seconds_per_tflop": least / work, "seconds_per_tflop": min(run["seconds"] for run in runs) / work}
