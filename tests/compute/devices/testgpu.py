"""Load the test device into torch: PyTorch imports this module by its `torch.backends` entry point, as it does for real ones."""

from __future__ import annotations

import ctypes
import os
import types
from typing import Any

_library: Any = None


class Event:
    """A point in the device's queue, as torch.xpu.Event is one; it measures no time."""

    def __init__(self, enable_timing: bool = False) -> None:
        if enable_timing:
            raise NotImplementedError("testgpu events measure no time")
        self._ticket: int = 0

    def record(self, stream: Any = None) -> None:
        """Remember what has been queued so far."""
        self._ticket = _library.testgpu_ticket()

    def query(self) -> bool:
        """Whether everything up to the recorded point is done."""
        return bool(_library.testgpu_finished(self._ticket))


def load() -> None:
    """Register the device; called by torch at the end of its import."""
    global _library
    import torch  # type: ignore[import-not-found]

    _library = ctypes.CDLL(os.environ["XPU_DOCTOR_TEST_LIBRARY"])
    _library.testgpu_ticket.restype = _library.testgpu_bytes.restype = ctypes.c_int64
    _library.testgpu_finished.argtypes = [ctypes.c_int64]
    _library.testgpu_start()
    torch.utils.rename_privateuse1_backend("testgpu")
    module: Any = types.ModuleType("torch.testgpu")
    module.is_available = lambda: True
    module.device_count = lambda: 1
    module.current_device = lambda: 0
    module.is_initialized = lambda: True
    module._is_in_bad_fork = lambda: False
    module.manual_seed_all = lambda seed: None
    module.get_amp_supported_dtype = lambda: [torch.float16]
    module.get_device_name = lambda device=None: "test device: " + os.environ.get("XPU_DOCTOR_TEST_DEVICE", "fallback")
    module.synchronize = lambda device=None: _library.testgpu_synchronize()
    module.memory_allocated = lambda device=None: _library.testgpu_bytes()
    if os.environ.get("XPU_DOCTOR_TEST_EVENTS") == "yes":
        module.Event = Event
    torch._register_device_module("testgpu", module)
