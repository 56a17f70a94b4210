"""The walk as glibc's ld.so does it: which file each needed name leads to, and what would be refused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from xpu_doctor.shared_libraries.elf import Elf, read_elf
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.ldcache import LdCache
from xpu_doctor.shared_libraries.model import MAX_OBJECTS, Fault, Opening
from xpu_doctor.shared_libraries.symbols import undefined

ABORTS = "on which ld.so aborts the process"
"""What ld.so does where a wanted version belongs to a library whose symbols carry no numbers at all."""
Place = tuple[str, str, str]
"""A folder to look in, the rule that names it, and the file or variable that holds the rule."""


@dataclass(frozen=True)
class LinuxSystem:
    """What the loader knows before it opens anything."""

    machine: str = "x86_64"
    default_folders: tuple[str, ...] = ("/lib64", "/usr/lib64", "/lib", "/usr/lib")
    cache: LdCache = field(default_factory=LdCache)
    levels: tuple[str, ...] = ()
    """Processor levels of this machine, best first, as folders below `glibc-hwcaps` are named."""
    library_path: str = ""
    preload: str = ""
    folder: str = "/"
    """The working folder, which an empty element of a search path means."""
    lib: str = "lib64"
    """What `$LIB` stands for."""


@dataclass(eq=False)
class Loaded:
    """A library in the process: where it came from, and who caused it to be loaded."""

    name: str
    path: str
    elf: Elf
    identity: tuple[int, int] | None
    parent: Loaded | None
    how: str = "path"
    """`path`, `RPATH`, `LD_LIBRARY_PATH`, `RUNPATH`, `ld.so.cache`, `default folder`, `LD_PRELOAD`, `executable`."""
    via: str = ""
    names: set[str] = field(default_factory=set)

    def chain(self) -> tuple[str, ...]:
        """Return the paths from the first library that was opened to this one."""
        above: list[str] = []
        step: Loaded | None = self
        while step is not None and step.how != "executable" and len(above) < MAX_OBJECTS:
            above.append(step.path)
            step = step.parent
        return tuple(reversed(above))


class LinuxLoader:
    """A process that loads libraries one after the other, in thought."""

    def __init__(
        self, files: Files, system: LinuxSystem, symbols: Callable[[Loaded], str | None] = lambda item: None
    ) -> None:
        self.files, self.system, self._symbols = files, system, symbols
        self.loaded: list[Loaded] = []
        self.seen: dict[str, Loaded] = {}
        """Every library that was taken at some time, by path, whether it stayed or not."""
        self.main: Loaded | None = None
        self._parsed: dict[tuple[int, int], Elf | BadLibrary] = {}
        self.library_path = self._split(system.library_path, "LD_LIBRARY_PATH")

    def start(self, executable: str) -> Opening:
        """Load an executable, LD_PRELOAD and what both need."""
        opened = self._map(os.path.basename(executable), (executable, "executable", ""), None)
        if isinstance(opened, Fault):
            return Opening(executable, faults=(opened,))
        self.main = opened
        names = self.system.preload.replace(":", " ").split()
        # ld.so ignores what it cannot preload, with a line on stderr.
        preloaded = [
            item for item in (self._ask(name, opened, how="LD_PRELOAD") for name in names) if isinstance(item, Loaded)
        ]
        return self._complete(executable, [opened, *preloaded], 0)

    def open(self, name: str, caller: Loaded | None = None) -> Opening:
        """Do what dlopen would: load a library and all it needs; after a failure nothing of it stays."""
        before = len(self.loaded)
        opened = self._ask(name, caller or self.main)
        if isinstance(opened, Fault):
            return Opening(name, faults=(opened,))
        opening = self._complete(name, [opened], before)
        if not opening.succeeds:
            self._forget(before)
        return opening

    def find(self, name: str) -> Loaded | None:
        """Return a loaded library by the name that asks for it."""
        return next((item for item in self.loaded if name in item.names), None)

    def _complete(self, name: str, queue: list[Loaded], before: int) -> Opening:
        faults: list[Fault] = []
        listed = set(map(id, queue))
        for item in queue:  # breadth first; the list grows while it is read
            for needed in item.elf.needed:
                found = self._ask(self._expand(needed, item.path), item)
                if isinstance(found, Fault):
                    faults.append(found)
                elif id(found) not in listed and found in self.loaded[before:]:
                    listed.add(id(found))
                    queue.append(found)
        new = self.loaded[before:]
        faults += [fault for item in new for fault in self._versions(item)]
        if not faults:
            faults += [fault for item in new for fault in self._undefined(item, self._symbols(item))]
        return Opening(name, queue[0].path, tuple(item.path for item in new), tuple(faults))

    def _forget(self, before: int) -> None:
        gone = set(map(id, self.loaded[before:]))
        del self.loaded[before:]
        for item in self.loaded:
            if item.parent is not None and id(item.parent) in gone:
                item.parent = self.main

    def _ask(self, name: str, asker: Loaded | None, how: str = "") -> Loaded | Fault:
        """Return the library that a name leads to, loading it where it is not loaded yet."""
        known = self.find(name)
        if known is not None:
            return known
        if len(self.loaded) >= MAX_OBJECTS:
            return Fault("corrupt", name, asker.chain() if asker else (), detail=f"more than {MAX_OBJECTS} libraries")
        refused: Fault | None = None
        for place in self._places(name, asker):
            found = self._map(name, place, asker, how)
            if isinstance(found, Loaded):
                return found
            if found.kind not in ("missing", "foreign", "unreadable"):
                return found  # ld.so ends its search at a file that is no library
            if refused is None and found.kind != "missing":
                refused = found
        chain = asker.chain() if asker else ()
        return refused or Fault(
            "missing", name, chain, detail="cannot open shared object file: No such file or directory"
        )

    def _places(self, name: str, asker: Loaded | None) -> Iterator[Place]:
        if "/" in name:
            yield os.path.join(self.system.folder, name), "path", ""
            return
        for folder, how, via in self._folders(asker):
            for level in self.system.levels:
                yield f"{folder}/glibc-hwcaps/{level}/{name}", how, via
            yield f"{folder}/{name}", how, via
        no_default = asker is not None and asker.elf.no_default
        cached = self.system.cache.find(name, self.system.levels)
        if cached and not (no_default and os.path.dirname(cached) in self.system.default_folders):
            yield cached, "ld.so.cache", ""
        if not no_default:
            for folder in self.system.default_folders:
                for level in self.system.levels:
                    yield f"{folder}/glibc-hwcaps/{level}/{name}", "default folder", ""
                yield f"{folder}/{name}", "default folder", ""

    def _folders(self, asker: Loaded | None) -> Iterator[Place]:
        if asker is None or asker.elf.runpath is None:
            item, seen_main, steps = asker, False, 0
            while item is not None and steps < MAX_OBJECTS:
                seen_main |= item is self.main
                yield from self._rpath(item)
                item, steps = item.parent, steps + 1
            if not seen_main and self.main is not None:
                yield from self._rpath(self.main)
        yield from self.library_path
        if asker is not None and asker.elf.runpath is not None:
            yield from self._split(":".join(asker.elf.runpath), "RUNPATH", asker.path)

    def _rpath(self, item: Loaded) -> Iterator[Place]:
        # An object that has both uses its RUNPATH alone.
        if item.elf.runpath is None and item.elf.rpath:
            yield from self._split(":".join(item.elf.rpath), "RPATH", item.path)

    def _split(self, value: str, how: str, holder: str = "") -> list[Place]:
        if not value:
            return []
        parts = (value.replace(";", ":") if not holder else value).split(":")
        return [(self._folder(part, holder), how, holder or how) for part in parts if "$ORIGIN" not in part or holder]

    def _folder(self, part: str, holder: str) -> str:
        part = self._expand(part, holder)
        return os.path.join(self.system.folder, part).rstrip("/") or "/"

    def _expand(self, text: str, holder: str) -> str:
        if "$" not in text:
            return text
        values = {"ORIGIN": os.path.dirname(holder), "LIB": self.system.lib, "PLATFORM": self.system.machine}
        for token, value in values.items():
            text = text.replace("${" + token + "}", value).replace("$" + token, value)
        return text

    def _map(self, name: str, place: Place, asker: Loaded | None, how: str = "") -> Loaded | Fault:
        path, rule, via = place
        identity = self.files.identity(path)
        if identity is None:
            return Fault(
                "missing",
                name,
                asker.chain() if asker else (),
                detail="cannot open shared object file: No such file or directory",
            )
        known = next((item for item in self.loaded if item.identity == identity), None)
        if known is not None:
            known.names.add(name)
            return known
        elf = self._parse(path, identity)
        if isinstance(elf, BadLibrary):
            return Fault(
                kind=elf.kind,
                name=name,
                chain=asker.chain() if asker else (),
                path=path,
                version=elf.version,
                detail=elf.detail,
            )
        item = Loaded(
            name=name, path=path, elf=elf, identity=identity, parent=asker, how=how or rule, via=via, names={name, path}
        )
        if elf.soname:
            item.names.add(elf.soname)
        self.loaded.append(item)
        self.seen.setdefault(path, item)
        return item

    def _parse(self, path: str, identity: tuple[int, int]) -> Elf | BadLibrary:
        if identity not in self._parsed:
            self._parsed[identity] = self._read(path)
        return self._parsed[identity]

    def _read(self, path: str) -> Elf | BadLibrary:
        try:
            elf = read_elf(self.files, path)
        except BadLibrary as error:
            return error
        except IsADirectoryError:
            return BadLibrary("not-a-library", "cannot read file data: Is a directory")
        except OSError as error:
            return BadLibrary("unreadable", error.strerror or str(error))
        if elf.machine != self.system.machine:
            return BadLibrary("foreign", f"built for {elf.machine}", elf.machine)
        if elf.missing_bytes:
            return BadLibrary("truncated", f"the file lacks its last {elf.missing_bytes} bytes")
        return elf

    def _undefined(self, item: Loaded, part: str | None) -> Iterator[Fault]:
        """Look up the symbols whose names hold `part`; none at all for None."""
        if part is None:
            return
        # Any library of the process may define it: the scopes of RTLD_LOCAL are not modelled.
        near = {id(giver): giver for name in item.elf.needed for giver in [self.find(name)] if giver is not None}
        givers = [*near.values(), *(other for other in self.loaded if id(other) not in near)]
        symbol = undefined(self.files, item.path, tuple(giver.path for giver in givers), part)
        if symbol:
            yield Fault(
                kind="symbol",
                name=os.path.basename(item.path),
                chain=item.chain(),
                path=item.path,
                version=symbol,
                detail=f"undefined symbol: {symbol}",
            )

    def _versions(self, item: Loaded) -> Iterator[Fault]:
        for want in item.elf.wants:
            giver = self.find(want.file)
            if giver is None or want.weak:
                continue
            if giver.elf.defines is None and giver.elf.versioned:
                continue  # a library that defines no versions satisfies all of them
            if giver.elf.defines is not None and want.version in giver.elf.defines:
                continue
            detail = f"{giver.path}: version `{want.version}' not found (required by {item.path})"
            if giver.elf.defines is None:
                detail = f"{giver.path}: no version information, {ABORTS}"
            yield Fault(
                kind="version", name=want.file, chain=item.chain(), path=giver.path, version=want.version, detail=detail
            )
