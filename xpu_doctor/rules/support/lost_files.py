"""Files that an Intel runtime package has lost although the loader finds something in their place. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from xpu_doctor.model.facts import Distribution, Distributions, FileFault, Import, Libraries, LoadedLibrary, Xpu
from xpu_doctor.model.findings import Evidence, Severity
from xpu_doctor.model.terms import LibraryOutcome
from xpu_doctor.model.unknown import denied, known_or
from xpu_doctor.rules.support.library_faults import known_package
from xpu_doctor.tables.libraries import Opened, opened

GONE = ("missing", "empty")


@dataclass(frozen=True)
class LostFile:
    """A library that a package's RECORD lists, and that is not on the disk."""

    name: str
    distribution: Distribution
    place: str
    """Where the facts say so."""
    fault: FileFault
    stand_in: tuple[int, LoadedLibrary] | None = None
    """Its place among the loaded libraries, and the copy from elsewhere that is taken instead."""
    row: Opened | None = None
    """What opens it by name, where another of the row's names loads."""

    @property
    def requirement(self) -> str:
        """Return what brings it back."""
        version = known_or(self.distribution.version, "")
        return f"{self.distribution.name}=={version}" if version else self.distribution.name

    @property
    def sentence(self) -> str:
        """Return what is lost, and what that means."""
        state = "is missing" if self.fault.fault == "missing" else f"is damaged ({self.fault.fault})"
        text = f"{self.name} {state}, which {self.requirement} has brought"
        if self.stand_in is not None:
            how = f" (by {self.stand_in[1].how})" if self.stand_in[1].how else ""
            return f"{text}; {self.stand_in[1].path}{how} is taken in its place"
        return f"{text}; {self.row.partly}" if self.row is not None else text

    def evidence(self) -> Iterator[Evidence]:
        """Return the row of RECORD, and the copy that stands in."""
        yield Evidence(self.place, f"{self.fault.path}: {self.fault.fault}", "")
        if self.stand_in is not None:
            yield Evidence(f"libraries.loaded[{self.stand_in[0]}]", self.stand_in[1].path, "")


def lost_files(distributions: Distributions, libraries: Libraries) -> tuple[LostFile, ...]:
    """Return the lost libraries that torch would use, less those that the walk of the libraries has missed itself."""
    told = {fault.name.lower() for fault in known_or(libraries.faults, ())}
    loaded = {row.name.lower(): (number, row) for number, row in enumerate(known_or(libraries.loaded, ()))}
    found = (item for item in _recorded(distributions) if item.name.lower() not in told)
    return tuple(judged for item in found if (judged := _judged(item, loaded, libraries)) is not None)


def stand_in_folders(lost: tuple[LostFile, ...]) -> frozenset[str]:
    """Return the folders from which copies stand in for lost files."""
    return frozenset(folder_of(item.stand_in[1].path) for item in lost if item.stand_in is not None)


def folder_of(path: str) -> str:
    """Return the folder of a path of either system."""
    return re.split(r"[\\/][^\\/]*$", path)[0]


def _recorded(distributions: Distributions) -> Iterator[LostFile]:
    for number, dist in enumerate(known_or(distributions.installed, ())):
        if known_package(dist.name):
            for fault in known_or(dist.file_faults, ()):
                if fault.fault in GONE:
                    name = re.split(r"[\\/]", fault.path)[-1]
                    yield LostFile(name, dist, f"distributions.installed[{number}].file_faults", fault)


def _judged(item: LostFile, loaded: dict[str, tuple[int, LoadedLibrary]], libraries: Libraries) -> LostFile | None:
    """Return the item with what the loader takes in its place; None where nothing asks for it, or the environment has another copy."""
    taken = loaded.get(item.name.lower())
    if taken is not None:
        own = any(taken[1].path.startswith((f"{folder}/", f"{folder}\\")) for folder in libraries.env_folders)
        return None if own else LostFile(item.name, item.distribution, item.place, item.fault, stand_in=taken)
    row = next((row for row in _rows(item.name) if _another_loads(row, item.name, libraries)), None)
    return LostFile(item.name, item.distribution, item.place, item.fault, row=row) if row is not None else None


def _rows(name: str) -> tuple[Opened, ...]:
    """Return the rows in which a name is one of several, of which each does harm by its absence."""
    system = "windows" if name.lower().endswith(".dll") else "linux"
    return tuple(row for row in opened(system) if row.partly and name.lower() in row.names)


def _another_loads(row: Opened, name: str, libraries: Libraries) -> bool:
    return any(
        item.row == row.id and item.outcome == LibraryOutcome.LOADS and item.name.lower() != name.lower()
        for item in known_or(libraries.opened, ())
    )


def without_lost(lost: tuple[LostFile, ...], imported: Import, xpu: Xpu) -> tuple[Severity, tuple[str, ...]]:
    """Return how heavy the loss weighs by what was tried, and where that is seen; what works overrides it."""
    if known_or(xpu.allocated, False):
        return Severity.INFO, ("xpu.allocated",)
    if imported.succeeded is False and any(item.stand_in is not None for item in lost):
        return Severity.ERROR, ("imported.succeeded",)
    if known_or(xpu.device_count, -1) == 0:
        return Severity.ERROR, ("xpu.device_count",)
    if denied(xpu.allocated):
        return Severity.ERROR, ("xpu.allocated",)
    return Severity.WARNING, ()
