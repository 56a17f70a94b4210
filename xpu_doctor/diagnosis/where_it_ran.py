"""Where did a matmul run? One verdict from several independent signs; `unknown` where they disagree. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from xpu_doctor.model.facts.compute import Compute, ComputeDevice, CpuProduct, Product
from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.tables.peaks import peak_tflops

LITTLE_CPU_TIME = 0.3
"""CPU seconds per operation, as a part of the CPU's own, up to which the work was done elsewhere (measured: 0.001 to 0.1)."""
MUCH_CPU_TIME = 0.6
"""The part from which this CPU can have done the work (measured on fallback devices: 0.85 to 2.13)."""
QUEUED = 0.5
"""Share of a batch's time up to which the calls returned long before the work was done."""
NOT_QUEUED = 0.8
"""Share from which the calls returned only when the work was done."""
ONE_THREAD = 0.9
"""The calling thread's part of the CPU time from which it worked, or spun, alone."""
SHARED = 0.8
"""The part up to which other threads did a good share (measured on fallback devices with two threads: 0.1 to 0.6)."""
FAR_FASTER = 5.0
"""Times faster than this CPU's own best: beyond any disturbance of the comparison (measured: up to 2)."""
TOLERANCE = {"float64": 1e-6, "float32": 0.05, "bfloat16": 0.25, "float16": 0.25}
"""Largest error of an element, in parts of the result's root mean square, that rounding can explain (float32 may be computed in TF32)."""


class Place(Enum):
    """Where a matmul ran."""

    DEVICE = "device"
    CPU = "cpu"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Sign:
    """What one signal says; a sign that only `supports` never makes a verdict."""

    name: str
    place: Place
    text: str
    fact: str
    """Field of the device or of its product that holds the figure."""
    supports: bool = False


@dataclass(frozen=True)
class Verdict:
    """Where the matmul of a device ran, the reason in words, and all signs that spoke."""

    place: Place
    reason: str
    signs: tuple[Sign, ...]


def product_of(device: ComputeDevice, dtype: str = "float32") -> Product | None:
    """Return the timed product of a data type, None where it was not timed."""
    products = known_or(device.products, ())
    return next((item for item in products if item.dtype == dtype and isinstance(item.tflops, float)), None)


def verdict(device: ComputeDevice, cpu: CpuProduct) -> Verdict:
    """Judge where a device's float32 matmul ran.

    The CPU: its CPU time and its blocking call say so, a third sign confirms it, and nothing contradicts. The device:
    it took little CPU time, was queued or far faster than this CPU can be, and nothing contradicts.
    """
    product = product_of(device)
    if product is None:
        return Verdict(Place.UNKNOWN, "no matmul was timed on it", ())
    signs = tuple(_signs(device, product, cpu))
    by_name = {sign.name: sign.place for sign in signs}
    cpu_time, queue = by_name.get("cpu time"), by_name.get("queue")
    threads, speed = by_name.get("threads"), by_name.get("speed")
    support = any(sign.supports for sign in signs)
    if cpu_time is None:
        return Verdict(Place.UNKNOWN, "its CPU time fits neither a GPU nor this CPU, or could not be compared", signs)
    if (
        cpu_time is Place.CPU
        and queue is Place.CPU
        and (threads is Place.CPU or support)
        and Place.DEVICE not in (threads, speed)
    ):
        return Verdict(Place.CPU, "the signs agree", signs)
    if cpu_time is Place.DEVICE and Place.DEVICE in (queue, speed) and threads is not Place.CPU and not support:
        return Verdict(Place.DEVICE, "the signs agree", signs)
    return Verdict(Place.UNKNOWN, "the signs disagree, or there were too few", signs)


def _signs(device: ComputeDevice, product: Product, cpu: CpuProduct) -> Iterator[Sign]:
    """Yield the signs that point one way; one whose figure is unknown, or lies between its bounds, is left out."""
    yield from _cpu_time(product, cpu)
    yield from _queue(product)
    yield from _threads(product, cpu)
    times = speedup(product, cpu)
    if isinstance(times, float) and times >= FAR_FASTER:
        yield Sign("speed", Place.DEVICE, f"{times:.0f} times the speed of this CPU", "tflops")
    if product.result_device == "cpu":
        yield Sign("result", Place.CPU, "the result is a tensor on the CPU", "result_device", supports=True)
    if device.to_cpu_copies is True:
        yield Sign(
            "profiler",
            Place.CPU,
            "the profiler saw copies to the CPU inside the matmul",
            "to_cpu_copies",
            supports=True,
        )
    if device.kernel_registered is False:
        yield Sign(
            "dispatcher",
            Place.CPU,
            "torch holds no matmul kernel for this type of device",
            "kernel_registered",
            supports=True,
        )
    if isinstance(device.fallback_warnings, tuple) and any("mm" in text for text in device.fallback_warnings):
        yield Sign(
            "warning",
            Place.CPU,
            "torch warned that the matmul falls back to the CPU",
            "fallback_warnings",
            supports=True,
        )


def _cpu_time(product: Product, cpu: CpuProduct) -> Iterator[Sign]:
    ratio = cpu_time_ratio(product, cpu)
    if not isinstance(ratio, float):
        return
    text = f"it took {ratio:.2g} times the CPU time that the CPU itself needs for the work"
    if ratio <= LITTLE_CPU_TIME:
        yield Sign("cpu time", Place.DEVICE, text, "cpu_seconds_per_tflop")
    elif ratio >= MUCH_CPU_TIME:
        yield Sign("cpu time", Place.CPU, text, "cpu_seconds_per_tflop")


def _queue(product: Product) -> Iterator[Sign]:
    share = product.queue_share
    if isinstance(share, float) and share <= QUEUED:
        yield Sign("queue", Place.DEVICE, f"the calls returned after {share:.1%} of the time", "queue_share")
    elif isinstance(share, float) and share >= NOT_QUEUED:
        yield Sign("queue", Place.CPU, f"the calls returned only after {share:.0%} of the time", "queue_share")


def _threads(product: Product, cpu: CpuProduct) -> Iterator[Sign]:
    """On the CPU torch's worker threads share the work with the caller; a wait that spins is one thread alone."""
    own, threads, ratio = product.main_thread_share, cpu.threads, cpu_time_ratio(product, cpu)
    if not (isinstance(own, float) and isinstance(threads, int) and isinstance(ratio, float)):
        return
    if (
        threads < 2 or ratio <= LITTLE_CPU_TIME
    ):  # one thread by itself shows nothing, and neither does next to no CPU time
        return
    text = f"the calling thread took {own:.0%} of the CPU time; torch uses {threads} threads on the CPU"
    if own >= ONE_THREAD:
        yield Sign("threads", Place.DEVICE, text, "main_thread_share")
    elif 0.3 / threads <= own <= SHARED:
        yield Sign("threads", Place.CPU, text, "main_thread_share")


def cpu_time_ratio(product: Product, cpu: CpuProduct) -> Maybe[float]:
    """Return the CPU time of a product on the device for each operation, divided by the CPU's own."""
    why = "the CPU's own time was too short to measure"
    return _quotient(product.cpu_seconds_per_tflop, cpu.cpu_seconds_per_tflop, why)


def speedup(product: Product, cpu: CpuProduct) -> Maybe[float]:
    """Return how many times faster than this CPU a product ran."""
    return _quotient(product.tflops, cpu.tflops, "the CPU's own speed was not measured")


def _quotient(own: Maybe[float], usual: Maybe[float], why_not: str) -> Maybe[float]:
    """Return own / usual; unknown where one of them is, and where the second is nothing."""
    if isinstance(own, Unknown):
        return own
    if isinstance(usual, Unknown):
        return usual
    return own / usual if usual > 0 else Unknown(why_not)


def wrong(product: Product) -> Maybe[bool]:
    """Return whether a result is wrong beyond rounding."""
    if isinstance(product.nonfinite_elements, int) and product.nonfinite_elements > 0:
        return True
    if isinstance(product.worst_error, Unknown):
        return product.worst_error
    return product.worst_error > TOLERANCE.get(product.dtype, 0.25)


def proved(device: ComputeDevice, cpu: CpuProduct) -> bool:
    """Return whether a matmul of this device provably ran elsewhere than on the CPU, with the right result."""
    product = product_of(device)
    return product is not None and wrong(product) is False and verdict(device, cpu).place is Place.DEVICE


def proved_on_gpu(compute: Compute) -> bool:
    """Return whether a matmul provably ran on an XPU device; another type of device proves nothing about Intel's stack."""
    devices = known_or(compute.devices, ())
    return any(device.type == "xpu" and proved(device, compute.cpu) for device in devices)


def summary(compute: Compute) -> str:
    """Return one line about all devices: where each computed, how fast, and against which CPU."""
    if isinstance(compute.devices, Unknown):
        return compute.devices.reason
    return "; ".join(device_line(device, compute) for device in compute.devices) or "no device to compute on"


def device_line(device: ComputeDevice, compute: Compute) -> str:
    """Return one line about a device: where it computed, TFLOP/s, share of the peak, and how it compares with this CPU."""
    if device.error:
        return f"{device.device}: the matmul failed"
    product = product_of(device)
    if product is None:
        return f"{device.device}: no matmul was timed"
    place = verdict(device, compute.cpu).place
    where = {
        Place.DEVICE: "computed on the device",
        Place.CPU: "computed on the CPU",
        Place.UNKNOWN: "where it computed is not known",
    }[place]
    speeds = ", ".join(_speed(device, item) for item in _timed(device))
    times = speedup(product, compute.cpu)
    cpu = f" ({compute.cpu_name})" if isinstance(compute.cpu_name, str) else ""
    faster = f", {times:.3g} times the speed of this CPU{cpu}" if isinstance(times, float) else ""
    return f"{device.device} {where}: {speeds}{faster}"


def _timed(device: ComputeDevice) -> tuple[Product, ...]:
    products = known_or(device.products, ())
    return tuple(item for item in products if isinstance(item.tflops, float))


def _speed(device: ComputeDevice, product: Product) -> str:
    share = peak_share(device, product)
    peak = f" ({share:.0%} of the peak)" if isinstance(share, float) else ""
    return f"{product.tflops:.3g} TFLOP/s {product.dtype}{peak}"


def peak_share(device: ComputeDevice, product: Product) -> Maybe[float]:
    """Return which part of the device's sourced peak a product reached."""
    if isinstance(device.device_id, Unknown):
        return device.device_id
    if isinstance(product.tflops, Unknown):
        return product.tflops
    peak = peak_tflops(device.device_id, product.dtype)
    if peak is None:
        return Unknown(f"no sourced peak of device {device.device_id:04x} for {product.dtype}")
    return product.tflops / peak
