"""Gives a torch for the processor a device called `xpu`, as its own modules for XPU expect it; torch calls `load` when it is imported."""

from __future__ import annotations

import atexit
import ctypes
import os
import time
from types import SimpleNamespace

NAMES = {
    "a770": "Intel(R) Arc(TM) A770 Graphics",
    "b580": "Intel(R) Arc(TM) B580 Graphics",
    "igpu": "Intel(R) Arc(TM) Graphics",
}
PEAK, ALLOCATIONS, HELD_LOCAL, HELD_SYSTEM = 6, 7, 3, 4


def load() -> None:
    """Load the device's library and put the functions that a torch for XPU has where `torch.xpu` looks for them."""
    import torch

    library = ctypes.CDLL(os.environ["SIMULATED_XPU_LIBRARY"])
    library.simulated_figure.restype = ctypes.c_uint64
    library.simulated_cost.argtypes = [ctypes.c_double]
    kinds = os.environ.get("SIMULATED_GPU_KINDS", "a770").split(",")

    def use(device: int) -> int:
        before = int(library.simulated_current())
        if device >= 0:
            library.simulated_use(device)
        return before

    def start() -> None:
        for gpu in range(library.simulated_count()):
            library.simulated_open(gpu)

    def statistics(device: int) -> dict[str, object]:
        def figure(which: int) -> int:
            return int(library.simulated_figure(device, which))

        held = figure(HELD_LOCAL) + figure(HELD_SYSTEM)
        blocks = {"current": held, "peak": figure(PEAK), "allocated": figure(PEAK), "freed": 0}
        calls = {"current": 0, "peak": 0, "allocated": figure(ALLOCATIONS), "freed": 0}
        return {
            name: {"all": dict(calls if name in ("allocation", "segment") else blocks)}
            for name in (
                "allocated_bytes",
                "reserved_bytes",
                "active_bytes",
                "requested_bytes",
                "allocation",
                "segment",
            )
        }

    def properties(device: int) -> SimpleNamespace:
        return SimpleNamespace(
            name=NAMES[kinds[device]], total_memory=16 << 30, platform_name="Intel(R) Level-Zero", has_fp16=True, has_fp64=True,
            has_bfloat16_conversions=True, driver_version="1.6.33578", type="gpu",
        )  # fmt: skip

    forked = []
    os.register_at_fork(after_in_child=lambda: forked.append(torch.xpu._initialized))
    torch.xpu._is_in_bad_fork = lambda: any(forked)  # as SYCL: what a parent initialised is of no use to its child

    inside = torch._C
    inside._has_xpu = True
    inside._xpu_init = start
    inside._xpu_getDeviceCount = lambda: int(library.simulated_count())
    inside._xpu_getDevice = lambda: int(library.simulated_current())
    inside._xpu_setDevice = use
    inside._xpu_exchangeDevice = inside._xpu_maybeExchangeDevice = use
    inside._xpu_synchronize = lambda device: None
    inside._xpu_memoryStats = statistics
    inside._xpu_getCurrentRawStream = lambda device: 0
    inside._xpu_emptyCache = lambda: None
    inside._xpu_resetPeakMemoryStats = inside._xpu_resetAccumulatedMemoryStats = lambda device: None
    torch.xpu._exchange_device = torch.xpu._maybe_exchange_device = use
    torch.xpu._get_device_properties = torch.xpu.get_device_properties = lambda device=None: properties(
        torch.xpu._utils._get_device_index(device, optional=True)
    )
    torch.xpu.default_generators = tuple(torch.Generator() for _ in kinds)
    torch.xpu._device_count_zes = lambda: -1
    atexit.register(time.sleep, 0.1)  # threads of autograd that still let go of tensors must not meet the end of Python
    torch.version.xpu = "20250302"
    with open(os.path.join(os.environ["SIMULATED_GPUS"], "times", str(os.getpid())), "w") as file:
        file.write(str(time.monotonic()))
    torch.xpu.simulated_cost = lambda seconds: library.simulated_cost(
        seconds
    )  # dynamo wants functions that have a hash
