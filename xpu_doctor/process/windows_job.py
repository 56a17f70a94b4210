"""A Windows Job Object that ends every process in it when its handle is closed."""

from __future__ import annotations

import ctypes
from typing import Any

_JOB_OBJECT_EXTENDED_LIMIT_INFORMATION = 9
_KILL_ON_JOB_CLOSE = 0x2000


class _BasicLimits(ctypes.Structure):
    _fields_ = [
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    ]


class _ExtendedLimits(ctypes.Structure):
    _fields_ = [
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    ]


class Job:
    """A job with kill-on-close; processes put in it, and all that they start, die with it.

    Source: Microsoft Learn, "Job Objects" and "JOBOBJECT_EXTENDED_LIMIT_INFORMATION" (checked 2026-11-21).
    """

    def __init__(self, kernel32: Any = None) -> None:
        self._kernel32 = kernel32 or ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
        self._kernel32.CreateJobObjectW.restype = ctypes.c_void_p
        self._handle = self._kernel32.CreateJobObjectW(None, None)
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
        self._kernel32.SetInformationJobObject(
            ctypes.c_void_p(self._handle),
            _JOB_OBJECT_EXTENDED_LIMIT_INFORMATION,
            ctypes.byref(limits),
            ctypes.sizeof(limits),
        )

    def add(self, process_handle: int) -> bool:
        """Put a process into the job; False where Windows refuses (a job that allows no nesting)."""
        return bool(
            self._kernel32.AssignProcessToJobObject(ctypes.c_void_p(self._handle), ctypes.c_void_p(process_handle))
        )

    def close(self) -> None:
        """End every process of the job."""
        if self._handle:
            self._kernel32.TerminateJobObject(ctypes.c_void_p(self._handle), 1)
            self._kernel32.CloseHandle(ctypes.c_void_p(self._handle))
            self._handle = None
