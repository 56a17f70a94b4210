"""Files in torch's own folder that are no whole libraries, and libraries of torch that torch lacks."""

from __future__ import annotations

import os
from collections.abc import Iterable

from xpu_doctor.model.facts.libraries import DamagedLibrary, LibraryFault
from xpu_doctor.shared_libraries.elf import read_elf
from xpu_doctor.shared_libraries.files import BadLibrary, Files
from xpu_doctor.shared_libraries.pe import read_pe
from xpu_doctor.shared_libraries.request import Request, torchs_own

MOST_DAMAGED = 20


def damaged_files(files: Files, request: Request, machine: str, read_only: bool = False) -> tuple[DamagedLibrary, ...]:
    """Return the libraries in torch and torch/lib that cannot be loaded by a machine; with `read_only` any machine will do."""
    found: list[DamagedLibrary] = []
    for folder in (request.torch, request.lib):
        for name in sorted(files.names(folder).values()):
            if _is_library(name, request.os) and len(found) < MOST_DAMAGED:
                kind, detail = _look(files, os.path.join(folder, name), request.os, "" if read_only else machine)
                if kind:
                    found.append(DamagedLibrary(os.path.join(folder, name), kind, detail))
    return tuple(found)


def lacked(
    found: tuple[DamagedLibrary, ...], faults: Iterable[LibraryFault], request: Request
) -> tuple[DamagedLibrary, ...]:
    """Add the libraries of torch's own wheel that its other libraries need and that are nowhere."""
    missing = [fault for fault in faults if fault.kind == "missing" and torchs_own(fault.name) and fault.chain]
    paths = dict.fromkeys(os.path.join(request.lib, fault.name) for fault in missing)
    return (*found, *(DamagedLibrary(path, "missing", "needed by torch's own libraries") for path in paths))


def _is_library(name: str, system: str) -> bool:
    low = name.lower()
    return low.endswith((".dll", ".pyd")) if system == "windows" else low.endswith(".so") or ".so." in low


def _look(files: Files, path: str, system: str, machine: str) -> tuple[str, str]:
    try:
        seen = read_pe(files, path) if system == "windows" else read_elf(files, path)
    except BadLibrary as error:
        return error.kind, error.detail
    except FileNotFoundError:
        return "dangling", "a link to a file that is not there"
    except OSError as error:
        return "unreadable", error.strerror or str(error)
    if seen.missing_bytes:
        return "truncated", f"the file lacks its last {seen.missing_bytes} bytes"
    if machine and seen.machine != machine:
        return "foreign", f"built for {seen.machine}"
    return "", ""
