"""The closure of torch on Linux: the walk from torch's libraries, then from those that are opened by name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from xpu_doctor.model.facts.libraries import Libraries, LibraryFault, LoadedLibrary, OpenedLibrary
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.terms import LibraryOutcome
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.shared_libraries.damage import damaged_files, lacked
from xpu_doctor.shared_libraries.elf import read_elf
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.linux import LinuxLoader, Loaded
from xpu_doctor.shared_libraries.linux_env import NoLoader, linux_system
from xpu_doctor.shared_libraries.model import Fault, Opening
from xpu_doctor.shared_libraries.request import Request, torchs_own
from xpu_doctor.tables.libraries import Opened, opened, stem

COMMON = ("libstdc++.so.6", "libgcc_s.so.1", "libze_loader.so.1", "libze_intel_gpu.so.1", "libOpenCL.so.1", "libz.so.1")
"""Libraries of the system that are worth showing."""
XPU_ROOTS = ("libtorch_xpu.so", "libc10_xpu.so")
SYCL = "4sycl"
"""What every name of SYCL's C++ interface holds; libtorch_xpu wants thousands of others, which torch itself defines."""
MOST_LOADED, MOST_FAULTS, MOST_OTHERS = 150, 40, 5
SYSTEM_VERSIONS = ("GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_", "LIBC_")


def examine(request: Request, files: Files) -> Libraries:
    """Return what ld.so would do for `import torch` in this interpreter, and for what is opened by name afterwards."""
    executable = os.path.realpath(request.executable) if not files.root else request.executable
    try:
        system = linux_system(files, request.environ, executable, request.folder)
    except NoLoader as error:
        reason = Unknown(str(error))
        return Libraries(
            prediction=reason,
            predicted_error=reason,
            loaded=reason,
            faults=reason,
            opened=reason,
            damaged=damaged_files(files, request, "", read_only=True),
        )
    return _Walk(request, files, LinuxLoader(files, system, _symbols_matter), executable).result()


def _symbols_matter(item: Loaded) -> str | None:
    """Return a part of the symbols that are looked up one by one: where a mixture of releases shows in them; None for none.

    Python binds all symbols of an extension module at once, so a missing one ends the import.
    """
    name = os.path.basename(item.path)
    if name == "libc10_xpu.so" or (name.startswith("libur_adapter") and item.elf.binds_now):
        return ""
    return SYCL if name.startswith("libtorch") and "xpu" in name else None


class _Walk:
    """One walk, and the facts that it gives."""

    def __init__(self, request: Request, files: Files, loader: LinuxLoader, executable: str) -> None:
        self.request, self.files, self.loader = request, files, loader
        self.started = loader.start(executable)
        above = os.path.normpath(os.path.join(request.torch, "..", "..", ".."))
        own = (above, os.path.join(request.prefix, "lib"))
        self.env_folders = tuple(
            dict.fromkeys(folder for folder in own if folder and files.folder(folder) and folder not in self._system())
        )
        self.faults: dict[tuple[str, str, str], LibraryFault] = {}
        self.opened: list[OpenedLibrary] = []

    def _system(self) -> tuple[str, ...]:
        return (*self.loader.system.default_folders, "/usr/local/lib")

    def result(self) -> Libraries:
        names = self.files.names(self.request.lib)
        extension = next(
            (name for name in self.files.names(self.request.torch).values() if re.match(r"_C\..*\.so$", name)), ""
        )
        first = (
            [os.path.join(self.request.lib, "libtorch_global_deps.so")] if "libtorch_global_deps.so" in names else []
        )
        first += [os.path.join(self.request.torch, extension)] if extension else []
        roots = [os.path.join(self.request.lib, name) for name in XPU_ROOTS if name in names]
        needed_at_once = [*first, *([] if extension else roots)]
        openings = [self.started, *(self._open(path, "import") for path in needed_at_once)]
        for path in roots:
            self._open(path, "xpu")
        for row in opened("linux"):
            self._open_by_name(row)
        faults = tuple(self.faults.values())[:MOST_FAULTS]
        error = next((said(fault) for opening in openings for fault in opening.faults), "")
        whole = bool(needed_at_once)
        unknown = Unknown(f"{self.request.torch} holds none of torch's libraries")
        return Libraries(
            prediction=("fails" if error else "loads") if whole else unknown,
            predicted_error=error if whole else unknown,
            loaded=tuple(self._loaded()),
            faults=faults,
            opened=tuple(self.opened),
            damaged=lacked(damaged_files(self.files, self.request, self.loader.system.machine), faults, self.request),
            count=len(self.loader.seen),
            env_folders=self.env_folders,
        )

    def _open(self, path: str, stage: str) -> Opening:
        opening = self.loader.open(path)
        self._note(opening, stage)
        return opening

    def _note(self, opening: Opening, stage: str, row: str = "") -> None:
        for fault in opening.faults:
            asker = fault.chain[-1] if fault.chain else ""
            self.faults.setdefault((fault.kind, fault.name, asker), self._fault(fault, stage, row))

    def _fault(self, fault: Fault, stage: str, row: str) -> LibraryFault:
        giver = self.loader.seen.get(fault.path)
        offers = family(fault.version, giver.elf.defines or frozenset()) if giver and fault.kind == "version" else ()
        others = tuple(self._others(fault.name)) if fault.kind in ("missing", "foreign") else ()
        own = self._own_copy(fault.name, fault.path) if fault.path else ""
        return LibraryFault(
            kind=fault.kind,
            name=os.path.basename(fault.name),
            chain=tuple(os.path.normpath(path) for path in fault.chain),
            stage=stage,
            path=os.path.normpath(fault.path) if fault.path else "",
            version=fault.version,
            offers=offers,
            detail=said(fault),
            opened_by_name=row,
            others=others,
            own_copy=own,
        )

    def _others(self, name: str) -> Iterator[str]:
        if "/" in name:
            return
        wanted, count = stem(name), 0
        folders = (*self.env_folders, *(folder for folder, _, _ in self.loader.library_path))
        for folder in dict.fromkeys(folders):
            for low, real in sorted(self.files.names(folder).items()):
                if (
                    count < MOST_OTHERS
                    and low.startswith(f"{wanted}.so")
                    and real != name
                    and low.count(".") == name.count(".")
                ):
                    count += 1
                    yield os.path.join(folder, real)

    def _own_copy(self, name: str, path: str) -> str:
        if "/" in name or torchs_own(name):
            return ""
        for folder in self.env_folders:
            own = os.path.join(folder, name)
            identity = self.files.identity(own)
            if identity is not None:
                return own if identity != self.files.identity(path) else ""
        return ""

    def _open_by_name(self, row: Opened) -> None:
        opener = next(
            (item for item in self.loader.loaded for name in item.names if "/" not in name and row.opened_by(name)),
            None,
        )
        if opener is None:
            return
        results = [(name, self._search(row, name, opener)) for name in row.names]
        loads = any(opening.succeeds for _, opening in results)
        for name, opening in results:
            absent = (
                bool(opening.faults)
                and opening.faults[0].kind == "missing"
                and opening.faults[0].name in (name, opening.name)
            )
            # One name of several is enough: the opener tries them in turn, and an absent one matters only where none loads.
            if absent and loads:
                continue
            outcome = (
                LibraryOutcome.LOADS if opening.succeeds else LibraryOutcome.MISSING if absent else LibraryOutcome.FAILS
            )
            detail = "" if opening.succeeds else said(opening.faults[0])
            self.opened.append(OpenedLibrary(row.id, name, outcome, opening.path, detail))
            if not absent and not opening.succeeds:
                self._note(opening, "later" if loads or row.optional else row.stage, row.id)
        if (
            not loads
            and not row.optional
            and row.layer is Layer.RUNTIME
            and all(item.outcome == "missing" for item in self.opened if item.row == row.id)
        ):
            name, opening = results[0]
            self._note(Opening(name, faults=(Fault("missing", name, opener.chain()),)), row.stage, row.id)

    def _search(self, row: Opened, name: str, opener: Loaded) -> Opening:
        """Try the places of a row in order, as the opener does; the first failure of a file that exists is kept."""
        failed: Opening | None = None
        for place in row.search:
            for path in self._paths(place, name, opener):
                opening = self.loader.open(path, opener)
                if opening.succeeds:
                    return opening
                missing = (
                    opening.faults[0].kind == "missing"
                    and not opening.faults[0].chain[1:]
                    and opening.faults[0].name == path
                )
                if (
                    failed is None
                    and not missing
                    and not (path == name and opening.faults[0].name == name and opening.faults[0].kind == "missing")
                ):
                    failed = opening
        return failed or Opening(name, faults=(Fault("missing", name, opener.chain()),))

    def _paths(self, place: str, name: str, opener: Loaded) -> Iterator[str]:
        if place == "name":
            yield name
        elif place == "beside":
            yield os.path.join(os.path.dirname(opener.path), name)
        else:
            yield from (
                os.path.join(folder, name) for folder in self.request.environ.get(place, "").split(":") if folder
            )

    def _loaded(self) -> Iterator[LoadedLibrary]:
        shown = 0
        for item in self.loader.seen.values():
            path = os.path.normpath(item.path)
            inside = path.startswith((self.request.torch + "/", "/proc/")) or item is self.loader.main
            ordinary = item.how in ("default folder", "ld.so.cache") and not set(COMMON) & item.names
            if inside or ordinary or shown >= MOST_LOADED:
                continue
            shown += 1
            own = self._own_copy(os.path.basename(item.name), item.path)
            yield LoadedLibrary(
                name=os.path.basename(item.name),
                path=path,
                how=item.how,
                via=item.via if item.via != item.how else "",
                needed_by=os.path.normpath(item.parent.path)
                if item.parent and item.parent is not self.loader.main
                else "",
                versions=tuple(telling(item.elf.defines or frozenset())),
                own_copy=own,
                own_versions=self._versions_of(own) if own else (),
            )

    def _versions_of(self, path: str) -> tuple[str, ...]:
        try:
            return tuple(telling(read_elf(self.files, path).defines or frozenset()))
        except (BadLibrary, OSError):
            return ()


def said(fault: Fault) -> str:
    """Return what the loader would say of a fault."""
    if fault.kind == "version":
        return fault.detail
    if fault.kind == "missing":
        return f"{fault.name}: cannot open shared object file: No such file or directory"
    return f"{fault.path or fault.name}: {fault.detail}"


def family(version: str, defines: frozenset[str]) -> tuple[str, ...]:
    """Return the versions of the same family that a library defines, newest last, at most three."""
    head = version.rpartition("_")[0]
    same = [name for name in defines if name.rpartition("_")[0] == head and name != head]
    return tuple(sorted(same, key=_numbers)[-3:])


def telling(defines: frozenset[str]) -> list[str]:
    """Return the symbol versions that tell releases of a library apart; of the C++ runtime's the newest."""
    newest = sorted((name for name in defines if name.startswith("GLIBCXX_3")), key=_numbers)[-1:]
    others = sorted(
        (name for name in defines if not name.startswith(SYSTEM_VERSIONS) and not name.startswith("lib")), key=_numbers
    )
    return newest + others[-3:]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]
