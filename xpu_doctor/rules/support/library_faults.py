"""What each fault of the closure is: another copy in the way, releases that do not mix, a file that is not there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from xpu_doctor.model.facts import Import, Libraries, LibraryFault, LoadedLibrary, Run, Xpu
from xpu_doctor.model.findings import Confidence, Evidence, Layer, Severity
from xpu_doctor.model.terms import StageOutcome
from xpu_doctor.model.unknown import Unknown, denied, known, known_or
from xpu_doctor.tables.libraries import opened_row, owners, runtime_packages

MSVC = re.compile(r"^(msvcp|vcruntime|vcomp|concrt|vccorlib)\d", re.IGNORECASE)
DRIVER = ("libze_loader", "libze_intel_gpu", "ze_loader", "ze_intel_gpu", "libigc", "libigdgmm", "libigdrcl")
TORCHS_OWN = ("libtorch", "libc10", "libshm", "libcaffe2", "torch", "c10", "shm", "uv.dll", "libiomp5md.dll")
SYSTEM = ("GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_")
PATH_LIKE = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PATH")


class Kind(Enum):
    """Whose matter a fault is."""

    TORCH = "torch"
    CONFLICT = "conflict"
    GLIBC = "glibc"
    MSVC = "msvc"
    DRIVER = "driver"
    MISMATCH = "mismatch"
    MISSING = "missing"


@dataclass(frozen=True)
class Judged:
    """A fault, its place in the facts, and what it is."""

    number: int
    fault: LibraryFault
    kind: Kind

    def evidence(self) -> Evidence:
        """Return the chain and what the loader would say."""
        return Evidence(
            f"libraries.faults[{self.number}]", f"{chain(self.fault)}: {self.fault.detail or self.fault.name}", ""
        )


def judged(libraries: Libraries) -> tuple[Judged, ...]:
    """Return every fault with what it is."""
    others = displaced(libraries)
    return tuple(
        Judged(number, fault, _kind(fault, others, libraries)) for number, fault in enumerate(known(libraries.faults))
    )


def of_kind(libraries: Libraries, kind: Kind) -> tuple[Judged, ...]:
    """Return the faults that are one rule's matter."""
    return tuple(item for item in judged(libraries) if item.kind is kind)


def displaced(libraries: Libraries) -> tuple[tuple[int, LoadedLibrary], ...]:
    """Return the libraries that were taken from elsewhere although the environment has a copy of its own."""
    rows = known_or(libraries.loaded, ())
    return tuple((number, row) for number, row in enumerate(rows) if row.own_copy and is_runtime(row.name))


def by_variable(fault: LibraryFault, libraries: Libraries) -> tuple[tuple[int, LoadedLibrary], ...]:
    """Return the library that a fault refuses, if it is one that a variable made the loader take."""
    if fault.kind not in ("version", "symbol"):
        return ()
    rows = enumerate(known_or(libraries.loaded, ()))
    return tuple((number, row) for number, row in rows if row.path == fault.path and row.how in PATH_LIKE)


def is_runtime(name: str) -> bool:
    """Return whether an Intel runtime package brings a library of this stem, or it is the C++ runtime."""
    low = name.lower()
    return low.startswith(("libstdc++", "libgcc_s")) or bool(packages_of(name))


def packages_of(name: str) -> tuple[str, ...]:
    """Return the Intel packages that bring a file of this name."""
    system = "windows" if name.lower().endswith(".dll") else "linux"
    return tuple(owner.package for owner in owners(system, name))


def _kind(fault: LibraryFault, others: tuple[tuple[int, LoadedLibrary], ...], libraries: Libraries) -> Kind:
    low = _leaf(fault.name).lower()
    foreign = {row.path for _, row in (*others, *by_variable(fault, libraries))}
    if foreign & {*fault.chain, fault.path} or fault.own_copy:
        return Kind.CONFLICT
    # The order is the decision: what a stranger's folder explains is no damage of torch, and what torch ships is never the system's to install.
    if low.startswith(TORCHS_OWN):
        return Kind.TORCH
    if fault.kind == "version" and fault.version.startswith(SYSTEM):
        mine = (
            fault.path.startswith(tuple(f"{folder}/" for folder in libraries.env_folders))
            if libraries.env_folders
            else False
        )
        return Kind.CONFLICT if mine and not fault.version.startswith("GLIBC_") else Kind.GLIBC
    if MSVC.match(low):
        return Kind.MSVC
    row = opened_row(fault.opened_by_name)
    asked_by_driver = bool(fault.chain) and _leaf(fault.chain[-1]).startswith(DRIVER)
    if (
        low.startswith(DRIVER)
        or asked_by_driver
        or (row is not None and row.layer is Layer.DRIVER)
        or re.match(r"zes?[A-Z]", fault.version)
    ):
        return Kind.DRIVER
    if fault.kind in ("version", "symbol") or (fault.kind == "missing" and fault.others):
        return Kind.MISMATCH
    return Kind.MISSING


def chain(fault: LibraryFault) -> str:
    """Return who asked for it, from the first library opened, by file names."""
    return " → ".join((*(_leaf(path) for path in fault.chain), fault.name))


def _leaf(path: str) -> str:
    return re.split(r"[\\/]", path)[-1]


def oneapi_release(path: str) -> str:
    """Return the release that a path of a oneAPI installation names, e.g. `2025.0`, or empty."""
    found = re.search(r"[\\/](20\d\d\.\d+(?:\.\d+)?)[\\/]", path)
    return found[1] if found else ""


@dataclass(frozen=True)
class Outcome:
    """Whether what happened is what the walk predicts."""

    text: str
    severity: Severity
    confidence: Confidence
    evidence: tuple[Evidence, ...] = ()


def outcome(faults: tuple[LibraryFault, ...], imported: Import, xpu: Xpu, run: Run) -> Outcome:
    """Compare the predicted faults with the import and the devices that were really tried; observed success overrides."""
    stages = {fault.stage for fault in faults}
    if "import" in stages:
        return _imported(faults, imported, run)
    if "xpu" in stages:
        if known_or(xpu.allocated, False):
            return Outcome(
                "; a GPU works nevertheless", Severity.INFO, Confidence.POSSIBLE, (Evidence("xpu.allocated", "", ""),)
            )
        if known_or(xpu.device_count, -1) == 0:
            return Outcome(
                "; as predicted, no device is counted",
                Severity.ERROR,
                Confidence.CERTAIN,
                (Evidence("xpu.device_count", "", ""),),
            )
        if denied(xpu.allocated):
            return Outcome(
                "; as predicted, no tensor can be made on every device",
                Severity.ERROR,
                Confidence.CERTAIN,
                (Evidence("xpu.allocated", "", ""),),
            )
        return Outcome(
            "", Severity.ERROR, Confidence.LIKELY
        )  # a count is no proof: since torch 2.13 it does not come from SYCL
    return Outcome("", Severity.WARNING, Confidence.LIKELY)


def _imported(faults: tuple[LibraryFault, ...], imported: Import, run: Run) -> Outcome:
    succeeded = imported.succeeded
    evidence = (Evidence("imported.succeeded", "", ""),)
    if isinstance(succeeded, Unknown):
        stage = run.stage("import")
        if isinstance(stage, Unknown) or stage is None or stage.outcome in (StageOutcome.OK, StageOutcome.SKIPPED):
            return Outcome("", Severity.ERROR, Confidence.CERTAIN)
    elif succeeded:
        return Outcome(
            "; yet `import torch` succeeded, so the prediction does not hold here",
            Severity.INFO,
            Confidence.POSSIBLE,
            evidence,
        )
    stage = run.stage("import")
    said = "" if isinstance(stage, Unknown) or stage is None else f"{stage.reason} {stage.traceback} {stage.winerror}"
    crash = not isinstance(stage, Unknown) and stage is not None and stage.outcome == StageOutcome.CRASH
    named = any(_leaf(fault.path or fault.name) in said or fault.name in said for fault in faults)
    coded = any(fault.error and re.search(rf"\b{fault.error}\b", said) for fault in faults)
    # A truncated library can be mapped, and then kills the process at the first page that is not there: no message names it.
    torn = crash and any(fault.kind in ("truncated", "corrupt") for fault in faults)
    if named or coded or torn:
        return Outcome("; `import torch` failed as predicted", Severity.ERROR, Confidence.CERTAIN, evidence)
    return Outcome(
        "; `import torch` failed with another message than the predicted one",
        Severity.ERROR,
        Confidence.LIKELY,
        evidence,
    )


def names(items: tuple[Judged, ...], most: int = 3) -> str:
    """Return the names of the libraries in question, a few of them."""
    distinct = list(dict.fromkeys(item.fault.name for item in items))
    more = f" and {len(distinct) - most} more" if len(distinct) > most else ""
    return ", ".join(distinct[:most]) + more


def known_package(name: str) -> bool:
    """Return whether a distribution is one of Intel's runtime packages."""
    return name in runtime_packages()
