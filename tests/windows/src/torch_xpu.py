"""Counts devices as SYCL does: through the Unified Runtime's loader, which the SYCL runtime has loaded by then."""

from __future__ import annotations

import ctypes
from typing import Any

MOST = 16


def _is_compiled() -> bool:
    return True


def is_available() -> bool:
    """Return whether there is a device."""
    return device_count() > 0


def device_count() -> int:
    """Return how many devices the adapters of the Unified Runtime list, or 0 where none can be asked."""
    try:
        return _counted(ctypes.CDLL("ur_loader.dll"))
    except (OSError, AttributeError):
        return 0


def _counted(loader: Any) -> int:
    config = ctypes.c_void_p()
    loader.urLoaderConfigCreate(ctypes.byref(config))
    if loader.urLoaderInit(0, config):
        return 0
    return sum(_devices(loader, platform) for platform in _listed(loader.urPlatformGet, adapters=_adapters(loader)))


def _adapters(loader: Any) -> list[int]:
    count = ctypes.c_uint32()
    loader.urAdapterGet(0, None, ctypes.byref(count))
    found = (ctypes.c_void_p * MOST)()
    loader.urAdapterGet(count, found, None)
    return [handle for handle in found[: count.value] if handle]


def _listed(function: Any, adapters: list[int]) -> list[int]:
    every = []
    for adapter in adapters:
        count, found = ctypes.c_uint32(), (ctypes.c_void_p * MOST)()
        if function(ctypes.c_void_p(adapter), MOST, found, ctypes.byref(count)) == 0:
            every += [handle for handle in found[: count.value] if handle]
    return every


def _devices(loader: Any, platform: int) -> int:
    count = ctypes.c_uint32()
    return 0 if loader.urDeviceGet(ctypes.c_void_p(platform), 4, 0, None, ctypes.byref(count)) else count.value
