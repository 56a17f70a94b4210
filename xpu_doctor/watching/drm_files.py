"""Finds the open GPU device files of processes on Linux, at little cost: most files of a process are none."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import NamedTuple

from xpu_doctor.host.interface import os_reason
from xpu_doctor.watching.drm_fdinfo import DrmClient, parse_fdinfo
from xpu_doctor.watching.members import Identity

ROUNDS = 8
"""Where a process has many files, each is looked at anew once in so many samples: a number that was another file may be a GPU's by then."""
FEW_FILES = 64
PATIENCE = 4
"""Samples for which the files of a process are not listed where their number stays the same."""
FDINFO_LIMIT = 16384
PARAVIRTUAL = "dxg"
"""Device file of Windows' GPU in WSL2; its driver counts nothing."""


class ClientKey(NamedTuple):
    """What tells one client of a GPU driver from all others, however many files and processes share it."""

    address: str
    client: int


@dataclass
class Files:
    """What is known of the files of one process, between two samples."""

    gpu: dict[str, ClientKey | None] = field(default_factory=dict)
    """Device files of GPUs, by number: the client behind each, None where it was not read yet."""
    others: tuple[set[str], ...] = field(default_factory=lambda: tuple(set() for _ in range(ROUNDS)))
    """All other files that were looked at, by the turn in which they are looked at anew."""
    refused: str = ""
    """Why they cannot be read; empty where they can."""
    readings: int = 0
    read: bool = False
    """Whether they could be read at some time."""
    targets: dict[str, str] = field(default_factory=dict)
    """Names of the device files among them, by number."""
    listed: int = -1
    """How many there were when they were listed last."""
    turn: int = -1
    """The sample in which they were listed last."""
    silent: set[str] = field(default_factory=set)
    """Names of device files whose drivers print no statistics at all."""


def read_clients(
    proc: str, identity: Identity, files: Files, turn: int, seen: dict[ClientKey, DrmClient]
) -> set[ClientKey]:
    """Return the clients whose files a process holds, and put what they say into `seen` where nobody did in this sample."""
    files.readings += 1
    try:
        names = list(files.gpu) if _unchanged(proc, identity, files, turn) else _gpu_files(proc, identity, files, turn)
    except OSError as error:
        files.refused = os_reason(error)
        return set()
    files.read = True
    read = (_read(f"{proc}/{identity.pid}/fdinfo/{name}", name, files, turn, seen) for name in names)
    return {key for key in read if key is not None}


def _unchanged(proc: str, identity: Identity, files: Files, turn: int) -> bool:
    """Return whether there are as many files as before: not for long, since one may have taken the place of another."""
    if files.listed < 0 or turn % PATIENCE == identity.pid % PATIENCE:
        return False
    # The size of this folder is the number of open files from Linux 6.2 on, and 0 before.
    return os.stat(f"{proc}/{identity.pid}/fd").st_size == files.listed


def _gpu_files(proc: str, identity: Identity, files: Files, turn: int) -> list[str]:
    folder = os.open(f"{proc}/{identity.pid}/fd", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        names = os.listdir(folder)
        files.listed = len(names)
        return _to_read(names, files, turn, folder)
    finally:
        os.close(folder)


def _to_read(names: list[str], files: Files, turn: int, folder: int) -> list[str]:
    """Return the files of GPUs among all files of a process; looks at new ones, and at a part of the others."""
    present = set(names)
    for gone in files.gpu.keys() - present:
        del files.gpu[gone]
    if len(names) <= FEW_FILES:
        new = present.difference(files.gpu)
    else:
        for missed in range(max(files.turn + 1, turn - ROUNDS + 1), turn + 1):
            files.others[missed % ROUNDS].clear()
        new = present.difference(files.gpu, *files.others)
    files.turn = turn
    for others in files.others:
        others.intersection_update(present)
    for name in new:
        if _is_gpu(name, folder, files):
            files.gpu[name] = None
        else:
            files.others[_turn_of(name)].add(name)
    return list(files.gpu)


def _is_gpu(name: str, folder: int, files: Files) -> bool:
    try:
        target = os.readlink(name, dir_fd=folder)
    except OSError:
        return False
    if not target.startswith("/dev/"):
        return False
    files.targets[name] = node = target.rpartition("/")[2]
    if node == PARAVIRTUAL:
        files.silent.add(node)
    return node.startswith(("renderD", "card"))


def _read(path: str, name: str, files: Files, turn: int, seen: dict[ClientKey, DrmClient]) -> ClientKey | None:
    before = files.gpu[name]
    if before in seen and _turn_of(name) != turn % ROUNDS:
        return before  # another file or process told of the same client in this sample
    try:
        with open(path, "rb", buffering=0) as file:
            text = (file.read(FDINFO_LIMIT) or b"").decode("utf-8", "replace")
    except OSError:
        files.gpu.pop(name, None)
        return None
    client = parse_fdinfo(text)
    if client is None:
        files.silent.add(files.targets.get(name, ""))
        files.gpu.pop(name, None)
        return None
    key = ClientKey(client.address, client.client)
    files.gpu[name] = key
    seen.setdefault(key, client)
    return key


def _turn_of(name: str) -> int:
    return int(name) % ROUNDS if name.isdigit() else 0
