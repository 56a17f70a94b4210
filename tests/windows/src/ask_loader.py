"""Imports torch and tells what the loader of Windows said, and which libraries are in the process then."""

from __future__ import annotations

import ctypes
import json
from typing import Any

MOST, LONGEST = 1024, 32000


def modules() -> list[str]:
    """Return the paths of all modules of this process."""
    kernel32: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    kernel32.GetModuleFileNameW.argtypes = (ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_uint32)
    handles, size, name = (ctypes.c_void_p * MOST)(), ctypes.c_uint32(), ctypes.create_unicode_buffer(LONGEST)
    process = ctypes.c_void_p(kernel32.GetCurrentProcess())
    kernel32.K32EnumProcessModules(process, handles, ctypes.sizeof(handles), ctypes.byref(size))
    found = []
    for handle in handles[: size.value // ctypes.sizeof(ctypes.c_void_p)]:
        if kernel32.GetModuleFileNameW(handle, name, LONGEST):
            found.append(name.value)
    return found


def ask() -> dict[str, Any]:
    """Return the error number (0: none), the library that torch was loading, and the modules."""
    try:
        import torch
    except OSError as error:
        library = str(error).partition('Error loading "')[2].partition('"')[0]
        return {"error": getattr(error, "winerror", -1), "library": library, "modules": []}
    torch.xpu.device_count()
    return {"error": 0, "library": "", "modules": modules()}


print("ANSWER " + json.dumps(ask()))
