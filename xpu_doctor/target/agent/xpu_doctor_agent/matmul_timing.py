"""Timed matmuls on a device: which size, how many in a batch, and how long they took."""

from __future__ import annotations

import time

from .facts import unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .matmul_bench import Bench

    Limits = dict[str, Any]

SMALLEST = 128
UNKNOWN_ROOM = 512 << 20
"""Bytes for the matrices on a device that does not tell how much memory it has."""


def fitting_size(bench: Bench, batch_seconds: float, limits: Limits, result: Facts) -> tuple[int, float]:
    """Find a size whose product takes about a sixteenth of a batch: (size, seconds of one product)."""
    bench.prepare(SMALLEST)
    bench.first_seconds = bench.once()
    size, seconds = SMALLEST, min(bench.once() for _ in range(3))
    largest = _largest(bench, limits, result)
    for _ in range(5):
        wanted = min(largest, _next_size(size, seconds, batch_seconds))
        if wanted <= size:
            break
        try:
            bench.prepare(wanted)
            bench.once()
            size, seconds = wanted, min(bench.once() for _ in range(2))
        except Exception as error:
            if "memory" not in str(error).lower() or size < 512:
                raise
            bench.prepare(size)
            bench.once()
            break
    return size, seconds


def _next_size(size: int, seconds: float, batch_seconds: float) -> int:
    """Return the next size to try, by the time of the last: twice the size is eight times the work, or less where it waits for other things."""
    if size == SMALLEST:
        return 512 if seconds < batch_seconds / 2 else 256 if seconds < batch_seconds * 2 else SMALLEST
    if seconds > batch_seconds / 64:
        return size * 2 if seconds * 8 < batch_seconds / 2 else size
    wanted = size
    while wanted < size * 8 and seconds * (wanted * 2.0 / size) ** 3 < batch_seconds / 8:
        wanted *= 2
    return max(wanted, size * 2)


def _largest(bench: Bench, limits: Limits, result: Facts) -> int:
    """Return the largest size whose matrices take at most half of the free memory, as far as it is known."""
    free, total = result.get("free_memory"), result.get("total_memory")
    if isinstance(free, int) and free > 0:
        room = free // 2
    elif isinstance(total, int) and total > 0:
        room = total // 4
    else:
        room = UNKNOWN_ROOM
    size = SMALLEST
    while size < limits["largest"] and 5 * (2 * size) ** 2 * bench.blocks[0].element_size() <= room:
        size *= 2
    return size


def timing(bench: Bench, count: int, limits: Limits) -> Facts:
    """Time batches one after the other.

    By the device's events, the last one: a GPU lowers its clock in the first tenths of a second of full power. By the
    host's clock, the best one: other load can only add; there, the CPU time is that of one more batch, slept through.
    """
    began = time.perf_counter()
    count, runs = _first_batch(bench, count, limits)
    batches = limits["batches"] if bench.timed else limits["batches"] - 1
    while len(runs) < batches and time.perf_counter() - began < limits["device_seconds"] / 3:
        runs.append(bench.batch(count))
    if bench.timed:
        wall, quiet = runs[-1]["device_seconds"], runs
    else:
        wall = min(run["seconds"] for run in runs)
        quiet = runs if bench.event is not None else [bench.batch(count, 0.97 * wall)]
    work = 2.0 * bench.size**3 * count / 1e12
    cpu = sum(run["cpu_seconds"] for run in quiet)
    whole, thread = (sum(run[key] for run in runs) for key in ("cpu_seconds", "thread_seconds"))
    return {
        "count": count,
        "batches": len(runs),
        "seconds": wall,
        "timed_by": "events" if bench.timed else "clock",
        "tflops": work / wall,
        "cpu_seconds": cpu,
        "cpu_seconds_per_tflop": cpu / (work * len(quiet)),
        "queue_share": sum(run["queue_seconds"] for run in runs) / sum(run["seconds"] for run in runs),
        "main_thread_share": thread_share(thread, whole),
    }


def thread_share(thread: float, whole: float) -> Any:
    """Return the main thread's share of the CPU time, or unknown where there is none."""
    return min(1.0, thread / whole) if whole > 0 else unknown("no CPU time was counted")


def _first_batch(bench: Bench, count: int, limits: Limits) -> tuple[int, list[dict[str, Any]]]:
    """Return the products in a batch, and the first batch: on a busy machine a first guess can be far off, and a short batch a matter of luck."""
    began = time.perf_counter()
    for _ in range(4):
        run = bench.batch(count)
        late = time.perf_counter() - began > limits["device_seconds"] / 3
        if late or run["seconds"] >= limits["batch_seconds"] / 2 or count >= limits["most"]:
            break
        count = int(min(limits["most"], max(count + 1, count * limits["batch_seconds"] / max(run["seconds"], 1e-6))))
    return count, [run]
