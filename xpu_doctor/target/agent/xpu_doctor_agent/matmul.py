"""Matmuls on each device, then on the CPU, timed and checked; nothing of this judges where they ran."""

from __future__ import annotations

import os
import sys
import time

from .facts import attempt, cut, described, unknown
from .matmul_bench import Bench
from .matmul_on_cpu import on_cpu
from .matmul_signals import signals
from .matmul_timing import fitting_size, timing
from .torch_import import import_torch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from .facts import Facts
    from .matmul_timing import Limits
    from .request import Request

    Step = Callable[[str], None]

LIMITS = {
    "dtypes": ["float32", "bfloat16", "float16"],
    "device_seconds": 3.0,  # measuring on one device; warm-up and compilation are bounded apart
    "warm_up_seconds": 30.0,
    "batch_seconds": 0.2,
    "batches": 3,
    "cpu_seconds": 0.3,
    "largest": 8192,
    "fewest": 2,
    "most": 400,
}
VARIABLES = ("PYTORCH_ENABLE_XPU_FALLBACK", "PYTORCH_XPU_FALLBACK_OP", "PYTORCH_DEBUG_XPU_FALLBACK")
SIGNALS_STEP = "profiler and dispatcher on"
MAX_DEVICES = 64
MAX_ERROR = 2000
MAX_WARNINGS = 10


def measure(request: Request) -> Facts:
    """Measure every device; the keys are the fields of facts.Compute.

    The request holds "compute": {"devices": ["xpu:0", ...], "limits": {...}}. Devices are torch.device strings; none
    means every XPU device. Limits override LIMITS. The stage imports torch itself, in a process of its own: torch's
    fallback warnings must be on before the import, and a CPU matmul before would leave spinning threads. After each step
    a `part` line repeats what is known so far, so that a device that kills or hangs loses nothing.
    """
    variables = [{"name": name, "value": os.environ[name]} for name in VARIABLES if name in os.environ]
    if "torch" not in sys.modules:
        os.environ["PYTORCH_DEBUG_XPU_FALLBACK"] = "1"
        request.transcript.mark("compute", "import torch")
        import_torch(request)
    import torch

    names = request.compute.get("devices") or [f"xpu:{index}" for index in range(_xpu_count(torch))]

    def tell(call: str, facts: Facts) -> None:
        request.transcript.mark("compute", call)
        request.transcript.write("part", "compute", facts=dict(facts, fallback_variables=variables))

    facts = _measured(torch, names, {**LIMITS, **(request.compute.get("limits") or {})}, tell)
    facts["fallback_variables"] = variables
    return facts


def _xpu_count(torch: Any) -> int:
    """Return the number of XPU devices that can be used."""
    xpu = getattr(torch, "xpu", None)
    return min(int(xpu.device_count()), MAX_DEVICES) if xpu is not None and xpu.is_available() else 0


def _measured(torch: Any, names: list[str], limits: Limits, tell: Callable[[str, Facts], None]) -> Facts:
    """Time and check matmuls on each device and then on the CPU."""
    started = time.perf_counter()
    devices: list[Facts] = []
    facts: Facts = {"devices": devices}
    threads = torch.get_num_threads()
    for name in names:
        device: Facts = {"device": name, "step": "", "error": "", "exception": ""}
        devices.append(device)

        def step(call: str, device: Facts = device) -> None:
            device["step"] = call
            tell(call, facts)

        try:
            with torch.no_grad():
                _on_device(torch, device, limits, threads, step)
            device["step"] = ""
        except Exception as error:
            device["error"] = cut(described(error), MAX_ERROR)
            device["exception"] = type(error).__name__
        finally:
            torch.set_num_threads(threads)
    if devices:
        tell("matmul on the CPU for comparison", facts)
        with torch.no_grad():
            facts["cpu"] = attempt(on_cpu, torch, limits, threads)
        if "reason" in facts["cpu"]:
            facts["cpu"] = {"timing_error": facts["cpu"]["reason"]}
    for device in devices:
        if not device["error"]:  # last, because a profiler that kills the process must cost nothing but its own word
            device["step"] = f"{SIGNALS_STEP} {device['device']}"
            tell(device["step"], facts)
            device.update(signals(torch, torch.device(device["device"])))
            device["step"] = ""
    facts["seconds"] = time.perf_counter() - started
    return facts


def _on_device(torch: Any, result: Facts, limits: Limits, threads: int, step: Step) -> None:
    """Time and check everything on one device."""
    import warnings

    device = torch.device(result["device"])
    # set_device wants a number, and torch.device("xpu") has none.
    if device.index is None and device.type != "cpu":
        device = torch.device(device.type, 0)
    result["type"] = device.type
    module = _module_of(torch, device)
    step(f"properties of {device}")
    if device.type != "cpu" and hasattr(module, "set_device"):
        module.set_device(device.index)  # events are recorded on the current device
    result.update(_properties(module, device))
    products: list[Facts] = []
    result["products"] = products
    began = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        # By default Python shows a warning once per place: one that came during the import would hide all later ones.
        warnings.simplefilter("always")
        for name in limits["dtypes"]:
            if products and _is_time_up(time.perf_counter() - began, result, limits):
                products.append({"dtype": name, "error": "not measured: the time for this device was used up"})
                continue
            product: Facts = {"dtype": name, "error": ""}
            products.append(product)
            _in_dtype(Bench(torch, module, device, getattr(torch, name), threads), product, result, limits, step)
        result["measuring_seconds"] = time.perf_counter() - began - result.get("warm_up_seconds", 0.0)
    texts = [cut(item.message, 300) for item in caught]
    result["fallback_warnings"] = [text for text in texts if "CPU" in text and "fall" in text.lower()][:MAX_WARNINGS]


def _is_time_up(seconds: float, result: Facts, limits: Limits) -> bool:
    """Return whether too little time is left on a device for one more data type."""
    warm_up: float = result.get("warm_up_seconds", 0.0)
    return bool(seconds - warm_up > limits["device_seconds"] * 0.75 or warm_up > limits["warm_up_seconds"])


def _module_of(torch: Any, device: Any) -> Any:
    """Return the module of a device's type (torch.xpu, torch.cuda ...), or None."""
    try:
        return torch.get_device_module(device)
    except (AttributeError, RuntimeError):
        return getattr(torch, device.type, None)


def _properties(module: Any, device: Any) -> Facts:
    """Return the name, PCI id and memory of a device, each unknown where the module does not tell."""
    index = device.index or 0
    found: Facts = {"name": attempt(lambda: str(module.get_device_name(index)))}
    properties = attempt(lambda: module.get_device_properties(index))
    for field, name in (
        ("device_id", "device_id"),
        ("total_memory", "total_memory"),
        ("integrated", "is_integrated_gpu"),
    ):
        value = getattr(properties, name, None)
        found[field] = value if isinstance(value, (int, bool)) else unknown("this torch does not tell")
    found["free_memory"] = attempt(lambda: int(module.mem_get_info(index)[0]))
    return found


def _in_dtype(bench: Bench, product: Facts, result: Facts, limits: Limits, step: Step) -> None:
    """Warm up, find a size, time batches and check the result in one data type."""
    first = len(result["products"]) == 1
    where = f"{product['dtype']} matmul on {bench.device}"
    batch_seconds: float = limits["batch_seconds"]
    try:
        step(f"{where}: warm-up")
        warming = time.perf_counter()
        size, seconds = fitting_size(bench, batch_seconds, limits, result)
        result["warm_up_seconds"] = result.get("warm_up_seconds", 0.0) + time.perf_counter() - warming
        if first:
            result["first_run_seconds"] = bench.first_seconds
            result.update(bench.memory)
        step(f"{where}: size {size}")
        count = int(min(limits["most"], max(limits["fewest"], batch_seconds / max(seconds, 1e-6))))
        product["size"] = size
        product.update(timing(bench, count, limits))
        step(f"{where}: result")
        product.update(bench.check())
        product["result_device"] = str(bench.c.device.type)
    except Exception as error:
        product["error"] = cut(described(error), MAX_ERROR)
        if first:
            raise
    finally:
        bench.release()
