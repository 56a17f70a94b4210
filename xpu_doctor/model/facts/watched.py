"""Facts about a program that was watched while it ran: what it used of which GPU, and what it did instead."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class EngineUse:
    """Work on one class of engines of a GPU."""

    name: str
    """As the driver calls it: `render`, `compute`, `rcs`, `ccs`, `3D` ..."""
    busy_seconds: float
    """Engine time, divided by the number of engines of the class."""


@dataclass(frozen=True)
class MemoryUse:
    """Memory of one region of a GPU that the program held."""

    region: str
    """As the driver calls it: `vram0`, `local0`, `gtt`, `system`, `dedicated`, `shared` ..."""
    peak_bytes: int
    """The most that was resident at one time, of all its processes; what was allocated where the driver does not tell residence."""
    growth_bytes: int
    """What came on top of the first sample that had any, at the end or at the last sample."""


@dataclass(frozen=True)
class WatchedGpu:
    """One GPU, as its counters tell of the watched program."""

    address: str
    """PCI address such as `0000:03:00.0`, the LUID on Windows."""
    driver: str
    """Which counters these are: `i915`, `xe`, `windows`, `nvidia`, `nvml-device`."""
    name: Maybe[str] = NOT_EXAMINED
    device_id: Maybe[int] = NOT_EXAMINED
    """PCI device id."""
    integrated: Maybe[bool] = NOT_EXAMINED
    memory_bytes: Maybe[int] = NOT_EXAMINED
    """Size of its own memory; 0 where it has none."""
    busy_seconds: Maybe[float] = NOT_EXAMINED
    """Time in which at least one engine worked for the program: the sum of all its engines in each interval, at most the
    interval; 0 where the counters saw none."""
    engines: tuple[EngineUse, ...] = ()
    memory: tuple[MemoryUse, ...] = ()


@dataclass(frozen=True)
class GpuTime:
    """Time that one GPU worked for one process."""

    address: str
    busy_seconds: float


@dataclass(frozen=True)
class WatchedProcess:
    """One process of the watched program."""

    pid: int
    parent: int
    name: str
    """Of the program file, without its folder."""
    first_seen: float
    """Seconds after the start of the watch."""
    seconds: float
    """From its start, or that of the watch, to its end or that of the watch."""
    cpu_seconds: Maybe[float] = NOT_EXAMINED
    """Of all its threads, while it was watched."""
    main_thread_seconds: Maybe[float] = NOT_EXAMINED
    """CPU time of its first thread."""
    io_wait_seconds: Maybe[float] = NOT_EXAMINED
    """Time that its first thread waited for block devices, where the kernel counts it."""
    peak_memory_bytes: Maybe[int] = NOT_EXAMINED
    """Resident."""
    rank: Maybe[int] = NOT_EXAMINED
    """Of a distributed program; unknown where its environment names none."""
    gpus: Maybe[tuple[GpuTime, ...]] = NOT_EXAMINED
    """Unknown where no counters tell of this process."""


@dataclass(frozen=True)
class DeviceMemory:
    """What torch's own allocator of one device counted in one process."""

    device: str
    """As torch calls it, e.g. `xpu:0`."""
    name: str
    peak_bytes: Maybe[int] = NOT_EXAMINED
    """The most that was allocated at one time."""
    allocations: Maybe[int] = NOT_EXAMINED


@dataclass(frozen=True)
class InsideReport:
    """What the hook inside one Python process that imported torch wrote down."""

    pid: int
    python: str
    """Path of the interpreter."""
    torch_version: str
    torch_xpu: Maybe[str] = NOT_EXAMINED
    """`torch.version.xpu`; empty where it is None."""
    torch_cuda: Maybe[str] = NOT_EXAMINED
    """`torch.version.cuda`; empty where it is None."""
    whole: bool = False
    """Whether it was written at the end of the process; else the process was killed or goes on."""
    imported_at: Maybe[float] = NOT_EXAMINED
    """Seconds after the start of the watch at which torch had been imported."""
    initialised: Maybe[bool] = NOT_EXAMINED
    """Whether torch ever initialised the watched type of device."""
    available: Maybe[bool] = NOT_EXAMINED
    """Whether devices of that type were to be had, where the program asked or the device was initialised."""
    devices: tuple[DeviceMemory, ...] = ()
    """Devices of the watched type."""
    autocast: Maybe[bool] = NOT_EXAMINED
    """Whether autocast was on for that type at some time."""
    data_wait_seconds: Maybe[float] = NOT_EXAMINED
    """Time that the program waited for the next batch of a torch DataLoader."""
    batches: Maybe[int] = NOT_EXAMINED
    """Batches that DataLoaders gave."""
    loader_workers: Maybe[int] = NOT_EXAMINED
    """The largest `num_workers` of its DataLoaders."""
    pin_memory: Maybe[bool] = NOT_EXAMINED
    """Whether one of its DataLoaders pinned memory."""
    applications: tuple[str, ...] = ()
    """Distributions known to the application table that it imported, with versions: `ultralytics 8.3.0`."""
    rank: Maybe[int] = NOT_EXAMINED


@dataclass(frozen=True)
class FallbackOperator:
    """An operator that torch ran on the processor for want of a kernel of the device."""

    name: str
    """As torch prints it, e.g. `aten::linalg_svd.U`; empty where torch says only that some did."""
    count: int
    """Calls that were printed."""
    route: str
    """Why it fell back: `listed` (built into torch), `forced` (PYTORCH_XPU_FALLBACK_OP) or `unimplemented` (PYTORCH_ENABLE_XPU_FALLBACK)."""


@dataclass(frozen=True)
class HotSpot:
    """A function in which sampled Python stacks ended."""

    function: str
    file: str
    line: int
    share: float
    """Of the samples in which a thread worked, 0 to 1."""


@dataclass(frozen=True)
class Watched:
    """A program that was watched while it ran."""

    command: Maybe[tuple[str, ...]] = NOT_EXAMINED
    pid: Maybe[int] = NOT_EXAMINED
    """Of the program's first process."""
    attached: bool = False
    """Whether it ran already when the watch began."""
    seconds: Maybe[float] = NOT_EXAMINED
    """The watched time."""
    interval_seconds: Maybe[float] = NOT_EXAMINED
    """Time between two samples."""
    samples: Maybe[int] = NOT_EXAMINED
    end: Maybe[str] = NOT_EXAMINED
    """`exited`, `signal`, or `running` where the watch ended first."""
    exit_code: Maybe[int] = NOT_EXAMINED
    signal: str = ""
    """Name of the signal that ended it, e.g. `SIGKILL`."""
    device_type: str = "xpu"
    """The type of torch device that the program was expected to use."""
    counters: Maybe[str] = NOT_EXAMINED
    """What tells the GPU time of a process: `drm-fdinfo`, `windows`, `nvml`; `nvml-device` where, in a container, processes
    that came after the watch began were taken for the program's; unknown, with the reason, where nothing tells it."""
    gpus: Maybe[tuple[WatchedGpu, ...]] = NOT_EXAMINED
    """All GPUs of the machine whose counters can be read, used or not."""
    processes: Maybe[tuple[WatchedProcess, ...]] = NOT_EXAMINED
    """Those with the most CPU and GPU time; at most 64."""
    further_processes: int = 0
    """How many more there were."""
    cpu_seconds: Maybe[float] = NOT_EXAMINED
    """CPU time of all its processes, those included that are not listed."""
    logical_cpus: Maybe[int] = NOT_EXAMINED
    """CPUs that the program may use."""
    inside: Maybe[tuple[InsideReport, ...]] = NOT_EXAMINED
    """One for each Python process that imported torch; empty where the hook ran and none did; unknown where no hook ran."""
    pythons_without_hook: int = 0
    """Python processes in which the hook was not loaded, such as `python -I`."""
    fallback_operators: Maybe[tuple[FallbackOperator, ...]] = NOT_EXAMINED
    """Unknown where the program's stderr was not read."""
    hot_spots: Maybe[tuple[HotSpot, ...]] = NOT_EXAMINED
    """Where the CPU time went; unknown where no sampler ran."""
