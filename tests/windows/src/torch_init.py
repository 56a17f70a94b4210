"""A torch of small DLLs: its import loads them with the calls that torch makes on Windows, and in the same order."""

from __future__ import annotations

import ctypes
import glob
import os
import sys
import sysconfig
from typing import Any

from torch.version import __version__ as __version__

MODULE_NOT_FOUND = 126
OWN_FOLDERS = 0x1100
"""LOAD_LIBRARY_SEARCH_DEFAULT_DIRS | LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR."""
RUNTIME = ("vcruntime140.dll", "msvcp140.dll", "vcruntime140_1.dll")
LIB = os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib")


def _folders() -> list[str]:
    wanted = [
        LIB,
        os.path.join(sys.exec_prefix, "Library", "bin"),
        os.path.join(sysconfig.get_config_var("userbase") or "", "Library", "bin"),
        os.path.join(sys.exec_prefix, "bin"),
    ]
    if sys.exec_prefix != sys.base_exec_prefix:
        wanted.append(os.path.join(sys.base_exec_prefix, "Library", "bin"))
    return [folder for folder in wanted if os.path.exists(folder)]


def _refused(code: int, path: str) -> OSError:
    error: OSError = ctypes.WinError(code)  # type: ignore[attr-defined,unused-ignore]
    error.strerror = f'{error.strerror} Error loading "{path}" or one of its dependencies.'
    return error


def _load() -> None:
    kernel32: Any = ctypes.WinDLL("kernel32.dll", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel32.LoadLibraryW.restype = kernel32.LoadLibraryExW.restype = ctypes.c_void_p
    before = kernel32.SetErrorMode(1)
    folders = _folders()
    for folder in folders:
        os.add_dll_directory(folder)  # type: ignore[attr-defined,unused-ignore]
    try:
        for name in RUNTIME:
            ctypes.CDLL(name)
    except OSError:
        print("The Visual C++ runtime is not installed.")
    on_path = False
    for path in glob.glob(os.path.join(LIB, "*.dll")):
        handle = kernel32.LoadLibraryExW(path, None, OWN_FOLDERS)
        code = ctypes.get_last_error()  # type: ignore[attr-defined,unused-ignore]
        if handle is None and code != MODULE_NOT_FOUND:
            raise _refused(code, path)
        if handle is None:
            if not on_path:
                os.environ["PATH"] = ";".join((*folders, os.environ["PATH"]))
                on_path = True
            if kernel32.LoadLibraryW(path) is None:
                raise _refused(ctypes.get_last_error(), path)  # type: ignore[attr-defined,unused-ignore]
    kernel32.SetErrorMode(before)


_load()

from torch import xpu as xpu  # noqa: E402
