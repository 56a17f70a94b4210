"""The closure of torch on Windows: torch's own loading of its DLLs, then what SYCL's loader opens by name."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from xpu_doctor.model.facts.libraries import Libraries, LibraryFault, LoadedLibrary, OpenedLibrary
from xpu_doctor.model.findings import Layer
from xpu_doctor.model.terms import LibraryOutcome
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.shared_libraries.damage import damaged_files, lacked
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.model import Fault, Opening
from xpu_doctor.shared_libraries.pe import file_version, read_pe
from xpu_doctor.shared_libraries.request import Request
from xpu_doctor.shared_libraries.windows import MODULE_NOT_FOUND, WindowsLoader, WindowsSystem
from xpu_doctor.shared_libraries.windows_torch import Prefixes, dll_folders, load_all
from xpu_doctor.tables.libraries import Opened, opened, stem

REDISTRIBUTABLE = (
    "msvcp140.dll",
    "vcruntime140.dll",
    "vcruntime140_1.dll",
    "msvcp140_atomic_wait.dll",
    "msvcp140_1.dll",
    "vcomp140.dll",
    "concrt140.dll",
)
"""Files of the Visual C++ runtime, which Windows itself does not bring."""
MOST_FAULTS, MOST_OTHERS = 40, 5


def windows_system(files: Files, request: Request) -> WindowsSystem:
    """Gather what the loader goes by for this interpreter on the running Windows."""
    root = request.environ.get("SystemRoot") or request.environ.get("SYSTEMROOT") or "C:\\Windows"
    folder = os.path.join(root, "System32")
    names = files.names(folder)
    imports: dict[str, tuple[str, ...]] = {}
    for name in REDISTRIBUTABLE:
        if name in names:
            imports[name] = _imports(files, os.path.join(folder, names[name]))
    application = request.base_prefix
    own = tuple(name for name in files.names(application) if name.startswith("python") and name.endswith(".dll"))
    path = next((value for key, value in request.environ.items() if key.upper() == "PATH"), "")
    return WindowsSystem(
        system_folder=folder,
        windows_folder=root,
        application=application,
        path=tuple(part for part in path.split(";") if part),
        folder=request.folder,
        machine=_machine(files, request.executable),
        system_imports=imports,
        programs_own=own or ("python3.dll",),
    )


def examine(request: Request, files: Files, system: WindowsSystem | None = None) -> Libraries:
    """Return what LoadLibrary would do for `import torch` in this interpreter, and for what is opened by name afterwards."""
    known = system or windows_system(files, request)
    if not known.system_folder and not known.system_names:
        unknown = Unknown("System32 cannot be read")
        return Libraries(
            prediction=unknown,
            predicted_error=unknown,
            loaded=unknown,
            faults=unknown,
            opened=unknown,
            damaged=damaged_files(files, request, known.machine),
        )
    prefixes = Prefixes(request.prefix, request.base_prefix, request.user_base)
    one = OneSpelling(files, (request.lib, known.application, known.system_folder, known.windows_folder))
    folders = one.each(dll_folders(files, request.lib, prefixes, request.release))
    found = replace(known, user_folders=folders, path=one.each(known.path), folder=one.of(known.folder))
    return _Walk(request, files, found, folders).result()


class OneSpelling:
    """Gives each folder one spelling, the first in which it was met: Windows takes many for one folder."""

    def __init__(self, files: Files, folders: Iterable[str]) -> None:
        self._files = files
        self._first: dict[object, str] = {}
        self.each(folders)

    def of(self, folder: str) -> str:
        """Return the spelling of a folder; one that does not exist keeps its own."""
        identity = self._files.identity(folder) if folder else None
        numbered = identity is not None and identity[1]  # some file systems of Windows number nothing
        return self._first.setdefault(identity if numbered else ntpath.normcase(ntpath.normpath(folder)), folder)

    def each(self, folders: Iterable[str]) -> tuple[str, ...]:
        """Return the folders in their spellings, each one once."""
        return tuple(dict.fromkeys(self.of(folder) for folder in folders))


class _Walk:
    """One walk, and the facts that it gives."""

    def __init__(self, request: Request, files: Files, system: WindowsSystem, folders: tuple[str, ...]) -> None:
        self.request, self.files, self.system, self.folders = request, files, system, folders
        self.loader = WindowsLoader(
            files, system, lambda asker, giver: not request.lib == os.path.dirname(asker) == os.path.dirname(giver)
        )
        self.faults: dict[tuple[str, str, str], LibraryFault] = {}
        self.opened: list[OpenedLibrary] = []
        self.spelled: dict[str, str] = {}
        """Lower-case name to the spelling in which it was missed first: each library that asks has its own."""

    def result(self) -> Libraries:
        openings = load_all(self.loader, self.request.lib, self.folders)
        for opening in openings:
            self._note(opening, "import")
        for row in opened("windows"):
            self._open_by_name(row)
        first = next((opening for opening in openings if opening.faults), None)
        unknown = Unknown(f"{self.request.lib} holds no libraries")
        faults = tuple(self.faults.values())[:MOST_FAULTS]
        return Libraries(
            prediction=("fails" if first else "loads") if openings else unknown,
            predicted_error=(said(first) if first else "") if openings else unknown,
            loaded=tuple(self._loaded()),
            faults=faults,
            opened=tuple(self.opened),
            damaged=lacked(damaged_files(self.files, self.request, self.system.machine), faults, self.request),
            count=len(self.loader.seen),
            env_folders=tuple(folder for folder in self.folders if folder != self.request.lib),
            msvc=self._msvc(),
            msvc_built=self._built(openings),
        )

    def _note(self, opening: Opening, stage: str, row: str = "") -> None:
        for fault in opening.faults:
            asker = fault.chain[-1] if fault.chain else ""
            others = tuple(self._others(fault.name)) if fault.kind == "missing" else ()
            text = fault.detail or f"{fault.name} is not found"
            made = LibraryFault(
                kind=fault.kind,
                name=self.spelled.setdefault(fault.name.lower(), fault.name),
                chain=fault.chain,
                stage=stage,
                path=fault.path,
                version=fault.version,
                offers=(),
                detail=text,
                error=fault.error,
                opened_by_name=row,
                others=others,
            )
            self.faults.setdefault((fault.kind, fault.name.lower(), asker), made)

    def _others(self, name: str) -> Iterator[str]:
        wanted, count = stem(name), 0
        for folder in self.folders:
            for low, real in sorted(self.files.names(folder).items()):
                if low.endswith(".dll") and low != name.lower() and stem(low) == wanted and count < MOST_OTHERS:
                    count += 1
                    yield os.path.join(folder, real)

    def _open_by_name(self, row: Opened) -> None:
        opener = next((path for name, path in self.loader.loaded.items() if path and row.opened_by(name)), "")
        if not opener:
            return
        results = [(name, self._search(row, name, opener)) for name in row.names]
        loads = any(opening.succeeds for _, opening in results)
        chain = (*self.loader.seen.get(opener, ()), opener)
        for name, opening in results:
            absent = bool(opening.faults) and not opening.faults[0].chain and opening.faults[0].kind == "missing"
            # One name of several is enough: torch tries them in turn, and an absent one matters only where none loads.
            if absent and loads:
                continue
            outcome = (
                LibraryOutcome.LOADS if opening.succeeds else LibraryOutcome.MISSING if absent else LibraryOutcome.FAILS
            )
            self.opened.append(
                OpenedLibrary(
                    row.id, name, outcome, "" if absent else opening.path, "" if opening.succeeds else said(opening)
                )
            )
            if not absent and not opening.succeeds:
                self._note(opening, "later" if loads or row.optional else row.stage, row.id)
        # A driver's library that is not there is for the rules of the driver layer to judge.
        gone = all(item.outcome == "missing" for item in self.opened if item.row == row.id)
        if gone and not loads and not row.optional and row.layer is Layer.RUNTIME:
            self._note(
                Opening(row.names[0], faults=(Fault("missing", row.names[0], chain, error=MODULE_NOT_FOUND),)),
                row.stage,
                row.id,
            )

    def _search(self, row: Opened, name: str, opener: str) -> Opening:
        if "beside" in row.search:
            path = os.path.join(os.path.dirname(opener), name)
            opening = self.loader.open_beside(path)
            if opening.succeeds or "PATH" not in row.search:
                return opening
            return self.loader.decided(opening, self.loader.open_plain(path))
        found = self.loader.find(name, (os.path.dirname(opener), *self.folders, self.system.system_folder))
        if found is None:
            return Opening(name, faults=(Fault("missing", name, (), error=MODULE_NOT_FOUND),))
        return self.loader.open_beside(found) if found else Opening(name, name)

    def _loaded(self) -> Iterator[LoadedLibrary]:
        for path, chain in self.loader.seen.items():
            folder = os.path.dirname(path)
            if folder == self.request.lib:
                continue
            name = os.path.basename(path)
            own = next(
                (
                    os.path.join(item, name)
                    for item in self.folders
                    if name.lower() in self.files.names(item) and item != folder
                ),
                "",
            )
            how = (
                "added folder"
                if folder in self.folders
                else "folder of Python"
                if folder == self.system.application
                else "PATH"
            )
            yield LoadedLibrary(
                name, path, how, needed_by=chain[-1] if chain else "", own_copy=own if how != "added folder" else ""
            )

    def _msvc(self) -> Maybe[str]:
        places = (self.request.lib, self.system.application, *self.folders, self.system.system_folder)
        for folder in filter(None, places):
            real = self.files.names(folder).get("msvcp140.dll")
            if real:
                try:
                    return file_version(self.files, os.path.join(folder, real)) or Unknown(f"{real} tells no version")
                except (BadLibrary, OSError) as error:
                    return Unknown(f"{os.path.join(folder, real)}: {error}")
        return "" if self.system.system_folder else Unknown("System32 was not examined")

    def _built(self, openings: list[Opening]) -> Maybe[str]:
        newest = (0, 0)
        for opening in openings:
            try:
                newest = max(newest, read_pe(self.files, opening.name).linker)
            except (BadLibrary, OSError):
                continue
        return (
            f"{newest[0]}.{newest[1]}" if newest[0] == 14 else Unknown("no file in torch/lib was built by Visual C++")
        )


def said(opening: Opening) -> str:
    """Return what Windows would say of an opening that fails, without its localised sentence."""
    fault = opening.faults[0]
    reason = f"{fault.name} is missing" if fault.kind == "missing" else f"{fault.path or fault.name}: {fault.detail}"
    return f'[WinError {fault.error}] Error loading "{opening.name}" or one of its dependencies: {reason}'


def _imports(files: Files, path: str) -> tuple[str, ...]:
    try:
        return read_pe(files, path).imports
    except (BadLibrary, OSError):
        return ()


def _machine(files: Files, executable: str) -> str:
    try:
        return read_pe(files, executable).machine
    except (BadLibrary, OSError):
        return "amd64"
