"""Which symbols a shared object wants, and whether another one defines them (by its hash table, as ld.so looks)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from xpu_doctor.closure.elf import DT_STRTAB, ElfReading
from xpu_doctor.closure.files import BadLibrary, Files, Reader

DT_SYMTAB, DT_GNU_HASH = 6, 0x6FFFFEF5
STB_GLOBAL, SHN_UNDEF = 1, 0
MAX_WANTED = 20_000
MAX_TABLE = 64 << 20
MAX_CHAIN = 10_000


def wanted_symbols(files: Files, path: str) -> tuple[str, ...]:
    """Return the strong undefined symbols of a shared object that has a GNU hash table; none where it has no such table."""
    with files.open(path) as reader:
        table = _Table(reader)
        return tuple(table.wanted()) if table.hash else ()


def gnu_hash(name: bytes) -> int:
    """Return the hash of a symbol's name as the GNU hash table has it."""
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


class SymbolTable:
    """The symbols that one shared object defines, looked up one by one."""

    def __init__(self, files: Files, path: str) -> None:
        self._reader = files.open(path)
        self._table = _Table(self._reader)
        self._table.load_hash()

    def close(self) -> None:
        """Close the file."""
        self._reader.__exit__(None, None, None)

    def defines(self, name: bytes, value: int) -> bool:
        """Return whether a symbol of this name and hash is defined."""
        return self._table.defines(name, value)


class _Table:
    """Places of the dynamic symbol table in an open file."""

    def __init__(self, reader: Reader) -> None:
        reading = ElfReading(reader)
        tags = dict(reading.tags())
        self.reader = reader
        self.symbols = reading.place(tags.get(DT_SYMTAB, -1))
        self.strings = reading.place(tags.get(DT_STRTAB, -1))
        self.hash = reading.place(tags[DT_GNU_HASH]) if DT_GNU_HASH in tags else 0
        self.counts = struct.unpack("<IIII", reader.at(self.hash, 16)) if self.hash else (0, 0, 0, 0)

    def wanted(self) -> Iterator[str]:
        first_defined = min(self.counts[1], MAX_TABLE // 24)
        data, found = self.reader.at(self.symbols, 24 * first_defined), 0
        for name, info, _, section, _, _ in struct.iter_unpack("<IBBHQQ", data):
            if section == SHN_UNDEF and info >> 4 == STB_GLOBAL and name:
                found += 1
                if found > MAX_WANTED:
                    return
                yield self.reader.text(self.strings + name, 1 << 16)

    def load_hash(self) -> None:
        buckets, _, bloom, _ = self.counts
        if not self.hash or not buckets or not bloom or 8 * bloom + 4 * buckets > MAX_TABLE:
            self.buckets: tuple[int, ...] = ()
            return
        data = self.reader.at(self.hash + 16, 8 * bloom + 4 * buckets)
        self.bloom = struct.unpack_from(f"<{bloom}Q", data)
        self.buckets = struct.unpack_from(f"<{buckets}I", data, 8 * bloom)
        self.chains = self.hash + 16 + len(data)

    def defines(self, name: bytes, value: int) -> bool:
        _, first, bloom, shift = self.counts
        if not self.buckets:
            return False
        word = self.bloom[value // 64 % bloom]
        if not (word >> (value % 64)) & (word >> ((value >> shift) % 64)) & 1:
            return False
        index = self.buckets[value % len(self.buckets)]
        if index < first:
            return False
        for step in range(MAX_CHAIN):
            (entry,) = struct.unpack("<I", self.reader.at(self.chains + 4 * (index - first + step), 4))
            if entry | 1 == value | 1 and self._is(index + step, name):
                return True
            if entry & 1:
                return False
        return False

    def _is(self, index: int, name: bytes) -> bool:
        text, _, _, section, _, _ = struct.unpack("<IBBHQQ", self.reader.at(self.symbols + 24 * index, 24))
        if section == SHN_UNDEF:
            return False
        return self.reader.at(self.strings + text, min(len(name) + 1, self.reader.size - self.strings - text)) == name + b"\0"


def undefined(files: Files, path: str, providers: tuple[str, ...]) -> str:
    """Return the first symbol that an object wants and none of the providers defines, or nothing."""
    tables: list[SymbolTable] = []
    try:
        for provider in providers:
            try:
                tables.append(SymbolTable(files, provider))
            except (BadLibrary, OSError, struct.error):
                return ""  # an unreadable provider proves nothing
            if not tables[-1]._table.buckets and not provider.endswith("/ld-linux-x86-64.so.2"):
                return ""
        for name in wanted_symbols(files, path):
            encoded = name.encode("utf-8", "replace")
            value = gnu_hash(encoded)
            if not any(table.defines(encoded, value) for table in tables):
                return name
    except (BadLibrary, OSError, struct.error):
        return ""
    finally:
        for table in tables:
            table.close()
    return ""
