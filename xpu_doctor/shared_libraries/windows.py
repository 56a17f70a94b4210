"""The walk as LoadLibraryEx does it: which file each imported name leads to, and with which error it would end."""

from __future__ import annotations

import ntpath
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.model import MAX_OBJECTS, Fault, Opening
from xpu_doctor.shared_libraries.pe import Pe, read_exported, read_imported, read_pe

API_SETS = ("api-ms-", "ext-ms-")
"""Names that Windows maps to its own libraries, whether such a file exists or not."""
MODULE_NOT_FOUND, PROCEDURE_NOT_FOUND, BAD_FORMAT = 126, 127, 193
MAX_DEPTH = 120


@dataclass(frozen=True)
class WindowsSystem:
    """What the loader knows before it opens anything; folders are paths of this machine."""

    system_folder: str = ""
    """System32, whose files are taken as whole."""
    system_names: frozenset[str] = frozenset()
    """Lower-case names that System32 provides although no such file can be seen here."""
    windows_folder: str = ""
    application: str = ""
    """The folder of the program, here python.exe."""
    user_folders: tuple[str, ...] = ()
    """What os.add_dll_directory added. Windows promises no order among them; the walk takes this one."""
    path: tuple[str, ...] = ()
    folder: str = ""
    machine: str = "amd64"
    system_imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What files of System32 that Windows itself does not bring (the Visual C++ runtime) import, by lower-case name."""
    programs_own: tuple[str, ...] = ()
    """DLLs in the process from the start, e.g. python311.dll."""


@dataclass
class _Attempt:
    """One call of LoadLibrary: the folders that it goes through, and what it has met."""

    folders: tuple[str, ...]
    new: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


class WindowsLoader:
    """A process that loads DLLs one after the other, in thought."""

    def __init__(
        self, files: Files, system: WindowsSystem, symbols: Callable[[str, str], bool] = lambda asker, giver: False
    ) -> None:
        self.files, self.system, self._symbols = files, system, symbols
        self.loaded: dict[str, str] = {name.lower(): "" for name in system.programs_own}
        """Lower-case name to path; an empty path stands for a library of Windows itself."""
        self.seen: dict[str, tuple[str, ...]] = {}
        """Path of every DLL that was taken at some time to the chain that led to it, whether it stayed or not."""
        self._in_front: tuple[str, ...] = ()
        self._parsed: dict[str, Pe | BadLibrary] = {}
        self._exported: dict[str, frozenset[str]] = {}

    def open(self, path: str) -> Opening:
        """Do what LoadLibraryExW does with LOAD_LIBRARY_SEARCH_DEFAULT_DIRS and LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR."""
        system = self.system
        folders = (os.path.dirname(path), system.application, *system.user_folders, system.system_folder)
        return self._open(path, folders, "LoadLibraryExW")

    def open_plain(self, path: str, first: tuple[str, ...] = ()) -> Opening:
        """Do what LoadLibraryW does; `first` are the folders that the caller has put in front of PATH, where they stay."""
        system = self.system
        self._in_front = first or self._in_front
        before = (system.application, system.system_folder, system.windows_folder, system.folder)
        folders = (*before, *self._in_front, *system.path)
        return self._open(path, folders, "LoadLibraryW")

    def open_beside(self, path: str) -> Opening:
        """Do what LoadLibraryExW does where the caller allows the DLL's own folder and System32 alone."""
        return self._open(path, (os.path.dirname(path), self.system.system_folder), "LoadLibraryExW")

    def decided(self, first: Opening, again: Opening) -> Opening:
        """Return the attempt that decides, the first one where both fail; what it alone had taken is forgotten where it does not."""
        if not again.succeeds:
            return first
        there = set(self.loaded.values())
        for path in first.loaded:
            if path not in there:
                self.seen.pop(path, None)
        return again

    def find(self, name: str, folders: tuple[str, ...]) -> str | None:
        """Return the file that a name leads to; empty for a library of Windows itself, None where there is none."""
        low = name.lower()
        if low.startswith(API_SETS):
            return ""
        for folder in folders:
            if not folder:
                continue
            real = self.files.names(folder).get(low)
            if folder == self.system.system_folder and (real or low in self.system.system_names):
                return ""
            if real:
                return os.path.join(folder, real)
        return "" if low in self.system.system_names else None

    def _open(self, path: str, folders: tuple[str, ...], how: str) -> Opening:
        attempt = _Attempt(tuple(dict.fromkeys(folder for folder in folders if folder)))
        low = ntpath.basename(path).lower()
        if low not in self.loaded:
            if self.files.identity(path) is None:
                attempt.faults.append(Fault("missing", ntpath.basename(path), (), error=MODULE_NOT_FOUND))
            else:
                self._load(low, path, (), attempt)
        if attempt.faults:
            for name in attempt.new:
                self.loaded.pop(name, None)
        return Opening(path, path, tuple(filter(None, attempt.new.values())), tuple(attempt.faults), how)

    def _load(self, low: str, path: str, chain: tuple[str, ...], attempt: _Attempt) -> None:
        pe = self._parse(path)
        name = os.path.basename(path)
        if isinstance(pe, BadLibrary):
            attempt.faults.append(
                Fault(
                    kind=pe.kind,
                    name=name,
                    chain=chain,
                    path=path,
                    version=pe.version,
                    detail=pe.detail,
                    error=BAD_FORMAT,
                )
            )
            return
        if len(chain) > MAX_DEPTH or len(self.loaded) > MAX_OBJECTS:
            attempt.faults.append(
                Fault("corrupt", name, chain, path, detail="the imports go deeper than any real ones", error=BAD_FORMAT)
            )
            return
        self.loaded[low] = attempt.new[low] = path
        self.seen.setdefault(path, chain)
        below = (*chain, path)
        for imported in pe.imports:
            if imported.lower() in pe.beside:
                self._beside(imported, below, attempt)
            else:
                self._import(imported, below, attempt)
        if not attempt.faults:
            self._exports(path, pe, below, attempt)

    def _import(self, imported: str, chain: tuple[str, ...], attempt: _Attempt) -> None:
        low = imported.lower() if "." in imported else imported.lower() + ".dll"
        if low in self.loaded:
            return
        found = self.find(low, attempt.folders)
        if found is None:
            attempt.faults.append(Fault("missing", imported, chain, error=MODULE_NOT_FOUND))
        elif not found:
            self.loaded[low] = attempt.new[low] = ""
            for further in self.system.system_imports.get(low, ()):
                self._import(further, (*chain, os.path.join(self.system.system_folder, imported)), attempt)
        else:
            self._load(low, found, chain, attempt)

    def _beside(self, imported: str, chain: tuple[str, ...], attempt: _Attempt) -> None:
        """Take a name that the manifest of the DLL binds to its own folder, whatever else of this name is loaded."""
        folder, low = os.path.dirname(chain[-1]), imported.lower()
        real = self.files.names(folder).get(low)
        if real is None:
            attempt.faults.append(Fault("missing", imported, chain, error=MODULE_NOT_FOUND))
            return
        path = os.path.join(folder, real)
        if path not in (self.loaded.get(low), self.loaded.get(path)):
            self._load(path if low in self.loaded else low, path, chain, attempt)

    def _exports(self, path: str, pe: Pe, chain: tuple[str, ...], attempt: _Attempt) -> None:
        givers = {name: self._giver(name.lower(), path, pe) for name in pe.imports}
        checked = {name: giver for name, giver in givers.items() if giver and self._symbols(path, giver)}
        if not checked:
            return
        try:
            wanted = read_imported(self.files, path)
            for name, giver in checked.items():
                exported = self._exports_of(giver)
                lacking = next((symbol for symbol in wanted.get(name, ()) if symbol not in exported), "")
                if lacking:
                    detail = f"{os.path.basename(giver)} does not export {lacking}"
                    attempt.faults.append(
                        Fault(
                            kind="symbol",
                            name=name,
                            chain=chain,
                            path=giver,
                            version=lacking,
                            detail=detail,
                            error=PROCEDURE_NOT_FOUND,
                        )
                    )
        except (BadLibrary, OSError):
            return  # what cannot be read proves nothing

    def _exports_of(self, path: str) -> frozenset[str]:
        if path not in self._exported:
            self._exported[path] = read_exported(self.files, path)
        return self._exported[path]

    def _giver(self, low: str, path: str, pe: Pe) -> str:
        """Return the file that an imported name has led to."""
        taken = self.loaded.get(low, "")
        bound = low in pe.beside and os.path.dirname(taken) != os.path.dirname(path)
        return os.path.join(os.path.dirname(path), low) if bound else taken

    def _parse(self, path: str) -> Pe | BadLibrary:
        if path not in self._parsed:
            self._parsed[path] = self._read(path)
        return self._parsed[path]

    def _read(self, path: str) -> Pe | BadLibrary:
        try:
            pe = read_pe(self.files, path)
        except BadLibrary as error:
            return error
        except OSError as error:
            return BadLibrary("unreadable", error.strerror or str(error))
        if pe.missing_bytes:
            return BadLibrary("truncated", f"the file lacks its last {pe.missing_bytes} bytes")
        if pe.machine != self.system.machine:
            return BadLibrary("foreign", f"built for {pe.machine}", pe.machine)
        return pe
