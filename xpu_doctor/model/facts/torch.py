"""Facts about torch: its build on the disk, its import, its devices, and where a matmul ran."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class Torch:
    """The torch that `import torch` would load, read from files without importing it."""

    installed: Maybe[bool] = NOT_EXAMINED
    version: Maybe[str] = NOT_EXAMINED
    """torch/version.py's `__version__`, else the metadata's version, e.g. `2.9.1+xpu`."""
    metadata_version: Maybe[str] = NOT_EXAMINED
    build: Maybe[str] = NOT_EXAMINED
    """`xpu`, `cpu`, `cuda`, `rocm`; other builds (`macos` ...) by name. Seen from version.py and torch/lib, not from the label alone."""
    build_source: str = ""
    """What told the build, in words."""
    xpu_version: Maybe[str] = NOT_EXAMINED
    """`torch.version.xpu` as text, e.g. `20250302`; empty where it is None or absent."""
    cuda_version: Maybe[str] = NOT_EXAMINED
    hip_version: Maybe[str] = NOT_EXAMINED
    git_version: Maybe[str] = NOT_EXAMINED
    debug: Maybe[bool] = NOT_EXAMINED
    path: Maybe[str] = NOT_EXAMINED
    """Folder of the torch package."""
    real_path: Maybe[str] = NOT_EXAMINED
    """The same with links followed."""
    package: Maybe[bool] = NOT_EXAMINED
    """Whether the folder holds an `__init__` file: without one `import torch` gives an empty namespace."""
    libraries: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """File names in torch/lib; empty where there is no such folder."""
    package_owner: Maybe[str] = NOT_EXAMINED
    """Distribution name that owns the folder (`torch`, `pytorch` of conda, a Linux package), or empty where nobody does."""


@dataclass(frozen=True)
class Shadow:
    """A file that hides torch, one of its companions or a standard module from `import`."""

    module: str
    path: str
    where: str
    """`working folder`, `PYTHONPATH`, or `site folder` for a file that is imported in place of an installed torch."""
    installed: Maybe[bool] = NOT_EXAMINED
    """Whether its own metadata lies beside it: a package that somebody installed there, no stray file."""
    hides: Maybe[str] = NOT_EXAMINED
    """What `import` would find without it: a file further down the path, `the standard library`, or empty where there is nothing."""


@dataclass(frozen=True)
class Shadows:
    """What a look at the working folder and PYTHONPATH found before anything was imported."""

    found: Maybe[tuple[Shadow, ...]] = NOT_EXAMINED


@dataclass(frozen=True)
class Stage:
    """How one stage of the agent ended in the target interpreter."""

    name: str
    outcome: str
    """`ok`, `error` (an exception), `crash` (a signal or NTSTATUS), `exit` (the process left without a word), `hang`, `skipped`."""
    seconds: Maybe[float] = NOT_EXAMINED
    reason: str = ""
    """One line: the exception, the signal's name, the exit code, or how long it was silent."""
    exception: str = ""
    """Type of the exception, e.g. `OSError`."""
    winerror: int = 0
    """Windows' code of the exception, e.g. 126; 0 where it has none."""
    signal: str = ""
    """E.g. `SIGSEGV`, `0xC0000005 STATUS_ACCESS_VIOLATION`."""
    exit_code: Maybe[int] = NOT_EXAMINED
    traceback: str = ""
    """The Python traceback or the stack at the moment of death, cut to 8 KiB."""
    output: str = ""
    """What the stage printed, first and last parts, cut to 8 KiB."""
    cpu_seconds: Maybe[float] = NOT_EXAMINED
    """CPU time of the stage as its own interpreter counts it; of a stage that hung, that of its whole process."""
    cpu_seconds_outside: Maybe[float] = NOT_EXAMINED
    """CPU time of the stage as the system counts it for the process, in seconds; read for the matmul."""
    left_behind: tuple[str, ...] = ()
    """Processes that outlived it and were ended, or could not be."""
    foreign_lines: int = 0
    """Of the record `transcript`: lines in it that the agent did not write, and that were not believed."""
    lost_lines: int = 0
    """Of the record `transcript`: lines of the agent that somebody took out of it."""


@dataclass(frozen=True)
class Run:
    """The stages that the agent went through, in order."""

    stages: Maybe[tuple[Stage, ...]] = NOT_EXAMINED

    def stage(self, name: str) -> Maybe[Stage | None]:
        """Return how a stage ended, None where it did not run, or why that is not known."""
        if not isinstance(self.stages, tuple):
            return self.stages
        return next((stage for stage in self.stages if stage.name == name), None)


@dataclass(frozen=True)
class Import:
    """What `import torch` said."""

    succeeded: Maybe[bool] = NOT_EXAMINED
    """Whether it gave a torch: a module with a file and a `__version__`, which neither a namespace nor somebody's torch.py has."""
    seconds: Maybe[float] = NOT_EXAMINED
    """How long it took."""
    version: Maybe[str] = NOT_EXAMINED
    """`torch.__version__` of the module that was really imported."""
    file: Maybe[str] = NOT_EXAMINED
    folders: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Where a namespace package, which has no file, has its folders."""
    warnings: Maybe[tuple[str, ...]] = NOT_EXAMINED


@dataclass(frozen=True)
class XpuDevice:
    """A device that torch.xpu counts."""

    index: int
    name: str = ""
    device_id: Maybe[int] = NOT_EXAMINED
    """PCI device id, e.g. 0xe20b."""
    driver_version: Maybe[str] = NOT_EXAMINED
    """As the Level Zero driver spells it."""
    total_memory: Maybe[int] = NOT_EXAMINED
    """In bytes."""
    has_fp64: Maybe[bool] = NOT_EXAMINED
    allocated: Maybe[bool] = NOT_EXAMINED
    """Whether a small tensor was really allocated on it and read back."""
    error: str = ""
    """Why allocation failed."""


@dataclass(frozen=True)
class Xpu:
    """What torch.xpu says of itself."""

    compiled: Maybe[bool] = NOT_EXAMINED
    available: Maybe[bool] = NOT_EXAMINED
    device_count: Maybe[int] = NOT_EXAMINED
    devices: Maybe[tuple[XpuDevice, ...]] = NOT_EXAMINED
    allocated: Maybe[bool] = NOT_EXAMINED
    """Whether every counted device (at least one) took a small tensor."""
    warnings: Maybe[tuple[str, ...]] = NOT_EXAMINED
    error: Maybe[str] = NOT_EXAMINED
    """The exception that a query raised, or empty."""
    unfiltered_count: Maybe[int] = NOT_EXAMINED
    """Devices counted by a second run without the variables that hide devices."""


@dataclass(frozen=True)
class ErrorText:
    """A line of output that a signature knows."""

    signature: str
    """Row id of data/signatures.toml."""
    text: str
    source: str
    """Where it stood: `import stage`, `line 12`, ..."""
    groups: tuple[str, ...] = ()
    """What the pattern's groups matched."""
    context: str = ""
    """The part of a text it was found in (`traceback`, `torch.compile` ...), or empty."""


@dataclass(frozen=True)
class Errors:
    """Known error messages that were met."""

    met: Maybe[tuple[ErrorText, ...]] = NOT_EXAMINED
    mentioned: tuple[ErrorText, ...] = ()
    """Those that a text holds without telling that they were met: in a question, a condition, a quotation or in code."""
