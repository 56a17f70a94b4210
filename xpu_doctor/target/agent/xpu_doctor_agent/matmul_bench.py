"""Square matrices on one device: how to make them, multiply them, wait for the product, and check it."""

from __future__ import annotations

import time

from .facts import attempt
from .resources import difference, resident_bytes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts

BLOCK_ROWS = 256
POLL_SECONDS = 0.0005


class Bench:
    """Square matrices of one data type on one device, and the ways to multiply them, to wait, and to check."""

    def __init__(self, torch: Any, module: Any, device: Any, dtype: Any, threads: int) -> None:
        """Take a device and the module of its type, None for the CPU; `threads` is what torch is given to work with."""
        self.torch, self.module, self.device, self.dtype, self.threads = torch, module, device, dtype, threads
        self.size = 0
        self.a = self.b = self.c = None  # type: Any
        self.blocks: tuple[Any, ...] = ()
        self.memory: Facts = {}
        self.first_seconds = 0.0
        self.event = self._event(timing=True)
        self.timed = self.event is not None
        """Whether the device's own events tell the time."""
        if self.event is None:
            self.event = self._event(timing=False)

    def _event(self, timing: bool) -> Any:
        """Return a working event of the device, or None where it has none."""
        maker = getattr(self.module, "Event", None)
        if maker is None or self.device.type == "cpu":
            return None
        try:
            events = [maker(enable_timing=True) if timing else maker() for _ in range(2)]
            for event in events:
                event.record()
            while not events[1].query():
                time.sleep(POLL_SECONDS)
            if timing:  # some releases have events that record and cannot tell the time
                events[0].elapsed_time(events[1])
            return events[0]
        except Exception:
            return None

    def prepare(self, size: int) -> None:
        """Make two random matrices of a size on the device, from a block of rows that the host keeps.

        One thread: worker threads that spin on afterwards would be counted as work of the device's matmul.
        """
        torch = self.torch
        self.release()
        torch.set_num_threads(1)
        # A block that repeats, since random numbers for a whole matrix take the host longer than the product takes the device.
        rows = min(size, BLOCK_ROWS)
        generator = torch.Generator().manual_seed(size)
        self.blocks = tuple(torch.randn(rows, size, generator=generator).to(self.dtype) for _ in range(2))
        held, resident = self._allocated(), resident_bytes()
        self.a, self.b = (self._uploaded(block, size) for block in self.blocks)
        self.memory = {
            "allocated_bytes": difference(self._allocated(), held),
            "host_growth_bytes": difference(resident_bytes(), resident),
        }
        self.memory["input_bytes"] = 2 * size * size * self.blocks[0].element_size()
        self.size = size
        self.synchronize()
        torch.set_num_threads(self.threads)

    def _uploaded(self, block: Any, size: int) -> Any:
        """Return a square matrix on the device that repeats the block."""
        whole = self.torch.empty((size, size), dtype=self.dtype, device=self.device)
        for row in range(0, size, block.shape[0]):
            whole[row : row + block.shape[0]].copy_(block)
        return whole

    def _allocated(self) -> int | Facts:
        """Bytes that torch says it holds on the device."""
        found: int | Facts = attempt(lambda: int(self.module.memory_allocated(self.device)))
        return found

    def release(self) -> None:
        """Let go of the matrices."""
        self.a = self.b = self.c = None

    def synchronize(self) -> Any:
        """Wait for the device, and read one element back: a synchronize that does not wait cannot deceive that."""
        waits = getattr(self.module, "synchronize", None)
        if waits is not None:
            waits(self.device)
        last = self.c if self.c is not None else self.b
        return last[-1:, -1:].cpu()

    def once(self) -> float:
        """Return the seconds of one product, waited for."""
        started = time.perf_counter()
        self.c = self.torch.mm(self.a, self.b)
        self.synchronize()
        return time.perf_counter() - started

    def batch(self, count: int, quiet_for: float = 0.0) -> dict[str, Any]:
        """Queue a number of products, then wait: seconds and CPU seconds of each part.

        Where the device has events, they are asked between sleeps; else `quiet_for` says how long to sleep before the
        wait. Sleeping matters: a driver that spins while it waits would look like work on the CPU.
        """
        before = self.module.Event(enable_timing=True) if self.timed else None
        wall, process, thread = time.perf_counter(), time.process_time(), time.thread_time()
        if before is not None:
            before.record()
        for _ in range(count):
            self.c = self.torch.mm(self.a, self.b)
        if self.event is not None:
            self.event.record()
        queued = time.perf_counter() - wall
        if self.event is not None:
            while not self.event.query():
                time.sleep(POLL_SECONDS)
        elif quiet_for > queued:
            time.sleep(quiet_for - queued)
        self.synchronize()
        seconds = time.perf_counter() - wall
        process, thread = time.process_time() - process, time.thread_time() - thread
        device_seconds: float | None = before.elapsed_time(self.event) / 1000.0 if before is not None else None
        return {
            "queue_seconds": queued,
            "seconds": seconds,
            "device_seconds": device_seconds,
            "cpu_seconds": process,
            "thread_seconds": thread,
        }

    def check(self) -> Facts:
        """Compare sampled rows of the last product with float64 on the CPU."""
        torch, size = self.torch, self.size
        torch.set_num_threads(1)
        a, b = (block.to(torch.float64) for block in self.blocks)
        rows = a.shape[0]
        sampled = sorted({0, 1, size // 3, size // 2, size - 2, size - 1})
        got = torch.stack([self.c[row].cpu().to(torch.float64) for row in sampled])
        folded = torch.stack([a[row % rows].reshape(size // rows, rows).sum(0) for row in sampled])
        wanted = torch.mm(folded, b)
        good = torch.isfinite(got)
        bad = int(got.numel() - int(good.sum()))
        wrong = torch.where(good, got - wanted, torch.zeros_like(got))
        scale = float(wanted.pow(2).mean().sqrt())
        torch.set_num_threads(self.threads)
        return {
            "checked_elements": int(got.numel()),
            "nonfinite_elements": bad,
            "all_zero": bool((got == 0).all()),
            "mean_error": float(wrong.pow(2).mean().sqrt()) / scale,
            "worst_error": float(wrong.abs().max()) / scale,
        }
