"""The cache that ldconfig writes: which file answers to a library name."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from xpu_doctor.shared_libraries.files import BadLibrary, Files

MAGIC = b"glibc-ld.so.cache1.1"
EXTENSION = 0xEAA42174
HWCAP_EXTENSION = 1 << 62
MAX_BYTES, MAX_ENTRIES = 16 << 20, 200_000
FLAGS = {"x86_64": 0x0303, "aarch64": 0x0A03}
"""ELF and glibc 2, and the architecture, as ldconfig marks each entry."""


class LdCache:
    """Names to paths, each with the processor level that it needs."""

    def __init__(self, entries: dict[str, list[tuple[str, str]]] | None = None) -> None:
        self.entries = entries or {}

    def find(self, name: str, levels: Sequence[str] = ()) -> str | None:
        """Return the path for a name: the best processor level that this machine has, else the plain one."""
        offers = self.entries.get(name, [])
        for level in (*levels, ""):
            for needs, path in offers:
                if needs == level:
                    return path
        return None


def read_cache(files: Files, path: str = "/etc/ld.so.cache", machine: str = "x86_64") -> LdCache:
    """Read ld.so.cache; one that is absent or damaged is empty, as it is for ld.so."""
    try:
        with files.open(path) as reader:
            data = reader.at(0, min(reader.size, MAX_BYTES))
        return LdCache(_parse(data, machine))
    except (OSError, BadLibrary, struct.error, IndexError):
        return LdCache()


def _parse(data: bytes, machine: str) -> dict[str, list[tuple[str, str]]]:
    start = data.find(MAGIC)
    if start < 0:
        return {}
    data = data[start:]
    count, _, _, extension = struct.unpack_from("<IIB3xI", data, 20)
    levels = _levels(data, extension) if extension else []
    found: dict[str, list[tuple[str, str]]] = {}
    for index in range(min(count, MAX_ENTRIES)):
        flags, key, value, _, hwcap = struct.unpack_from("<iIIIQ", data, 48 + 24 * index)
        if flags != FLAGS.get(machine):
            continue
        found.setdefault(_text(data, key), []).append((_level(hwcap, levels), _text(data, value)))
    return found


def _level(hwcap: int, levels: list[str]) -> str:
    """Return the processor level of an entry; `?` for one of the older kinds, which nothing asks for."""
    index = hwcap & 0xFFFFFFFF
    if hwcap & HWCAP_EXTENSION:
        return levels[index] if index < len(levels) else "?"
    return "?" if hwcap else ""


def _levels(data: bytes, offset: int) -> list[str]:
    magic, count = struct.unpack_from("<II", data, offset)
    if magic != EXTENSION:
        return []
    for index in range(min(count, 16)):
        tag, _, place, size = struct.unpack_from("<IIII", data, offset + 8 + 16 * index)
        if tag == 1:
            return [_text(data, at) for (at,) in struct.iter_unpack("<I", data[place : place + size // 4 * 4])]
    return []


def _text(data: bytes, offset: int) -> str:
    return data[offset : data.index(b"\0", offset)].decode("utf-8", "surrogateescape") if offset < len(data) else ""
