"""Facts about the shared libraries that torch needs: what the loader would load from where, and what it would refuse."""

from __future__ import annotations

from xpu_doctor.model.fast_dataclass import dataclass
from xpu_doctor.model.unknown import NOT_EXAMINED, Maybe, Unknown


@dataclass(frozen=True)
class LoadedLibrary:
    """A library that the loader would take, and the rule by which it finds it."""

    name: str
    """As the one that needs it spells it, e.g. `libsycl.so.8`."""
    path: str
    how: str = ""
    """`RPATH`, `RUNPATH`, `LD_LIBRARY_PATH`, `LD_PRELOAD`, `ld.so.cache`, `default folder`, `path`; on Windows `folder of torch`,
    `folder of Python`, `PATH`."""
    via: str = ""
    """The file whose RPATH it is, or the variable."""
    needed_by: str = ""
    """Path of the library that needs it."""
    versions: tuple[str, ...] = ()
    """Symbol versions that tell releases apart, e.g. `LIBUR_LOADER_0.11`."""
    own_copy: str = ""
    """Another file of this name in the examined environment itself, which is not the one taken; empty where there is none."""
    own_versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class LibraryFault:
    """Something that the loader would refuse."""

    kind: str
    """`missing`, `version`, `symbol`, `foreign`, `truncated`, `short`, `not-a-library`, `corrupt`, `unreadable`."""
    name: str
    """The library that was asked for."""
    chain: tuple[str, ...] = ()
    """Paths from the first library opened to the one that asks."""
    stage: str = "import"
    """`import`, `xpu` (found when devices are counted) or `later` (when some function is first used)."""
    path: str = ""
    """The file that was found and refused, or empty."""
    version: str = ""
    """The symbol version, symbol or machine in question."""
    offers: tuple[str, ...] = ()
    """Symbol versions of the same family that the file does offer."""
    detail: str = ""
    """What the loader would say."""
    error: int = 0
    """Windows: the code that the loader would report."""
    opened_by_name: str = ""
    """Row of data/opened_libraries.toml that speaks of it; empty where it is an ordinary need."""
    others: tuple[str, ...] = ()
    """Files of the same stem with another version in the folders that were searched."""
    own_copy: str = ""
    """Another file of this name in the examined environment, which was not taken."""


@dataclass(frozen=True)
class OpenedLibrary:
    """What became of a library that another one opens by name."""

    row: str
    """Its row in data/opened_libraries.toml."""
    name: str
    outcome: str
    """`loads`, `missing` or `fails`."""
    path: str = ""
    detail: str = ""


@dataclass(frozen=True)
class DamagedLibrary:
    """A file in torch's own folder that is no whole library for this machine, or one that torch itself needs and lacks."""

    path: str
    kind: str
    """`missing`, `truncated`, `short`, `not-a-library`, `foreign`, `corrupt`, `unreadable`, `dangling` (a link that leads nowhere)."""
    detail: str = ""


@dataclass(frozen=True)
class Libraries:
    """The shared-library closure of torch, found by reading files only."""

    prediction: Maybe[str] = NOT_EXAMINED
    """`loads` or `fails`: whether `import torch` would get all its libraries."""
    predicted_error: Maybe[str] = NOT_EXAMINED
    """What the loader would say first; empty where it would say nothing."""
    loaded: Maybe[tuple[LoadedLibrary, ...]] = NOT_EXAMINED
    """Libraries from outside torch's folder that matter to XPU, and the C++ runtime."""
    faults: Maybe[tuple[LibraryFault, ...]] = NOT_EXAMINED
    opened: Maybe[tuple[OpenedLibrary, ...]] = NOT_EXAMINED
    """Libraries that never appear as needed, since another one opens them by name."""
    damaged: Maybe[tuple[DamagedLibrary, ...]] = NOT_EXAMINED
    count: Maybe[int] = NOT_EXAMINED
    """Number of libraries in the closure."""
    env_folders: tuple[str, ...] = ()
    """Folders in which the packages of the examined environment put their libraries."""
    msvc: Maybe[str] = NOT_EXAMINED
    """Windows: file version of the msvcp140.dll that torch would get, e.g. `14.44.35211.0`; empty where there is none."""
    msvc_built: Maybe[str] = NOT_EXAMINED
    """Windows: the newest Visual C++ linker that built a file in torch/lib, e.g. `14.42`."""

    @property
    def complete(self) -> Maybe[bool]:
        """Return whether everything that the import and the counting of devices need would be loaded."""
        if isinstance(self.prediction, Unknown):
            return self.prediction
        if isinstance(self.faults, Unknown):
            return self.faults
        return self.prediction == "loads" and not any(fault.stage in ("import", "xpu") for fault in self.faults)
