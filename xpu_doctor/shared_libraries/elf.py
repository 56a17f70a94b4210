"""What ld.so reads of a 64-bit ELF shared object: needed names, search paths and symbol versions."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from xpu_doctor.shared_libraries.files import BadLibrary, Files, Reader

MACHINES = {
    3: "i386",
    20: "ppc",
    21: "ppc64",
    22: "s390x",
    40: "arm",
    62: "x86_64",
    183: "aarch64",
    243: "riscv",
    258: "loongarch",
}
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
DT_NEEDED, DT_STRTAB, DT_SONAME, DT_RPATH, DT_RUNPATH = 1, 5, 14, 15, 29
DT_VERSYM, DT_FLAGS_1, DT_VERDEF, DT_VERDEFNUM, DT_VERNEED, DT_VERNEEDNUM = (
    0x6FFFFFF0,
    0x6FFFFFFB,
    0x6FFFFFFC,
    0x6FFFFFFD,
    0x6FFFFFFE,
    0x6FFFFFFF,
)
DT_FLAGS, DT_BIND_NOW = 30, 24
DF_1_NODEFLIB, DF_1_NOW, DF_BIND_NOW = 0x800, 1, 8
VER_FLG_WEAK = 2
MAX_SEGMENTS, MAX_TAGS, MAX_NEEDED, MAX_VERSIONS = 4096, 8192, 1024, 4096


@dataclass(frozen=True)
class NeededVersion:
    """A symbol version that an object wants from another one."""

    file: str
    version: str
    weak: bool = False


@dataclass(frozen=True)
class Elf:
    """What the dynamic loader goes by; `missing_bytes` is how much a cut file lacks of its loaded segments."""

    machine: str
    soname: str = ""
    needed: tuple[str, ...] = ()
    rpath: tuple[str, ...] = ()
    runpath: tuple[str, ...] | None = None
    no_default: bool = False
    wants: tuple[NeededVersion, ...] = ()
    defines: frozenset[str] | None = None
    """Symbol versions that it offers; None where it has no versions at all."""
    interpreter: str = ""
    missing_bytes: int = 0
    versioned: bool = True
    """Whether its symbols carry version numbers at all, be it only those that it wants of others."""
    binds_now: bool = False
    """Whether all its symbols are looked up when it is loaded, whoever loads it."""


def read_elf(files: Files, path: str) -> Elf:
    """Read the dynamic section of an ELF file.

    Raises:
        BadLibrary: ld.so would refuse the file, or it is damaged.
        OSError: the file cannot be opened.
    """
    with files.open(path) as reader:
        try:
            return ElfReading(reader).result()
        except (struct.error, OverflowError, MemoryError) as error:
            raise BadLibrary("corrupt", f"unreadable headers ({error})") from error


class ElfReading:
    """One reading of one file."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        header = self._header()
        kind, machine = struct.unpack_from("<HH", header, 16)
        self.machine = MACHINES.get(machine, f"machine {machine}")
        if kind not in (2, 3):
            raise BadLibrary("not-a-library", "only ET_DYN and ET_EXEC can be loaded")
        offset, (size, count) = struct.unpack_from("<Q", header, 32)[0], struct.unpack_from("<HH", header, 54)
        if size != 56 or count > MAX_SEGMENTS:
            raise BadLibrary("corrupt", "ELF file's phentsize not the expected size")
        table = reader.at(offset, size * count)
        self.segments = [struct.unpack_from("<IIQQQQQQ", table, place) for place in range(0, size * count, size)]
        self.loads = [(va, file_size, at) for kind, _, at, va, _, file_size, _, _ in self.segments if kind == PT_LOAD]

    def _header(self) -> bytes:
        if self.reader.size < 64:
            raise BadLibrary("short", "file too short")
        header = self.reader.at(0, 64)
        if header[:4] != b"\x7fELF":
            raise BadLibrary("not-a-library", "invalid ELF header")
        if header[4] != 2:
            machine = MACHINES.get(struct.unpack_from("<H" if header[5] == 1 else ">H", header, 18)[0], "32-bit")
            raise BadLibrary("foreign", "wrong ELF class: ELFCLASS32", machine)
        if header[5] != 1:
            raise BadLibrary("not-a-library", "ELF file data encoding not little-endian")
        if header[6] != 1:
            raise BadLibrary("not-a-library", "ELF file version ident does not match current one")
        return header

    def result(self) -> Elf:
        """Return everything at once; a file that lacks bytes of its segments keeps what could be read."""
        if not self.loads:
            raise BadLibrary("corrupt", "object file has no loadable segments")
        missing = max(0, max(at + size for _, size, at in self.loads) - self.reader.size)
        try:
            return self._dynamic(missing)
        except BadLibrary as error:
            if missing:
                raise BadLibrary("truncated", f"the file lacks its last {missing} bytes") from error
            raise

    def _dynamic(self, missing: int) -> Elf:
        tags = self.tags()
        single = dict(tags)
        if not tags:
            return Elf(self.machine, interpreter=self._interpreter(), missing_bytes=missing)
        self.strings = self.place(single.get(DT_STRTAB, -1))
        names = [value for tag, value in tags if tag == DT_NEEDED][:MAX_NEEDED]
        return Elf(
            machine=self.machine,
            soname=self._string(single[DT_SONAME]) if DT_SONAME in single else "",
            needed=tuple(self._string(value) for value in names),
            rpath=tuple(self._string(single[DT_RPATH]).split(":")) if DT_RPATH in single else (),
            runpath=tuple(self._string(single[DT_RUNPATH]).split(":")) if DT_RUNPATH in single else None,
            no_default=bool(single.get(DT_FLAGS_1, 0) & DF_1_NODEFLIB),
            wants=self._wants(single) if DT_VERNEED in single else (),
            defines=self._defines(single) if DT_VERDEF in single else None,
            interpreter=self._interpreter(),
            missing_bytes=missing,
            versioned=DT_VERSYM in single,
            binds_now=DT_BIND_NOW in single
            or bool(single.get(DT_FLAGS_1, 0) & DF_1_NOW or single.get(DT_FLAGS, 0) & DF_BIND_NOW),
        )

    def tags(self) -> list[tuple[int, int]]:
        """Return the entries of the dynamic section."""
        place = next(((at, size) for kind, _, at, _, _, size, _, _ in self.segments if kind == PT_DYNAMIC), None)
        if place is None:
            return []
        data = self.reader.at(place[0], min(place[1], 16 * MAX_TAGS) // 16 * 16)
        tags: list[tuple[int, int]] = []
        for tag, value in struct.iter_unpack("<qQ", data):
            if tag == 0:
                break
            tags.append((tag, value))
        return tags

    def place(self, address: int) -> int:
        """Return where in the file an address of the loaded object lies."""
        for start, size, at in self.loads:
            if start <= address < start + size:
                return int(at + address - start)
        raise BadLibrary("corrupt", f"address {address:#x} of the dynamic section lies in no segment")

    def _string(self, offset: int) -> str:
        return self.reader.text(self.strings + offset)

    def _interpreter(self) -> str:
        place = next((at for kind, _, at, *_ in self.segments if kind == PT_INTERP), None)
        return self.reader.text(place) if place is not None else ""

    def _wants(self, tags: dict[int, int]) -> tuple[NeededVersion, ...]:
        place, found = self.place(tags[DT_VERNEED]), []
        for _ in range(min(tags.get(DT_VERNEEDNUM, 0), MAX_NEEDED)):
            _, count, file, first, step = struct.unpack("<HHIII", self.reader.at(place, 16))
            name, entry = self._string(file), place + first
            for _ in range(count):
                _, flags, _, version, following = struct.unpack("<IHHII", self.reader.at(entry, 16))
                found.append(NeededVersion(name, self._string(version), bool(flags & VER_FLG_WEAK)))
                entry += following
                if not following or len(found) > MAX_VERSIONS:
                    break
            place += step
            if not step or len(found) > MAX_VERSIONS:
                break
        return tuple(found)

    def _defines(self, tags: dict[int, int]) -> frozenset[str]:
        place, found = self.place(tags[DT_VERDEF]), set()
        for _ in range(min(tags.get(DT_VERDEFNUM, 0), MAX_VERSIONS)):
            _, _, _, count, _, first, step = struct.unpack("<HHHHIII", self.reader.at(place, 20))
            if count:
                found.add(self._string(struct.unpack("<II", self.reader.at(place + first, 8))[0]))
            place += step
            if not step:
                break
        return frozenset(found)
