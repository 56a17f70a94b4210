"""Which symbols a shared object wants, and whether another one defines them (by its hash table, as ld.so looks)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import ExitStack

from xpu_doctor.shared_libraries.elf import DT_STRTAB, ElfReading
from xpu_doctor.shared_libraries.files import BadLibrary, Files, Reader

DT_SYMTAB, DT_GNU_HASH = 6, 0x6FFFFEF5
STB_GLOBAL, SHN_UNDEF = 1, 0
MAX_WANTED = 20_000
MAX_TABLE = 64 << 20
MAX_CHAIN = 10_000


def wanted_symbols(files: Files, path: str) -> tuple[str, ...]:
    """Return the strong undefined symbols of a shared object that has a GNU hash table; none where it has no such table.

    Raises:
        BadLibrary: the tables cannot be read.
    """
    with files.open(path) as reader:
        try:
            table = SymbolTable(reader)
            return tuple(table.wanted()) if table.hash else ()
        except (struct.error, OverflowError) as error:
            raise BadLibrary("corrupt", f"unreadable symbol table ({error})") from error


def gnu_hash(name: bytes) -> int:
    """Return the hash of a symbol's name as the GNU hash table has it."""
    value = 5381
    for byte in name:
        value = (value * 33 + byte) & 0xFFFFFFFF
    return value


class SymbolTable:
    """The dynamic symbols of one shared object, in an open file."""

    def __init__(self, reader: Reader) -> None:
        reading = ElfReading(reader)
        tags = dict(reading.tags())
        self.reader = reader
        self.symbols = reading.place(tags.get(DT_SYMTAB, -1))
        self.strings = reading.place(tags.get(DT_STRTAB, -1))
        self.hash = reading.place(tags[DT_GNU_HASH]) if DT_GNU_HASH in tags else 0
        self.counts = struct.unpack("<IIII", reader.at(self.hash, 16)) if self.hash else (0, 0, 0, 0)
        self.buckets: tuple[int, ...] = ()

    def wanted(self) -> Iterator[str]:
        """Yield the names of the strong undefined symbols."""
        first_defined = min(self.counts[1], MAX_TABLE // 24)
        data, found = self.reader.at(self.symbols, 24 * first_defined), 0
        for name, info, _, section, _, _ in struct.iter_unpack("<IBBHQQ", data):
            if section == SHN_UNDEF and info >> 4 == STB_GLOBAL and name:
                found += 1
                if found > MAX_WANTED:
                    return
                yield self.reader.text(self.strings + name, 1 << 16)

    def load_hash(self) -> SymbolTable:
        """Read the hash table; without one nothing is known to be defined."""
        buckets, _, bloom, _ = self.counts
        if self.hash and buckets and bloom and 8 * bloom + 4 * buckets <= MAX_TABLE:
            data = self.reader.at(self.hash + 16, 8 * bloom + 4 * buckets)
            self.bloom = struct.unpack_from(f"<{bloom}Q", data)
            self.buckets = struct.unpack_from(f"<{buckets}I", data, 8 * bloom)
            self.chains = self.hash + 16 + len(data)
        return self

    def defines(self, name: bytes, value: int) -> bool:
        """Return whether a symbol of this name and hash is defined."""
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
        return (
            self.reader.at(self.strings + text, min(len(name) + 1, self.reader.size - self.strings - text))
            == name + b"\0"
        )


def undefined(files: Files, path: str, providers: tuple[str, ...], part: str = "") -> str:
    """Return the first symbol with `part` in its name that an object wants and no provider defines; empty where that cannot be told."""
    try:
        wanted = [name for name in wanted_symbols(files, path) if part in name]
        with ExitStack() as stack:
            tables = (
                [SymbolTable(stack.enter_context(files.open(provider))).load_hash() for provider in providers]
                if wanted
                else []
            )
            if not all(
                table.buckets or os.path.basename(provider).startswith("ld-")
                for table, provider in zip(tables, providers, strict=False)
            ):
                return ""
            for name in wanted:
                encoded = name.encode("utf-8", "replace")
                value = gnu_hash(encoded)
                if not any(table.defines(encoded, value) for table in tables):
                    return name
    except (BadLibrary, OSError, struct.error):
        return ""  # an unreadable provider proves nothing
    return ""
