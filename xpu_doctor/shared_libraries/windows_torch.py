"""How torch's own `__init__` loads its DLLs on Windows: which folders it adds, and its second attempt."""

from __future__ import annotations

import os
from dataclasses import dataclass

from xpu_doctor.shared_libraries.files import Files
from xpu_doctor.shared_libraries.model import Opening
from xpu_doctor.shared_libraries.windows import MODULE_NOT_FOUND, WindowsLoader


@dataclass(frozen=True)
class Prefixes:
    """Where the interpreter lives, as torch asks it: sys.exec_prefix, sys.base_exec_prefix, sysconfig's userbase."""

    prefix: str
    base_prefix: str
    user_base: str = ""


def dll_folders(files: Files, lib: str, prefixes: Prefixes, version: tuple[int, int]) -> tuple[str, ...]:
    """Return the existing folders that torch hands to os.add_dll_directory, in the order of its list."""
    folders = [lib, os.path.join(prefixes.prefix, "Library", "bin")]
    if prefixes.prefix != prefixes.base_prefix:
        folders.append(os.path.join(prefixes.base_prefix, "Library", "bin"))
    if prefixes.user_base:
        folders.append(os.path.join(prefixes.user_base, "Library", "bin"))
    if version >= (2, 8):
        folders.append(os.path.join(prefixes.prefix, "bin"))
    return tuple(folder for folder in dict.fromkeys(folders) if files.folder(folder))


def load_all(loader: WindowsLoader, lib: str, folders: tuple[str, ...]) -> list[Opening]:
    """Load every DLL of torch/lib as torch does; each opening is the attempt that decided."""
    names = loader.files.names(lib)
    paths = [os.path.join(lib, names[low]) for low in sorted(names) if low.endswith(".dll")]
    return [load(loader, path, folders) for path in paths]


def load(loader: WindowsLoader, path: str, folders: tuple[str, ...]) -> Opening:
    """Load one DLL: with the added folders first, and after error 126 once more along PATH."""
    opening = loader.open(path)
    if opening.succeeds or opening.faults[0].error != MODULE_NOT_FOUND:
        return opening
    return loader.decided(opening, loader.open_plain(path, folders))
