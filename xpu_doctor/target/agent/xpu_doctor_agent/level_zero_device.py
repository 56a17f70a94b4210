"""One device of Level Zero: its properties, call by call."""

from __future__ import annotations

from .facts import unknown
from .level_zero_results import result_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .facts import Facts
    from .transcript import Transcript

    Structures = tuple[Any, Any, Any, Any]

GPU = 1
"""ZE_DEVICE_TYPE_GPU"""
INTEGRATED = 1
"""ZE_DEVICE_PROPERTY_FLAG_INTEGRATED"""
FP64 = 2
"""ZE_DEVICE_MODULE_FLAG_FP64"""
# The type by which each structure names itself (ZE_STRUCTURE_TYPE_...).
DEVICE_PROPERTIES = 3
MODULE_PROPERTIES = 5
MEMORY_PROPERTIES = 9
PCI_PROPERTIES = 0x10008


def structures() -> Structures:
    """Return the structures that describe a device: its properties, memory, module and PCI address."""
    import ctypes

    u8, u32, u64 = ctypes.c_uint8, ctypes.c_uint32, ctypes.c_uint64
    head: list[Any] = [("stype", ctypes.c_int), ("pNext", ctypes.c_void_p)]

    class Device(ctypes.Structure):
        _fields_ = [
            *head,
            ("type", ctypes.c_int),
            *((name, u32) for name in ("vendor", "device", "flags", "subdevice", "clock")),
            ("max_alloc", u64),
            *((name, u32) for name in ("contexts", "priority", "threads", "simd", "eus", "subslices", "slices")),
            ("resolution", u64),
            ("valid", u32),
            ("kernel_valid", u32),
            ("uuid", u8 * 16),
            ("name", ctypes.c_char * 256),
        ]

    class Memory(ctypes.Structure):
        _fields_ = [
            *head,
            *((name, u32) for name in ("flags", "clock", "width")),
            ("size", u64),
            ("name", ctypes.c_char * 256),
        ]

    class Module(ctypes.Structure):
        _fields_ = [
            *head,
            *((name, u32) for name in ("spirv", "flags", "fp16", "fp32", "fp64", "arguments", "printf")),
            ("uuid", u8 * 16),
        ]

    class Pci(ctypes.Structure):
        _fields_ = [
            *head,
            *((name, u32) for name in ("domain", "bus", "slot", "function")),
            ("generation", ctypes.c_int32),
            ("lanes", ctypes.c_int32),
            ("bandwidth", ctypes.c_int64),
        ]

    return Device, Memory, Module, Pci


def device_facts(
    library: Any, handle: Any, place: tuple[int, int], kinds: Structures, transcript: Transcript
) -> Facts | None:
    """Return the fields of facts.ZeDevice for the device at a place (driver, index), None where it is no GPU."""
    import ctypes

    device_kind, memory_kind, module_kind, pci_kind = kinds
    number, index = place

    def mark(call: str) -> None:
        transcript.mark("ze_devices", f"{call}(driver {number}, device {index})")

    properties = device_kind(stype=DEVICE_PROPERTIES)
    mark("zeDeviceGetProperties")
    code = library.zeDeviceGetProperties(handle, ctypes.byref(properties))
    if code:
        return {"driver": number, "index": index, "error": f"zeDeviceGetProperties returned {result_name(code)}"}
    if properties.type != GPU:
        return None
    device: Facts = {
        "driver": number,
        "index": index,
        "name": properties.name.decode("utf-8", "replace"),
        "vendor_id": properties.vendor,
        "device_id": properties.device,
        "integrated": bool(properties.flags & INTEGRATED),
        "max_allocation": properties.max_alloc,
    }
    mark("zeDeviceGetModuleProperties")
    module = module_kind(stype=MODULE_PROPERTIES)
    code = library.zeDeviceGetModuleProperties(handle, ctypes.byref(module))
    device["fp64"] = bool(module.flags & FP64) if code == 0 else unknown(result_name(code))
    mark("zeDeviceGetMemoryProperties")
    device["memory_bytes"] = _memory(library, handle, memory_kind)
    mark("zeDevicePciGetPropertiesExt")
    device["address"] = _address(library, handle, pci_kind)
    return device


def _memory(library: Any, handle: Any, memory_kind: Any) -> int | Facts:
    """Return the total size of a device's memories in bytes."""
    import ctypes

    count = ctypes.c_uint32(0)
    code = library.zeDeviceGetMemoryProperties(handle, ctypes.byref(count), None)
    rows = (memory_kind * min(count.value, 16))()
    for row in rows:
        row.stype = MEMORY_PROPERTIES
    code = code or library.zeDeviceGetMemoryProperties(handle, ctypes.byref(count), rows)
    return sum(row.size for row in rows) if code == 0 else unknown(result_name(code))


def _address(library: Any, handle: Any, pci_kind: Any) -> str | Facts:
    """Return the PCI address as the kernel writes it."""
    import ctypes

    if not hasattr(library, "zeDevicePciGetPropertiesExt"):
        return unknown("this loader does not tell")
    pci = pci_kind(stype=PCI_PROPERTIES)
    code = library.zeDevicePciGetPropertiesExt(handle, ctypes.byref(pci))
    if code:
        return unknown(result_name(code))
    return f"{pci.domain:04x}:{pci.bus:02x}:{pci.slot:02x}.{pci.function:x}"
