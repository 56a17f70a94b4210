"""A machine with simulated GPUs: the processes are real, and a folder shows them as `/proc` does, with DRM clients among their files.

`device/device.cpp` computes; each process that uses a GPU keeps a file `clients/GPU-N` open and counts in it. Here a thread finds who
has such a file open, and writes `fd` and `fdinfo` as i915 and xe do.
"""

from __future__ import annotations

import os
import shutil
import struct
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from xpu_doctor.host.recorded import RecordedHost

REFRESH_SECONDS = 0.02
CLIENT = struct.Struct("<8Q")
XE_HERTZ = 19_200_000
"""Ticks of the GPU's clock in a second, as `drm-total-cycles-*` counts them on Arc."""
LINKED = ("stat", "status", "statm", "cmdline", "environ", "comm", "io", "task", "cgroup", "maps", "smaps_rollup")
OF_THE_SYSTEM = ("loadavg", "meminfo", "stat", "uptime", "sys", "cpuinfo", "version", "self")
DEVICE_FOLDER = "/dev/dri"


@dataclass(frozen=True)
class SimulatedGpu:
    """One GPU of the machine."""

    kind: str
    """A name of `device/simulated_xpu.py`."""
    address: str
    pci_id: str
    driver: str
    memory: int
    """Bytes of its own; 0 where it shares the machine's."""


@dataclass(frozen=True)
class Client:
    """What one process, or a process and its children, did with one GPU."""

    number: int
    """Each GPU counts its own: two GPUs have a client 1."""
    gpu: int
    busy_seconds: float
    local_bytes: int
    system_bytes: int
    operators: int


A770 = SimulatedGpu("a770", "0000:03:00.0", "8086:56a0", "i915", 16 << 30)
B580 = SimulatedGpu("b580", "0000:07:00.0", "8086:e20b", "xe", 12 << 30)
METEOR_LAKE = SimulatedGpu("igpu", "0000:00:02.0", "8086:7d55", "i915", 0)


class SimulatedMachine:
    """Shows the processes that begin after it with the simulated GPUs that they use."""

    def __init__(self, folder: Path, gpus: tuple[SimulatedGpu, ...]) -> None:
        self.folder, self.gpus = folder, gpus
        self.proc = str(folder / "proc")
        for name in ("clients", "proc", "times"):
            (folder / name).mkdir(parents=True)
        for name in OF_THE_SYSTEM:
            (folder / "proc" / name).symlink_to(f"/proc/{name}")
        self._known: set[int] = set()
        """Children of this process, and theirs."""
        self._strangers = _pids()
        for pid in self._strangers:
            (folder / "proc" / str(pid)).symlink_to(f"/proc/{pid}")
        self.seen: dict[int, float] = {}
        """When each process was seen first, on the monotonic clock."""
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)

    def __enter__(self) -> SimulatedMachine:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def host(self) -> RecordedHost:
        """What probes see of the machine."""
        return recorded(self.gpus)

    def environment(self, library: Path) -> dict[str, str]:
        """Return what a program needs in its environment to compute on these GPUs."""
        return {
            "PYTHONPATH": str(Path(__file__).with_name("device")),
            "SIMULATED_XPU_LIBRARY": str(library),
            "SIMULATED_GPUS": str(self.folder),
            "SIMULATED_GPU_KINDS": ",".join(gpu.kind for gpu in self.gpus),
            "SIMULATED_GPU_BYTES": ",".join(str(gpu.memory) for gpu in self.gpus),
        }

    def clients(self) -> list[Client]:
        """Return what was done so far, also by processes that have ended."""
        return [_client(path) for path in sorted((self.folder / "clients").iterdir())]

    def busy_seconds(self) -> dict[str, float]:
        """Return how long each GPU worked, by address."""
        busy = {gpu.address: 0.0 for gpu in self.gpus}
        for client in self.clients():
            busy[self.gpus[client.gpu].address] += client.busy_seconds
        return busy

    def moments(self) -> Mapping[str, float]:
        """Return when processes had imported torch, on the monotonic clock, by pid."""
        return {path.name: float(path.read_text()) for path in (self.folder / "times").iterdir()}

    def _follow(self) -> None:
        while not self._ended.wait(REFRESH_SECONDS):
            present = _pids()
            for pid in self._known - present:
                shutil.rmtree(self.folder / "proc" / str(pid), ignore_errors=True)
            for pid in self._strangers - present:  # its number may come again
                (self.folder / "proc" / str(pid)).unlink(missing_ok=True)
            self._known &= present
            self._strangers &= present
            self._meet(present - self._strangers - self._known)
            for pid in self._known:
                try:
                    self._show(pid)
                except OSError:  # it ended meanwhile
                    continue

    def _meet(self, new: set[int]) -> None:
        """Tell the children of this process, and theirs, from others; one whose parent was not met yet has to wait."""
        while new:
            parents = {pid: parent for pid in new if (parent := _parent(pid))}
            ours = {pid for pid, parent in parents.items() if parent in self._known or parent == os.getpid()}
            if not ours:
                break
            self._known |= ours
            new -= ours
        for pid, parent in parents.items() if new else ():
            if parent in self._strangers:
                (self.folder / "proc" / str(pid)).symlink_to(f"/proc/{pid}")
                self._strangers.add(pid)

    def _show(self, pid: int) -> None:
        folder = self.folder / "proc" / str(pid)
        if not folder.exists():
            hidden = self.folder / f"new-{pid}"
            shutil.rmtree(hidden, ignore_errors=True)
            for name in ("fd", "fdinfo"):
                (hidden / name).mkdir(parents=True)
            for name in LINKED:
                (hidden / name).symlink_to(f"/proc/{pid}/{name}")
            hidden.rename(folder)
            self.seen[pid] = time.monotonic()
        _point(folder / "exe", os.readlink(f"/proc/{pid}/exe"))
        targets = _open_files(pid)
        for name in set(os.listdir(folder / "fd")) - targets.keys():
            (folder / "fd" / name).unlink()
            (folder / "fdinfo" / name).unlink(missing_ok=True)
        for name, target in targets.items():
            if target.startswith(f"{self.folder}/clients/"):
                client = _client(Path(target))
                _write(folder / "fdinfo" / name, self._text(client))
                _point(folder / "fd" / name, f"{DEVICE_FOLDER}/renderD{128 + client.gpu}")
            else:
                _point(folder / "fdinfo" / name, f"/proc/{pid}/fdinfo/{name}")
                _point(folder / "fd" / name, target)

    def _text(self, client: Client) -> str:
        gpu = self.gpus[client.gpu]
        return (i915_text if gpu.driver == "i915" else xe_text)(client, gpu)


def recorded(gpus: tuple[SimulatedGpu, ...]) -> RecordedHost:
    """Return a host with these GPUs on its bus."""
    rows = [
        {
            "address": gpu.address,
            "id": gpu.pci_id,
            "class": "030000",
            "driver": gpu.driver,
            "card": f"card{number}",
            "render": f"renderD{128 + number}",
            "bars": [16, 16384 if gpu.memory else 256],
        }
        for number, gpu in enumerate(gpus)
    ]
    sizes = {
        f"/sys/bus/pci/devices/{gpu.address}/" + (
            f"drm/card{number}/lmem_total_bytes" if gpu.driver == "i915" else "tile0/physical_vram_size_bytes"
        ): f"{gpu.memory}\n"
        for number, gpu in enumerate(gpus)
        if gpu.memory
    }  # fmt: skip
    return RecordedHost(
        {
            "platform": "linux",
            "kernel": "6.14.0-27-generic",
            "pci": rows,
            "files": sizes,
            "system": {
                "cpu_count": len(os.sched_getaffinity(0)),
                "architecture": "x86_64",
                "uid": 0,
                "user": "root",
            },
        }
    )


def i915_text(client: Client, gpu: SimulatedGpu) -> str:
    """Return the fdinfo of a client as i915 prints it: keys and order of a dump of an Arc A310 with kernel 6.8."""
    if gpu.memory:
        regions = [("system0", client.system_bytes), ("local0", client.local_bytes), ("stolen-local0", 0)]
    else:
        regions = [("system0", client.system_bytes + client.local_bytes), ("stolen-system0", 0)]
    lines = [
        "pos:\t0",
        "flags:\t02100002",
        "mnt_id:\t25",
        "ino:\t651",
        "drm-driver:\ti915",
        f"drm-client-id:\t{client.number}",
    ]
    lines.append(f"drm-pdev:\t{gpu.address}")
    for region, held in regions:
        lines.append(f"drm-total-{region}:\t{_size(held)}")
        lines.append(f"drm-shared-{region}:\t0")
        lines.append(f"drm-active-{region}:\t0")
        lines.append(f"drm-resident-{region}:\t{_size(held)}")
        lines.append(f"drm-purgeable-{region}:\t0")
    busy = round(client.busy_seconds * 1e9)
    compute = gpu.memory > 0
    lines.append(f"drm-engine-render:\t{0 if compute else busy} ns")
    lines += [
        "drm-engine-copy:\t0 ns",
        "drm-engine-video:\t0 ns",
        "drm-engine-capacity-video:\t2",
        "drm-engine-video-enhance:\t0 ns",
    ]
    if compute:
        lines.append(f"drm-engine-compute:\t{busy} ns")
    return "\n".join(lines) + "\n"


def xe_text(client: Client, gpu: SimulatedGpu) -> str:
    """Return the fdinfo of a client as xe prints it: keys and order of the kernel's documentation of the driver."""
    lines = [
        "pos:\t0",
        "flags:\t0100002",
        "mnt_id:\t26",
        "ino:\t685",
        "drm-driver:\txe",
        f"drm-client-id:\t{client.number}",
    ]
    lines.append(f"drm-pdev:\t{gpu.address}")
    for region, held in (("system", 0), ("gtt", client.system_bytes), ("vram0", client.local_bytes), ("stolen", 0)):
        lines += [f"drm-total-{region}:\t{_size(held)}", f"drm-shared-{region}:\t0", f"drm-active-{region}:\t0"]
        lines.append(f"drm-resident-{region}:\t{_size(held)}")
        if region == "system":
            lines.append("drm-purgeable-system:\t0")
    now = round(time.clock_gettime(time.CLOCK_BOOTTIME) * XE_HERTZ)
    for engine, number in (("rcs", 1), ("bcs", 1), ("vcs", 2), ("vecs", 2), ("ccs", 1)):
        cycles = round(client.busy_seconds * XE_HERTZ) if engine == "ccs" else 0
        lines += [f"drm-cycles-{engine}:\t{cycles}", f"drm-total-cycles-{engine}:\t{now}"]
        if number > 1:
            lines.append(f"drm-engine-capacity-{engine}:\t{number}")
    return "\n".join(lines) + "\n"


def _size(held: int) -> str:
    """Write a size as the kernel does: the largest unit that divides it."""
    kib = -(-held // 1024)
    if kib == 0:
        return "0"
    return f"{kib >> 10} MiB" if kib % 1024 == 0 else f"{kib} KiB"


def _client(path: Path) -> Client:
    data = path.read_bytes().ljust(CLIENT.size, b"\0")
    _, gpu, busy, local, system, operators, _, _ = CLIENT.unpack(data[: CLIENT.size])
    return Client(int(path.name.partition("-")[2]), gpu, busy / 1e9, local, system, operators)


def _pids() -> set[int]:
    return {int(name) for name in os.listdir("/proc") if name.isdigit()}


def _parent(pid: int) -> int:
    """Return the parent of a process, 0 where it ended."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _open_files(pid: int) -> dict[str, str]:
    found = {}
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                found[name] = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
    except OSError:  # a zombie
        pass
    return found


def _point(link: Path, target: str) -> None:
    try:
        if os.readlink(link) == target:
            return
    except OSError:
        pass
    new = link.parent.parent / f"new-{link.parent.name}-{link.name}"
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.rename(link)


def _write(path: Path, text: str) -> None:
    new = path.parent.parent / "new-text"
    new.write_text(text, encoding="ascii")
    new.rename(path)
