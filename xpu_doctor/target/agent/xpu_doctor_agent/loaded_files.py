"""The files behind loaded libraries, and the versions that they carry."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def mapped(part: str) -> str:
    """Return the path of the first mapped file whose name begins with `part`, or empty (Linux alone)."""
    try:
        with open("/proc/self/maps", "rb") as stream:
            for line in stream:
                path = line.decode("utf-8", "replace").rstrip("\n").partition("/")[2]
                if path.rpartition("/")[2].startswith(part):
                    return "/" + path
    except OSError:
        pass
    return ""


def version_in(path: str, stem: str) -> str:
    """Return the version that a library's file name ends with, e.g. `1.20.6`, or empty."""
    name = os.path.basename(os.path.realpath(path)) if path else ""
    version = name[len(stem) :].lstrip(".") if name.startswith(stem) else ""
    return version if version.count(".") >= 1 and version.replace(".", "").isdigit() else ""


if sys.platform == "win32":

    def dll_path(library: Any) -> str:
        """Return the path of a loaded DLL, or empty."""
        import ctypes

        buffer = ctypes.create_unicode_buffer(4096)
        ctypes.windll.kernel32.GetModuleFileNameW(ctypes.c_void_p(library._handle), buffer, 4096)
        return buffer.value

    def dll_version(path: str) -> str:
        """Return the file version of a DLL, e.g. `1.20.2`, or empty."""
        import ctypes

        api = ctypes.windll.version
        size = api.GetFileVersionInfoSizeW(path, None)
        data = ctypes.create_string_buffer(size)
        pointer, length = ctypes.c_void_p(), ctypes.c_uint()
        if (
            not size
            or not api.GetFileVersionInfoW(path, 0, size, data)
            or not api.VerQueryValueW(data, "\\", ctypes.byref(pointer), ctypes.byref(length))
        ):
            return ""
        words = ctypes.cast(pointer, ctypes.POINTER(ctypes.c_uint32))
        version = f"{words[2] >> 16}.{words[2] & 0xFFFF}.{words[3] >> 16}.{words[3] & 0xFFFF}"
        return version[: -len(".0")] if version.endswith(".0") else version
