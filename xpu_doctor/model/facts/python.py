"""Facts about the target interpreter, what is installed in it, and how it was installed."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe


@dataclass(frozen=True)
class Python:
    """The target interpreter."""

    executable: Maybe[str] = NOT_EXAMINED
    version: Maybe[str] = NOT_EXAMINED
    """E.g. `3.12.1`."""
    implementation: Maybe[str] = NOT_EXAMINED
    """`cpython`, `pypy` ..."""
    free_threaded: Maybe[bool] = NOT_EXAMINED
    bits: Maybe[int] = NOT_EXAMINED
    """32 or 64."""
    os: Maybe[str] = NOT_EXAMINED
    """`linux`, `windows`, `macos`, or sys.platform where it is none of them."""
    architecture: Maybe[str] = NOT_EXAMINED
    """platform.machine() of the interpreter, e.g. `x86_64`, `AMD64`."""
    libc: Maybe[str] = NOT_EXAMINED
    """`glibc 2.36`, `musl`, or empty on other systems."""
    prefix: Maybe[str] = NOT_EXAMINED
    base_prefix: Maybe[str] = NOT_EXAMINED
    real_prefix: Maybe[str] = NOT_EXAMINED
    """The prefix with links followed."""
    virtual_environment: Maybe[bool] = NOT_EXAMINED
    embedded: Maybe[bool] = NOT_EXAMINED
    """Whether a ._pth file fixes sys.path (Windows embeddable package)."""
    sys_path: Maybe[tuple[str, ...]] = NOT_EXAMINED
    user_site: Maybe[str] = NOT_EXAMINED
    """The user's site folder where it is on sys.path, else empty."""
    own_site: Maybe[str] = NOT_EXAMINED
    """The folder into which this interpreter's own pip installs, with links followed."""
    writable: Maybe[bool] = NOT_EXAMINED
    """Whether the user who asks may add packages there."""
    ensurepip: Maybe[bool] = NOT_EXAMINED
    """Whether the standard library can bring pip into an environment."""
    encoding: Maybe[str] = NOT_EXAMINED


@dataclass(frozen=True)
class FileFault:
    """A file of a distribution whose state on the disk is not what its RECORD says."""

    path: str
    """As RECORD spells it."""
    fault: str
    """`missing`, `empty`, `size` (another size than RECORD), `unreadable`."""
    detail: str = ""


@dataclass(frozen=True)
class Distribution:
    """An installed distribution, read from its dist-info (or egg-info)."""

    name: str
    """Normalised: lower case, hyphens."""
    version: Maybe[str] = NOT_EXAMINED
    location: str = ""
    """The sys.path entry that holds it."""
    metadata_path: str = ""
    real_path: str = ""
    """The metadata's path with links followed."""
    installer: Maybe[str] = NOT_EXAMINED
    """Content of INSTALLER (`pip`, `uv`, `conda`, `Poetry 2.1.1` ...), or empty."""
    direct_url: Maybe[str] = NOT_EXAMINED
    """URL of direct_url.json, or empty."""
    editable: bool = False
    requires: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Requires-Dist lines; read for torch and its companions only."""
    tags: tuple[str, ...] = ()
    """Wheel tags, e.g. `cp312-cp312-linux_x86_64`."""
    file_faults: Maybe[tuple[FileFault, ...]] = NOT_EXAMINED
    """Up to 20 files that differ from RECORD; unknown where there is no RECORD."""
    metadata: Maybe[bool] = NOT_EXAMINED
    """Whether METADATA (or PKG-INFO) is there and tells the version."""
    record: Maybe[bool] = NOT_EXAMINED
    """Whether RECORD can be read; looked at for torch and its companions only."""
    file_fault_count: int = 0
    """How many files differ from RECORD in all."""
    file_count: int = 0
    """How many files RECORD names."""


@dataclass(frozen=True)
class Distributions:
    """Everything installed that matters to torch on XPU."""

    installed: Maybe[tuple[Distribution, ...]] = NOT_EXAMINED
    """Torch, its companions, the Intel runtime packages and applications, in sys.path order (the first of a name wins)."""
    leftovers: Maybe[tuple[str, ...]] = NOT_EXAMINED
    """Folders such as `~orch` that an interrupted pip left behind."""
    total: Maybe[int] = NOT_EXAMINED
    """Number of all distributions seen."""

    def find(self, *names: str) -> Maybe[Distribution | None]:
        """Return the first distribution of these names, None where there is none, or why that is not known."""
        if not isinstance(self.installed, tuple):
            return self.installed
        return next((dist for dist in self.installed if dist.name in names), None)


@dataclass(frozen=True)
class Setting:
    """A setting of a package manager that changes where packages come from."""

    name: str
    """E.g. `find-links`, `extra-index-url`, `PIP_FIND_LINKS`, `UV_EXTRA_INDEX_URL`."""
    value: str
    """Credentials are cut out."""
    source: str
    """The variable or the configuration file that holds it."""
    tool: str = ""
    """`pip` or `uv`: the program that obeys it."""


@dataclass(frozen=True)
class Installer:
    """The manager of the target environment, and what its settings do to an install."""

    manager: Maybe[str] = NOT_EXAMINED
    """`pip`, `uv`, `uv-project` (uv with a lock file), `conda`, `pixi`, `poetry`, `pdm`, `pipenv`, `hatch`, `system`, or another name."""
    why: str = ""
    """What showed the manager."""
    project: str = ""
    """Folder of the project whose lock file names the environment, or empty."""
    package: str = ""
    """Name of the one member of a workspace whose own requirements name torch, or empty."""
    virtual_root: Maybe[bool] = NOT_EXAMINED
    """Whether the project's pyproject.toml has no [project] table and no member was found, so that nothing can be added to it."""
    environment: str = ""
    """What the manager calls the environment (hatch, pixi), or empty."""
    conda: str = ""
    """Which of conda's programs is there: `conda`, `mamba`, `micromamba`, or empty."""
    has_pip: Maybe[bool] = NOT_EXAMINED
    uv: Maybe[str] = NOT_EXAMINED
    """How uv can be called: `command` (it is on PATH), `module` (the environment holds it), or empty."""
    settings: Maybe[tuple[Setting, ...]] = NOT_EXAMINED
    externally_managed: Maybe[bool] = NOT_EXAMINED
    """Whether the interpreter refuses pip outside a virtual environment (PEP 668)."""


@dataclass(frozen=True)
class OtherPython:
    """Another interpreter of this machine, and the torch in it."""

    executable: str
    torch: str = ""
    """Version of the torch found there, or empty."""


@dataclass(frozen=True)
class Target:
    """Which interpreter is examined, why that one, and what else was seen."""

    executable: Maybe[str] = NOT_EXAMINED
    why: str = ""
    version: Maybe[str] = NOT_EXAMINED
    others: Maybe[tuple[OtherPython, ...]] = NOT_EXAMINED
    supported: Maybe[bool] = NOT_EXAMINED
    """Whether the agent can run in it (CPython 3.8 or newer)."""
    folder: str = ""
    """Working folder of the examination."""
    chosen_by: str = ""
    """`option`, `active` (environment), `own` (the environment that the doctor is installed in), `running` (the Python that runs the one
    file) or `path`; empty where no interpreter was chosen."""
