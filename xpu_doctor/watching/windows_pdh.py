"""Windows' performance counters of GPUs, read through one query that stays open (PDH, by their English names)."""

from __future__ import annotations

import ctypes
import sys
from dataclasses import dataclass, field
from typing import Any

from xpu_doctor.model.unknown import Maybe, Unknown

RUNNING_TIME = r"\GPU Engine(*)\Running Time"
"""Time that an engine worked for a process, in units of 100 ns."""
DEDICATED = r"\GPU Process Memory(*)\Dedicated Usage"
SHARED = r"\GPU Process Memory(*)\Shared Usage"
MORE_DATA = 0x800007D2
NO_DATA = 0x800007D5
NO_INSTANCE = 0x800007D1
VALID = (0, 1)
"""Status of a value that is valid, or valid and new."""
LARGEST = 64 << 20
"""Bytes of the largest answer that is read."""
DWORD = ctypes.c_uint32


@dataclass(frozen=True)
class GpuCounters:
    """Values by name of the instance."""

    running: dict[str, int] = field(default_factory=dict)
    dedicated: dict[str, int] = field(default_factory=dict)
    shared: dict[str, int] = field(default_factory=dict)


class _RawCounter(ctypes.Structure):
    _fields_ = [
        ("status", DWORD),
        ("time_low", DWORD),
        ("time_high", DWORD),
        ("first", ctypes.c_int64),
        ("second", ctypes.c_int64),
        ("multi", DWORD),
    ]


class _Item(ctypes.Structure):
    _fields_ = [("name", ctypes.c_wchar_p), ("value", _RawCounter)]


class GpuQuery:
    """An open query of the three counters."""

    def __init__(self, pdh: Any, query: ctypes.c_void_p, counters: dict[str, ctypes.c_void_p]) -> None:
        self._pdh = pdh
        self._query = query
        self._counters = counters

    def read(self) -> Maybe[GpuCounters]:
        """Return the values of now; where no process uses a GPU there are none."""
        status = self._pdh.PdhCollectQueryData(self._query) & 0xFFFFFFFF
        if status == NO_DATA:
            return GpuCounters()
        if status:
            return Unknown(f"Windows' GPU counters cannot be read: PDH 0x{status:08X}")
        read = {path: self._values(counter) for path, counter in self._counters.items()}
        running = read[RUNNING_TIME]
        if isinstance(running, Unknown):
            return running
        dedicated, shared = read.get(DEDICATED, {}), read.get(SHARED, {})
        return GpuCounters(
            running,
            {} if isinstance(dedicated, Unknown) else dedicated,
            {} if isinstance(shared, Unknown) else shared,
        )

    def _values(self, counter: ctypes.c_void_p) -> Maybe[dict[str, int]]:
        size, count = DWORD(0), DWORD(0)
        status = self._pdh.PdhGetRawCounterArrayW(counter, ctypes.byref(size), ctypes.byref(count), None) & 0xFFFFFFFF
        for _ in range(3):  # instances may come between the two calls
            if status != MORE_DATA or size.value > LARGEST:
                break
            buffer = (ctypes.c_char * (size.value + ctypes.sizeof(_Item)))()
            status = (
                self._pdh.PdhGetRawCounterArrayW(counter, ctypes.byref(size), ctypes.byref(count), buffer) & 0xFFFFFFFF
            )
            if status == 0:
                items = ctypes.cast(buffer, ctypes.POINTER(_Item))
                found: dict[str, int] = {}
                for index in range(count.value):
                    item = items[index]
                    if item.name is not None and item.value.status in VALID:
                        found[item.name] = int(item.value.first)
                return found
        if status in (0, NO_DATA, NO_INSTANCE):
            return {}
        return Unknown(f"Windows' GPU counters cannot be read: PDH 0x{status:08X}")


def open_query() -> Maybe[GpuQuery]:
    """Open the counters; unknown where this Windows has none (before 10 1709, without a WDDM 2 driver, or under Wine)."""
    if sys.platform != "win32":
        return Unknown("there are no such counters on this system")
    try:
        pdh = ctypes.WinDLL("pdh.dll")
        pdh.PdhAddEnglishCounterW.argtypes = [ctypes.c_void_p, ctypes.c_wchar_p, ctypes.c_size_t, ctypes.c_void_p]
        pdh.PdhGetRawCounterArrayW.argtypes = [ctypes.c_void_p] * 4
        pdh.PdhCollectQueryData.argtypes = [ctypes.c_void_p]
        query = ctypes.c_void_p()
        status = pdh.PdhOpenQueryW(None, ctypes.c_size_t(0), ctypes.byref(query)) & 0xFFFFFFFF
        if status:
            return Unknown(f"Windows' performance counters cannot be opened: PDH 0x{status:08X}")
        counters: dict[str, ctypes.c_void_p] = {}
        for path in (RUNNING_TIME, DEDICATED, SHARED):
            counter = ctypes.c_void_p()
            status = pdh.PdhAddEnglishCounterW(query, path, 0, ctypes.byref(counter)) & 0xFFFFFFFF
            if status and path == RUNNING_TIME:
                pdh.PdhCloseQuery(query)
                return Unknown(f"this Windows has no counters of GPU engines: PDH 0x{status:08X}")
            if not status:
                counters[path] = counter
        return GpuQuery(pdh, query, counters)
    except (OSError, AttributeError) as error:
        return Unknown(f"Windows' performance counters cannot be used: {error}")
