"""Level Zero, in four stages of one process: load the loader, zeInit, the drivers, their devices.

Nothing calls Level Zero after a failed zeInit: loaders up to 1.8 die of it. Run these stages in a process of their own,
never in the one that imports torch.
"""

from __future__ import annotations

import sys

from .facts import attempt, cut, unknown
from .level_zero_device import device_facts, structures
from .level_zero_results import result_name, unsigned
from .loaded_files import mapped, version_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .request import Request
    from .transcript import Transcript

INIT_GPU = 1
"""ZE_INIT_FLAG_GPU_ONLY"""
DRIVER_PROPERTIES = 1
"""ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES"""
MAX_DEVICES = 64


class _Loaded:
    """What one stage leaves to the next."""

    library: Any = None
    initialised = False
    drivers: list[Any] = []


def load(request: Request) -> Facts:
    """Load the Level Zero loader as the runtime does, by name; the keys are the fields of facts.LevelZero."""
    import ctypes

    name = "ze_loader.dll" if sys.platform == "win32" else "libze_loader.so.1"
    request.transcript.mark("ze_load", f"load {name}")
    try:
        if sys.platform == "win32":
            library: Any = ctypes.WinDLL(name)
        else:
            library = ctypes.CDLL(name)
    except OSError as error:
        return {
            "loader_loaded": False,
            "loader_error": cut(error, 1000),
            "loader_path": "",
            "loader_version": unknown("the loader was not loaded"),
        }
    _Loaded.library = library
    path, version = _loader_file(library)
    return {
        "loader_loaded": True,
        "loader_error": "",
        "loader_path": path or unknown("the system does not tell where it was found"),
        "loader_version": version or unknown("the file's name holds no version"),
        "loader_has_init_drivers": hasattr(library, "zeInitDrivers"),
        "loader_has_root_device": hasattr(library, "zeDeviceGetRootDevice"),
    }


def _loader_file(library: Any) -> tuple[Any, Any]:
    """Return the path and version of the loader's file."""
    if sys.platform == "win32":
        from .loaded_files import dll_path, dll_version

        path = attempt(dll_path, library)
        return path, attempt(dll_version, path)
    path = mapped("libze_loader.so")
    return path, version_in(path, "libze_loader.so")


def initialise(request: Request) -> Facts:
    """Call zeInit for GPUs; only a success lets the later stages call Level Zero again."""
    library = _Loaded.library
    if library is None:
        return {}
    request.transcript.mark("ze_init", "zeInit")
    code = library.zeInit(INIT_GPU)
    facts: Facts = {"init_code": unsigned(code), "init_result": result_name(code)}
    if unsigned(code) == 0:
        _Loaded.initialised = True
        version = attempt(_loader_version, library, request.transcript)
        if isinstance(version, str) and version:
            facts["loader_version"] = version
    if sys.platform != "win32":
        facts["driver_library"] = mapped("libze_intel_gpu")
        facts["compiler_library"] = mapped("libigc.so") or mapped("libigc_")
        facts["memory_library"] = mapped("libigdgmm")
    return facts


def _loader_version(library: Any, transcript: Transcript) -> str:
    """Return the version that the loader tells of itself, or empty; asked after a successful zeInit alone."""
    import ctypes

    class Component(ctypes.Structure):
        _fields_ = [
            ("name", ctypes.c_char * 64),
            ("spec", ctypes.c_uint32),
            ("major", ctypes.c_int),
            ("minor", ctypes.c_int),
            ("patch", ctypes.c_int),
        ]

    if not hasattr(library, "zelLoaderGetVersions"):
        return ""
    transcript.mark("ze_init", "zelLoaderGetVersions")
    count = ctypes.c_size_t(0)
    if library.zelLoaderGetVersions(ctypes.byref(count), None) or not 0 < count.value < 32:
        return ""
    components = (Component * count.value)()
    library.zelLoaderGetVersions(ctypes.byref(count), components)
    for component in components:
        if component.name == b"loader":
            return f"{component.major}.{component.minor}.{component.patch}"
    return ""


def list_drivers(request: Request) -> Facts:
    """Return the drivers behind the loader with their versions; the keys are fields of facts.ZeDriver."""
    if not _Loaded.initialised:
        return {}
    request.transcript.mark("ze_driver", "zeDriverGet")
    handles = _handles(_Loaded.library.zeDriverGet)
    if isinstance(handles, dict):
        return {"drivers": handles}
    _Loaded.drivers = handles
    return {"drivers": [_driver(index, handle, request.transcript) for index, handle in enumerate(handles)]}


def _handles(function: Any, *parent: Any) -> list[Any] | Facts:
    """Return the handles that a zeXGet function lists, or an unknown with the failed call."""
    import ctypes

    count = ctypes.c_uint32(0)
    code = function(*parent, ctypes.byref(count), None)
    if code:
        return unknown(f"{function.__name__} returned {result_name(code)}")
    handles = (ctypes.c_void_p * count.value)()
    code = function(*parent, ctypes.byref(count), handles) if count.value else 0
    if code:
        return unknown(f"{function.__name__} returned {result_name(code)}")
    return [ctypes.c_void_p(handle) for handle in handles[: count.value]]


def _driver(index: int, handle: Any, transcript: Transcript) -> Facts:
    """Return what one driver says of itself."""
    import ctypes

    class Properties(ctypes.Structure):
        _fields_ = [
            ("stype", ctypes.c_int),
            ("pNext", ctypes.c_void_p),
            ("uuid", ctypes.c_uint8 * 16),
            ("version", ctypes.c_uint32),
        ]

    library = _Loaded.library
    driver: Facts = {"index": index}
    version = ctypes.c_uint32(0)
    transcript.mark("ze_driver", f"zeDriverGetApiVersion({index})")
    if library.zeDriverGetApiVersion(handle, ctypes.byref(version)) == 0:
        driver["api_version"] = f"{version.value >> 16}.{version.value & 0xFFFF}"
    properties = Properties(stype=DRIVER_PROPERTIES)
    transcript.mark("ze_driver", f"zeDriverGetProperties({index})")
    code = library.zeDriverGetProperties(handle, ctypes.byref(properties))
    number = properties.version
    if code:
        driver["build"] = driver["version"] = unknown(f"zeDriverGetProperties returned {result_name(code)}")
    else:
        driver["build"] = number & 0xFFFF
        driver["version"] = f"{number >> 24}.{number >> 16 & 0xFF}.{number & 0xFFFF}"
    text = attempt(_version_text, library, handle, index, transcript)
    if isinstance(text, str) and text:
        driver["version"] = text
    return driver


def _version_text(library: Any, handle: Any, index: int, transcript: Transcript) -> str:
    """Return the version text of Intel's driver (an extension), e.g. `1.15.39122+14`, or empty."""
    import ctypes

    transcript.mark("ze_driver", f"zeIntelGetDriverVersionString({index})")
    address = ctypes.c_void_p()
    if (
        library.zeDriverGetExtensionFunctionAddress(handle, b"zeIntelGetDriverVersionString", ctypes.byref(address))
        or not address.value
    ):
        return ""
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.POINTER(ctypes.c_size_t))(
        address.value
    )
    buffer, size = ctypes.create_string_buffer(256), ctypes.c_size_t(256)
    failed = function(handle, ctypes.cast(buffer, ctypes.c_char_p), ctypes.byref(size))
    return "" if failed else buffer.value.decode("ascii", "replace")


def list_devices(request: Request) -> Facts:
    """Return the GPUs of each driver; the keys are fields of facts.ZeDevice."""
    if not _Loaded.initialised:
        return {}
    library, drivers, kinds = _Loaded.library, _Loaded.drivers, structures()
    devices: list[Facts] = []
    for number, driver in enumerate(drivers):
        request.transcript.mark("ze_devices", f"zeDeviceGet(driver {number})")
        handles = _handles(library.zeDeviceGet, driver)
        if isinstance(handles, dict):
            if "ZE_RESULT_ERROR_UNINITIALIZED" in handles["reason"] or number + 1 < len(drivers):
                continue
            return {"devices": handles}
        for index, handle in enumerate(handles[:MAX_DEVICES]):
            found = device_facts(library, handle, (number, index), kinds, request.transcript)
            if found is not None:
                devices.append(found)
    return {"devices": devices}
