"""A simulated `/proc`: processes with CPU time and GPU clients whose counters a test turns, and a clock that a test sets."""

from __future__ import annotations

import os
from pathlib import Path

from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.watching.process_stat import TICKS
from xpu_doctor.watching.sampler import Outside, Sampler

XE_RATE = 19_200_000
"""Cycles of a second of the clock of current Intel GPUs."""
DG2, IGPU = "0000:03:00.0", "0000:00:02.0"


def host(driver: str = "xe", kernel: str = "6.12.22", integrated: bool = True) -> RecordedHost:
    """A machine with an Arc B580 and, if wanted, an integrated GPU."""
    pci = [
        {
            "address": DG2,
            "id": "8086:e20b",
            "class": "030000",
            "driver": driver,
            "card": "card1",
            "render": "renderD129",
        }
    ]
    if integrated:
        pci.append(
            {
                "address": IGPU,
                "id": "8086:7d55",
                "class": "030000",
                "driver": "i915",
                "card": "card0",
                "render": "renderD128",
            }
        )
    return RecordedHost({"kernel": kernel, "pci": pci, "system": {"cpu_count": 8}})


class Machine:
    """A folder in the place of /proc, and a clock."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder
        self.now = 1000.0
        self.write("loadavg", "0.1 0.1 0.1 1/99 50\n")
        self.write("sys/kernel/task_delayacct", "1\n")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.proc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    def process(
        self,
        pid: int,
        parent: int = 1,
        *,
        name: str = "python",
        cpu: float = 0.0,
        children: float = 0.0,
        state: str = "S",
        start: int = 10**9,
        group: int = 7,
        session: int = 7,
        io_wait: int = 0,
        pages: int = 100,
        environ: bytes = b"",
    ) -> None:
        """Write, or renew, a process."""
        fields = [
            state,
            parent,
            group,
            session,
            0,
            -1,
            0,
            0,
            0,
            0,
            0,
            int(cpu * TICKS),
            0,
            int(children * TICKS),
            0,
            20,
            0,
            1,
            0,
            start,
            0,
            pages,
        ]
        fields += [0] * (39 - len(fields)) + [io_wait, 0, 0]
        stat = f"{pid} ({name}) " + " ".join(map(str, fields)) + "\n"
        self.write(f"{pid}/stat", stat)
        self.write(f"{pid}/task/{pid}/stat", stat)
        self.write(f"{pid}/environ", environ)
        (self.proc / f"{pid}/fd").mkdir(exist_ok=True)
        (self.proc / f"{pid}/fdinfo").mkdir(exist_ok=True)

    def end(self, pid: int) -> None:
        """Take a process away."""
        for folder, _, files in os.walk(self.proc / str(pid), topdown=False):
            for file in files:
                os.unlink(os.path.join(folder, file))
            for link in os.listdir(folder):
                os.unlink(os.path.join(folder, link)) if os.path.islink(os.path.join(folder, link)) else os.rmdir(
                    os.path.join(folder, link)
                )
        os.rmdir(self.proc / str(pid))

    def open(self, pid: int, number: int, target: str, fdinfo: str = "pos:\t0\nflags:\t02\n") -> None:
        """Give a process an open file."""
        link = self.proc / f"{pid}/fd/{number}"
        if link.is_symlink():
            link.unlink()
        link.symlink_to(target)
        self.write(f"{pid}/fdinfo/{number}", fdinfo)

    def close(self, pid: int, number: int) -> None:
        (self.proc / f"{pid}/fd/{number}").unlink()
        (self.proc / f"{pid}/fdinfo/{number}").unlink()

    def xe(
        self,
        pid: int,
        number: int = 5,
        *,
        client: int = 1,
        busy: float = 0.0,
        engine: str = "ccs",
        capacity: int = 1,
        vram: int = 0,
        gtt: int = 0,
    ) -> None:
        """Give a process a client of the discrete GPU, driven by xe, that worked so many seconds."""
        self.open(pid, number, "/dev/dri/renderD129", self.xe_text(client, busy, engine, capacity, vram, gtt))

    def xe_text(
        self, client: int, busy: float, engine: str = "ccs", capacity: int = 1, vram: int = 0, gtt: int = 0
    ) -> str:
        clock = int(self.now * XE_RATE)
        lines = ["pos:\t0", "flags:\t02100002", "drm-driver:\txe", f"drm-client-id:\t{client}", f"drm-pdev:\t{DG2}"]
        lines += [f"drm-total-vram0:\t{vram} KiB", f"drm-resident-vram0:\t{vram} KiB", f"drm-resident-gtt:\t{gtt} KiB"]
        for name in ("rcs", "bcs", "ccs"):
            lines += [
                f"drm-cycles-{name}:\t{int(busy * XE_RATE) if name == engine else 0}",
                f"drm-total-cycles-{name}:\t{clock}",
            ]
        if capacity > 1:
            lines.append(f"drm-engine-capacity-{engine}:\t{capacity}")
        return "\n".join(lines) + "\n"

    def i915(
        self,
        pid: int,
        number: int = 6,
        *,
        client: int = 1,
        busy: float = 0.0,
        engines: bool = True,
        address: str = IGPU,
    ) -> None:
        """Give a process a client of the integrated GPU, driven by i915."""
        lines = [
            "pos:\t0",
            "drm-driver:\ti915",
            f"drm-client-id:\t{client}",
            f"drm-pdev:\t{address}",
            "drm-resident-system0:\t2048 KiB",
        ]
        if engines:
            lines += [
                f"drm-engine-render:\t{int(busy * 1e9)} ns",
                "drm-engine-video:\t0 ns",
                "drm-engine-capacity-video:\t2",
            ]
        self.open(pid, number, "/dev/dri/renderD128", "\n".join(lines) + "\n")

    def sampler(self, root: int = 100, on: RecordedHost | None = None, **options) -> Sampler:
        started = self.now
        return Sampler(
            root,
            device_type="xpu",
            proc=str(self.proc),
            started=started,
            host=on or host(),
            clock=lambda: self.now,
            **options,
        )


def busy(seen: Outside, address: str = DG2) -> object:
    """How long a GPU worked."""
    assert isinstance(seen.gpus, tuple)
    return next(gpu.busy_seconds for gpu in seen.gpus if gpu.address == address)
