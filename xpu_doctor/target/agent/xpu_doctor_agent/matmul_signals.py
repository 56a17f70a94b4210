"""What the profiler and the dispatcher say of a small product; they support a verdict and never make it."""

from __future__ import annotations

from .facts import attempt

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts


def signals(torch: Any, device: Any) -> Facts:
    """Return both; each is unknown where it cannot be had."""
    return {
        "to_cpu_copies": attempt(_copies_to_cpu, torch, device),
        "kernel_registered": attempt(_has_kernel, torch, device),
    }


def _copies_to_cpu(torch: Any, device: Any) -> bool:
    """Return whether copies to the CPU happen inside a matmul."""
    from torch.autograd import profiler

    a = torch.ones((64, 64)).to(device)
    with profiler.profile(use_kineto=False) as profile:
        torch.mm(a, a)
    names = {event.name for event in profile.function_events}
    if "aten::mm" not in names:
        raise RuntimeError("the profiler recorded no matmul")
    return "aten::_to_cpu" in names


def _has_kernel(torch: Any, device: Any) -> bool:
    """Return whether the dispatcher holds a matmul kernel of the device's own."""
    key = torch._C._dispatch_key_for_device(device.type)
    return bool(torch._C._dispatch_has_kernel_for_dispatch_key("aten::mm", key))
