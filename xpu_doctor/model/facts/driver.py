"""Facts about the user-space driver: the Level Zero loader, the GPU driver behind it, and the packages that hold them."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class ZeDriver:
    """A driver behind the Level Zero loader."""

    index: int = 0
    version: Maybe[str] = NOT_EXAMINED
    """As the driver spells it, e.g. `1.15.39122+14`."""
    build: Maybe[int] = NOT_EXAMINED
    """Build number, the part that all spellings share, e.g. 39122."""
    api_version: Maybe[str] = NOT_EXAMINED


@dataclass(frozen=True)
class ZeDevice:
    """A GPU that Level Zero lists."""

    driver: int = 0
    index: int = 0
    name: str = ""
    vendor_id: int = 0
    device_id: Maybe[int] = NOT_EXAMINED
    integrated: Maybe[bool] = NOT_EXAMINED
    address: Maybe[str] = NOT_EXAMINED
    """PCI address."""
    memory_bytes: Maybe[int] = NOT_EXAMINED
    max_allocation: Maybe[int] = NOT_EXAMINED
    """Largest single allocation, in bytes."""
    fp64: Maybe[bool] = NOT_EXAMINED
    """Whether it computes in double precision."""
    error: str = ""
    """Why its properties could not be had."""


@dataclass(frozen=True)
class LibraryLoad:
    """What loading one driver library by its name said."""

    name: str
    path: str = ""
    error: str = ""


@dataclass(frozen=True)
class UrAdapter:
    """What the Unified Runtime loader said of one of its adapters."""

    name: str
    """File name, e.g. `libur_adapter_level_zero.so.0`."""
    loaded: bool
    error: str = ""
    path: str = ""


@dataclass(frozen=True)
class LevelZero:
    """What Level Zero said in a child of the target interpreter, with its environment."""

    loader_loaded: Maybe[bool] = NOT_EXAMINED
    loader_error: Maybe[str] = NOT_EXAMINED
    """Text of the dynamic linker where it did not load, else empty."""
    loader_path: Maybe[str] = NOT_EXAMINED
    loader_version: Maybe[str] = NOT_EXAMINED
    loader_has_init_drivers: Maybe[bool] = NOT_EXAMINED
    loader_has_root_device: Maybe[bool] = NOT_EXAMINED
    """Whether it exports zeDeviceGetRootDevice, which the SYCL runtime of torch 2.6 and newer needs."""
    init_code: Maybe[int] = NOT_EXAMINED
    """What zeInit returned, as a number; 0 is success."""
    init_result: Maybe[str] = NOT_EXAMINED
    """What zeInit returned, by name."""
    driver_library: Maybe[str] = NOT_EXAMINED
    """Path of the GPU driver that was mapped after zeInit; empty where none was."""
    compiler_library: Maybe[str] = NOT_EXAMINED
    memory_library: Maybe[str] = NOT_EXAMINED
    drivers: Maybe[tuple[ZeDriver, ...]] = NOT_EXAMINED
    devices: Maybe[tuple[ZeDevice, ...]] = NOT_EXAMINED
    unfiltered_devices: Maybe[tuple[ZeDevice, ...]] = NOT_EXAMINED
    """Devices of a second run without the variables in `filters`."""
    filters: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Names of the variables of Level Zero and of the driver that are set and can hide devices."""
    libraries: Maybe[tuple[LibraryLoad, ...]] = NOT_EXAMINED
    """What loading the driver's libraries by name said; asked where zeInit failed."""
    died: Maybe[str] = NOT_EXAMINED
    """How the process died in Level Zero, with the stage and the call, or empty where it lived."""
    adapters: Maybe[tuple[UrAdapter, ...]] = NOT_EXAMINED
    """What the Unified Runtime loader said of its adapters, in a run of torch that counted no device."""


@dataclass(frozen=True)
class Package:
    """An installed package of the driver stack."""

    name: str
    version: str = ""
    manager: str = ""
    """`dpkg`, `rpm`, `pacman`, `conda`."""


@dataclass(frozen=True)
class Library:
    """A library of the driver stack as it lies on the disk."""

    name: str
    """Name that programs load, e.g. `libze_intel_gpu.so.1`."""
    path: str = ""
    version: Maybe[str] = NOT_EXAMINED
    """The version that its file name ends with."""


@dataclass(frozen=True)
class Driver:
    """What is installed of the driver stack, seen from files."""

    libraries: Maybe[tuple[Library, ...]] = NOT_EXAMINED
    """Loader, GPU driver, OpenCL driver, compiler and memory library that lie in the system's library folders."""
    packages: Maybe[tuple[Package, ...]] = NOT_EXAMINED
    package_manager: Maybe[str] = NOT_EXAMINED
    """`dpkg`, `rpm`, `pacman`; empty where the system has none of them."""
    opencl_icds: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """OpenCL drivers that are registered: the libraries named in /etc/OpenCL/vendors or the registry."""
    dxg: Maybe[bool] = NOT_EXAMINED
    """WSL2: whether /dev/dxg is there."""
    wsl_libraries: Maybe[bool] = NOT_EXAMINED
    """WSL2: whether /usr/lib/wsl/lib holds Windows' driver bridge (libdxcore.so)."""

    def library(self, stem: str) -> Maybe[Library | None]:
        """Return the first library whose name begins with `stem`, None where there is none, or why that is not known."""
        if not isinstance(self.libraries, tuple):
            return self.libraries
        return next((row for row in self.libraries if row.name.startswith(stem)), None)
