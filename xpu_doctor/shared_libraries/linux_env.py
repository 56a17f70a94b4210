"""What this Linux tells the dynamic loader: its folders, its cache, the processor's level, the variables."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping

from xpu_doctor.shared_libraries.elf import read_elf
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.ldcache import read_cache
from xpu_doctor.shared_libraries.linux import LinuxSystem

LEVELS: tuple[tuple[str, frozenset[str]], ...] = (
    ("x86-64-v2", frozenset({"cx16", "lahf_lm", "popcnt", "sse4_1", "sse4_2", "ssse3"})),
    ("x86-64-v3", frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"})),
    ("x86-64-v4", frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})),
)
"""What each level of the x86-64 psABI adds, in the kernel's spelling."""


class NoLoader(Exception):
    """This interpreter is not started by glibc's loader."""


def linux_system(files: Files, environ: Mapping[str, str], executable: str, folder: str) -> LinuxSystem:
    """Gather what ld.so goes by for a process of this executable.

    Raises:
        NoLoader: the executable is not run by glibc's ld.so.
    """
    machine, interpreter = _program(files, executable)
    loader = _resolved(files, interpreter)
    folders = _default_folders(files, loader, machine)
    return LinuxSystem(
        machine=machine,
        default_folders=folders,
        cache=read_cache(files, _cache_path(loader), machine),
        levels=_levels(files) if machine == "x86_64" else (),
        library_path=environ.get("LD_LIBRARY_PATH", ""),
        preload=environ.get("LD_PRELOAD", ""),
        folder=folder,
        lib=f"lib/{machine}-linux-gnu" if folders[0].endswith("-linux-gnu") else "lib64",
    )


def _program(files: Files, executable: str) -> tuple[str, str]:
    try:
        elf = read_elf(files, executable)
    except (BadLibrary, OSError) as error:
        raise NoLoader(f"{executable} cannot be read as a program: {error}") from error
    if not elf.interpreter:
        if platform.machine() == elf.machine:
            raise NoLoader(f"{executable} is statically linked")
        raise NoLoader(f"{executable} is a program of {elf.machine}")
    if "ld-linux" not in elf.interpreter and "/ld64" not in elf.interpreter:
        raise NoLoader(f"{executable} is started by {elf.interpreter}, not by glibc's loader")
    return elf.machine, elf.interpreter


def _resolved(files: Files, path: str) -> str:
    if files.root:  # links of a copied tree are followed by hand, one step
        return path
    return os.path.realpath(path)


def _default_folders(files: Files, loader: str, machine: str) -> tuple[str, ...]:
    triplet = f"{machine}-linux-gnu"
    if "/nix/store/" in loader or "/gnu/store/" in loader:
        return (os.path.dirname(loader),)
    if triplet in loader or files.folder(f"/usr/lib/{triplet}"):
        return (f"/lib/{triplet}", f"/usr/lib/{triplet}", "/lib", "/usr/lib")
    return ("/lib64", "/usr/lib64", "/lib", "/usr/lib")


def _cache_path(loader: str) -> str:
    if "/nix/store/" in loader:
        return os.path.join(os.path.dirname(os.path.dirname(loader)), "etc", "ld.so.cache")
    return "/etc/ld.so.cache"


def _levels(files: Files) -> tuple[str, ...]:
    try:
        with open(files.local("/proc/cpuinfo"), encoding="utf-8", errors="replace") as lines:
            flags = next((set(line.split(":", 1)[1].split()) for line in lines if line.startswith("flags")), set())
    except OSError:
        return ()
    found: list[str] = []
    for level, needed in LEVELS:
        if not needed <= flags:
            break
        found.insert(0, level)
    return tuple(found)
