"""What LoadLibrary reads of a PE file: machine, imports, delayed imports, exports; headers only, never the whole file."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from xpu_doctor.shared_libraries.files import BadLibrary, Files, Reader

MACHINES = {0x8664: "amd64", 0x14C: "x86", 0xAA64: "arm64", 0x1C4: "arm", 0xA641: "arm64ec"}
EXPORT, IMPORT, RESOURCE, DELAY_IMPORT = 0, 1, 2, 13
MAX_SECTIONS, MAX_IMPORTS, MAX_SYMBOLS, MAX_NAMES = 96, 1024, 200_000, 500_000
BLOCK = 1 << 16
MAX_RESOURCES = 1 << 20
MANIFEST, OF_A_DLL = 24, 2
"""Type and number of the resource in which a DLL says how names of other DLLs are to be taken."""
MAX_ENTRIES, MAX_MANIFEST = 4096, 1 << 16
FILE_OF_MANIFEST = re.compile(
    rb"""<file\s[^<>]{0,200}?\bname\s{0,8}=\s{0,8}["'](?P<name>[^"'<>]{1,200})["']""", re.IGNORECASE
)
VERSION_MARK = struct.pack("<II", 0xFEEF04BD, 0x00010000)
"""How the fixed part of a version resource begins."""
T = TypeVar("T")


@dataclass(frozen=True)
class Pe:
    """What the loader goes by; `missing_bytes` is how much a cut file lacks of its sections."""

    machine: str
    imports: tuple[str, ...] = ()
    """Names of the DLLs that it needs at once, as it spells them."""
    delayed: tuple[str, ...] = ()
    """Names of the DLLs that it loads when it first calls them."""
    missing_bytes: int = 0
    linker: tuple[int, int] = (0, 0)
    """Version of the linker that built it: 14.x is Visual C++."""
    beside: frozenset[str] = frozenset()
    """Lower-case names that its manifest binds to its own folder: it takes them from nowhere else."""


def read_pe(files: Files, path: str) -> Pe:
    """Read the headers and import tables of a PE file.

    Raises:
        BadLibrary: the loader would refuse the file, or it is damaged.
        OSError: the file cannot be opened.
    """
    with files.open(path) as reader:
        return _guarded(lambda: _Pe(reader).result())


def read_imported(files: Files, path: str) -> dict[str, tuple[str, ...]]:
    """Return the symbols that a DLL wants of each DLL that it imports; those wanted by number are written `#7`."""
    with files.open(path) as reader:
        return _guarded(lambda: _Pe(reader).wanted())


def read_exported(files: Files, path: str) -> frozenset[str]:
    """Return the symbols that a DLL exports, by name and as `#7` by number."""
    with files.open(path) as reader:
        return _guarded(lambda: _Pe(reader).exported())


def file_version(files: Files, path: str) -> str:
    """Return the file version of a PE file's resources, e.g. `14.44.35211.0`, or empty where it has none."""
    with files.open(path) as reader:
        return _guarded(lambda: _Pe(reader).version())


def _guarded(read: Callable[[], T]) -> T:
    try:
        return read()
    except (struct.error, OverflowError, MemoryError) as error:
        raise BadLibrary("corrupt", f"unreadable headers ({error})") from error


class _Pe:
    """One reading of one file."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        if reader.size < 64:
            raise BadLibrary("short", "the file is too short for a program")
        if reader.at(0, 2) != b"MZ":
            raise BadLibrary("not-a-library", "the file is not a Windows program (no MZ)")
        start = struct.unpack("<I", reader.at(0x3C, 4))[0]
        if reader.at(start, 4) != b"PE\0\0":
            raise BadLibrary("not-a-library", "the file is not a Windows program (no PE header)")
        machine, sections, _, _, _, size, _ = struct.unpack("<HHIIIHH", reader.at(start + 4, 20))
        self.machine = MACHINES.get(machine, f"machine {machine:#x}")
        optional = reader.at(start + 24, size)
        self.wide = struct.unpack_from("<H", optional)[0] == 0x20B
        self.linker = (optional[2], optional[3])
        self.width = 8 if self.wide else 4
        first = 112 if self.wide else 96
        count = min(struct.unpack_from("<I", optional, first - 4)[0], (size - first) // 8, 16)
        self.folders = [struct.unpack_from("<II", optional, first + 8 * index) for index in range(count)]
        table = reader.at(start + 24 + size, 40 * min(sections, MAX_SECTIONS))
        self.sections = [
            struct.unpack_from("<8sIIIIIIHHI", table, 40 * index) for index in range(min(sections, MAX_SECTIONS))
        ]

    def result(self) -> Pe:
        missing = max(
            0, max((at + size for _, _, _, size, at, *_ in self.sections if at), default=0) - self.reader.size
        )
        if missing:
            return Pe(self.machine, missing_bytes=missing, linker=self.linker)
        imports = dict.fromkeys(name for name, _ in self._imports())
        delayed = tuple(dict.fromkeys(self._delayed()))
        return Pe(self.machine, tuple(imports), delayed, linker=self.linker, beside=self._bound())

    def wanted(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for name, thunks in self._imports():
            found[name] = (*found.get(name, ()), *self._thunks(thunks))
        return found

    def exported(self) -> frozenset[str]:
        address, _ = self._folder(EXPORT)
        if not address:
            return frozenset()
        header = struct.unpack("<IIHHIIIIIII", self.reader.at(self._offset(address), 40))
        base, functions, names, addresses, pointers = header[5], header[6], header[7], header[8], header[9]
        if functions > MAX_NAMES or names > MAX_NAMES:
            raise BadLibrary("corrupt", "the export table is larger than any real one")
        found = set()
        if functions:
            table = self.reader.at(self._offset(addresses), 4 * functions)
            found = {f"#{base + index}" for index, (place,) in enumerate(struct.iter_unpack("<I", table)) if place}
        if names:
            for (place,) in struct.iter_unpack("<I", self.reader.at(self._offset(pointers), 4 * names)):
                found.add(self._text(place))
        return frozenset(found)

    def version(self) -> str:
        for name, _, _, size, at, *_ in self.sections:
            if name.rstrip(b"\0") == b".rsrc":
                data = self.reader.at(at, min(size, MAX_RESOURCES, max(0, self.reader.size - at)))
                place = data.find(VERSION_MARK)
                if place >= 0:
                    high, low = struct.unpack_from("<II", data, place + 8)
                    return f"{high >> 16}.{high & 0xFFFF}.{low >> 16}.{low & 0xFFFF}"
        return ""

    def _bound(self) -> frozenset[str]:
        """Return the files that the manifest names; a resource that cannot be read binds nothing."""
        try:
            found = FILE_OF_MANIFEST.finditer(self._manifest())
            return frozenset(match["name"].decode("utf-8", "replace").lower() for match in found)
        except (BadLibrary, struct.error):
            return frozenset()

    def _manifest(self) -> bytes:
        """Return the manifest of a DLL, or nothing: resources are a tree of types, numbers and languages."""
        address, _ = self._folder(RESOURCE)
        if not address:
            return b""
        root = place = self._offset(address)
        for wanted in (MANIFEST, OF_A_DLL, None):
            below = self._entry(root, place, wanted)
            if below is None:
                return b""
            place = below
        start, size = struct.unpack("<II", self.reader.at(place, 8))
        return self.reader.at(self._offset(start), min(size, MAX_MANIFEST))

    def _entry(self, root: int, folder: int, wanted: int | None) -> int | None:
        """Return where the entry of a number, or the first one, of a folder of resources leads."""
        named, numbered = struct.unpack("<HH", self.reader.at(folder + 12, 4))
        count = min(named + numbered, MAX_ENTRIES)
        for number, place in struct.iter_unpack("<II", self.reader.at(folder + 16, 8 * count)):
            if wanted is None or number == wanted:
                return root + int(place & 0x7FFFFFFF)
        return None

    def _folder(self, index: int) -> tuple[int, int]:
        return self.folders[index] if index < len(self.folders) else (0, 0)

    def _offset(self, address: int) -> int:
        for _, virtual, start, raw, at, *_ in self.sections:
            if start <= address < start + max(virtual, raw):
                return int(at + address - start)
        raise BadLibrary("corrupt", f"address {address:#x} lies in no section")

    def _text(self, address: int) -> str:
        return self.reader.text(self._offset(address), BLOCK)

    def _imports(self) -> Iterator[tuple[str, int]]:
        address, _ = self._folder(IMPORT)
        place = self._offset(address) if address else 0
        for index in range(MAX_IMPORTS if address else 0):
            lookup, _, _, name, bound = struct.unpack("<5I", self.reader.at(place + 20 * index, 20))
            if not name:
                return
            yield self._text(name), lookup or bound

    def _delayed(self) -> Iterator[str]:
        address, _ = self._folder(DELAY_IMPORT)
        place = self._offset(address) if address else 0
        for index in range(MAX_IMPORTS if address else 0):
            name = struct.unpack("<8I", self.reader.at(place + 32 * index, 32))[1]
            if not name:
                return
            yield self._text(name)

    def _thunks(self, address: int) -> Iterator[str]:
        place, mark = self._offset(address), 1 << (8 * self.width - 1)
        for index in range(MAX_SYMBOLS):
            value = int.from_bytes(self.reader.at(place + self.width * index, self.width), "little")
            if not value:
                return
            yield f"#{value & 0xFFFF}" if value & mark else self._text((value & 0x7FFFFFFF) + 2)
