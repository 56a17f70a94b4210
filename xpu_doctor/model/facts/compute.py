"""Facts about matmuls that were really run: how fast, how right, and every signal of where they ran."""

from __future__ import annotations

from dataclasses import field

from xpu_doctor.model.facts.machine import Variable
from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class Product:
    """Timed products of two square matrices of one data type on one device."""

    dtype: str
    """`float32`, `bfloat16`, `float16`."""
    error: str = ""
    """The exception that stopped it, or why it was not measured."""
    size: Maybe[int] = NOT_EXAMINED
    """Rows of each matrix."""
    count: Maybe[int] = NOT_EXAMINED
    """Products in a batch."""
    batches: Maybe[int] = NOT_EXAMINED
    seconds: Maybe[float] = NOT_EXAMINED
    """Time of a batch: by events the last one's, by the clock the best."""
    timed_by: Maybe[str] = NOT_EXAMINED
    """`events` of the device, or the host's `clock`."""
    tflops: Maybe[float] = NOT_EXAMINED
    cpu_seconds: Maybe[float] = NOT_EXAMINED
    """CPU time of all threads of the process for batches whose end the caller slept for."""
    cpu_seconds_per_tflop: Maybe[float] = NOT_EXAMINED
    """That CPU time for 10**12 floating-point operations."""
    queue_share: Maybe[float] = NOT_EXAMINED
    """Time to queue a batch as a part of the time until it was done: near 0 on a queue, near 1 where the call does the work."""
    main_thread_share: Maybe[float] = NOT_EXAMINED
    """The calling thread's part of the CPU time."""
    result_device: Maybe[str] = NOT_EXAMINED
    """Type of the device that holds the result."""
    checked_elements: Maybe[int] = NOT_EXAMINED
    """Elements of the result that were compared with float64 on the CPU."""
    nonfinite_elements: Maybe[int] = NOT_EXAMINED
    """Compared elements that are infinite or not a number."""
    all_zero: Maybe[bool] = NOT_EXAMINED
    mean_error: Maybe[float] = NOT_EXAMINED
    """Root mean square difference, as a part of the root mean square of the right values."""
    worst_error: Maybe[float] = NOT_EXAMINED
    """Largest difference, on the same scale."""


@dataclass(frozen=True)
class CpuProduct:
    """The same product on the CPU of this machine, in the same process, after the devices."""

    size: Maybe[int] = NOT_EXAMINED
    count: Maybe[int] = NOT_EXAMINED
    seconds: Maybe[float] = NOT_EXAMINED
    tflops: Maybe[float] = NOT_EXAMINED
    """The best of several, on all threads or on one."""
    cpu_seconds_per_tflop: Maybe[float] = NOT_EXAMINED
    """CPU time of 10**12 floating-point operations on one thread, the least of several."""
    main_thread_share: Maybe[float] = NOT_EXAMINED
    """The calling thread's part of the CPU time on all threads."""
    threads: Maybe[int] = NOT_EXAMINED
    """Threads that torch uses for an operator."""
    logical_cpus: Maybe[int] = NOT_EXAMINED
    timing_error: str = ""
    """The exception that stopped it."""


PROFILING = "profiler and dispatcher on"
"""Beginning of the name that the agent gives this step of a device."""


@dataclass(frozen=True)
class ComputeDevice:
    """What was measured on one device."""

    device: str
    """As it was asked for, e.g. `xpu:0`."""
    type: Maybe[str] = NOT_EXAMINED
    name: Maybe[str] = NOT_EXAMINED
    device_id: Maybe[int] = NOT_EXAMINED
    """PCI device id."""
    integrated: Maybe[bool] = NOT_EXAMINED
    total_memory: Maybe[int] = NOT_EXAMINED
    free_memory: Maybe[int] = NOT_EXAMINED
    step: str = ""
    """What was being done when it ended early."""
    error: str = ""
    """The exception that ended it."""
    exception: str = ""
    """Its type."""
    products: Maybe[tuple[Product, ...]] = NOT_EXAMINED
    first_run_seconds: Maybe[float] = NOT_EXAMINED
    """The first matmul of all: loading libraries, and compiling kernels where the wheel holds none for this GPU."""
    warm_up_seconds: Maybe[float] = NOT_EXAMINED
    measuring_seconds: Maybe[float] = NOT_EXAMINED
    input_bytes: Maybe[int] = NOT_EXAMINED
    """Size of the two input matrices."""
    allocated_bytes: Maybe[int] = NOT_EXAMINED
    """Growth of torch's own count of memory on the device when they were made."""
    host_growth_bytes: Maybe[int] = NOT_EXAMINED
    """Growth of the process's resident memory when they were made."""
    to_cpu_copies: Maybe[bool] = NOT_EXAMINED
    """Whether torch's profiler saw copies to the CPU inside a matmul."""
    kernel_registered: Maybe[bool] = NOT_EXAMINED
    """Whether torch's dispatcher holds a matmul kernel for this type of device."""
    fallback_warnings: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Warnings about operators that fall back to the CPU."""

    @property
    def profiled(self) -> bool:
        """Return whether it ended under profiler and dispatcher, the last step, when all products were done."""
        return self.step.startswith(PROFILING)


@dataclass(frozen=True)
class Compute:
    """Matmuls on the devices that were asked for, and on the CPU for comparison."""

    devices: Maybe[tuple[ComputeDevice, ...]] = NOT_EXAMINED
    cpu: CpuProduct = field(default_factory=CpuProduct)
    cpu_name: Maybe[str] = NOT_EXAMINED
    seconds: Maybe[float] = NOT_EXAMINED
    """What all measurements took, without the import of torch."""
    fallback_variables: Maybe[tuple[Variable, ...]] = NOT_EXAMINED
    """Variables that cause, force or name fallback, as the user has set them."""
