"""The facts of a snapshot in the lines of torch's own collect_env, so that its readers, people and programs, find what they look for.

Names and order are those of torch/utils/collect_env.py. What xpu-doctor never asks for (compilers, CUDA's parts) is left out and not
called absent.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from xpu_doctor.model.unknown import Unknown, known_or

if TYPE_CHECKING:
    from xpu_doctor.model.facts import Distribution, Gpu, XpuDevice
    from xpu_doctor.model.snapshot import Snapshot

UNKNOWN = "Could not collect"
"""What collect_env says itself: its readers know no other words for it."""
NOT_ASKED = "Compilers, and the software of other GPUs, are not looked for."
INTEL = 0x8086


class Block(NamedTuple):
    """The lines, and why some of them hold no value."""

    lines: list[str]
    unknown: list[tuple[str, str]]
    """Names of lines, each with the reason."""


def environment_block(snapshot: Snapshot) -> Block:
    """Return what collect_env would print of a machine and its torch, as far as the snapshot knows it."""
    made = _Maker(snapshot)
    return Block(list(made.lines()), made.unknown)


class _Maker:
    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.unknown: list[tuple[str, str]] = []

    def lines(self) -> Iterator[str]:
        yield from self.torch()
        yield ""
        yield from self.system()
        yield ""
        yield from self.python()
        yield from self.xpu()
        yield ""
        yield from self.processor()
        yield ""
        yield "Versions of relevant libraries:"
        yield from self.libraries()

    def torch(self) -> Iterator[str]:
        torch, imported = self.snapshot.torch, self.snapshot.imported
        version = torch.version if isinstance(imported.version, Unknown) else imported.version
        absent = torch.installed is False
        yield self.row("PyTorch version", "N/A" if absent else version)
        yield self.row("Is debug build", "N/A" if absent else torch.debug)
        yield self.row("CUDA used to build PyTorch", "N/A" if absent else _or_none(torch.cuda_version))
        yield self.row("ROCM used to build PyTorch", _or_none(torch.hip_version, "N/A"))

    def system(self) -> Iterator[str]:
        machine, python = self.snapshot.machine, self.snapshot.python
        architecture = known_or(machine.architecture, "")
        name = machine.os_name
        yield self.row("OS", f"{name} ({architecture})" if isinstance(name, str) and architecture else name)
        libc = python.libc
        yield self.row("Libc version", (libc.replace("glibc ", "glibc-") or "N/A") if isinstance(libc, str) else libc)

    def python(self) -> Iterator[str]:
        python = self.snapshot.python
        bits = f" ({python.bits}-bit runtime)" if isinstance(python.bits, int) else ""
        yield self.row(
            "Python version", f"{python.version}{bits}" if isinstance(python.version, str) else python.version
        )
        yield self.row("Python platform", self._platform())

    def _platform(self) -> Any:
        """`platform.platform()` as collect_env prints it, made from its parts."""
        snapshot, python = self.snapshot, self.snapshot.python
        kernel, architecture, libc = snapshot.kernel.version, python.architecture, known_or(python.libc, "")
        system = known_or(python.os, "") or known_or(snapshot.machine.os, "")
        if system != "linux":
            return snapshot.machine.os_name
        if isinstance(kernel, Unknown) or isinstance(architecture, Unknown):
            return kernel if isinstance(kernel, Unknown) else architecture
        with_libc = f"-with-{libc.replace(' ', '')}" if libc.startswith("glibc ") else ""
        return f"Linux-{kernel}-{architecture}{with_libc}"

    def xpu(self) -> Iterator[str]:
        snapshot = self.snapshot
        absent = snapshot.torch.installed is False
        yield self.row("Is XPU available", "N/A" if absent else snapshot.xpu.available)
        yield self.row("XPU used to build PyTorch", "N/A" if absent else _or_none(snapshot.torch.xpu_version))
        yield from self.rows("Intel GPU driver version", self._drivers())
        yield from self.rows("Intel GPU models onboard", self._onboard())
        yield from self.rows("Intel GPU models detected", self._detected())

    def _drivers(self) -> Any:
        snapshot = self.snapshot
        packages = known_or(snapshot.driver.packages, ())
        gpus = [gpu for gpu in known_or(snapshot.gpus, ()) if gpu.vendor_id == INTEL]
        found = [f"* {package.name}:\t{package.version}" for package in packages]
        found += [f"* {_name(gpu)}: {gpu.driver_version}" for gpu in gpus if known_or(gpu.driver_version, "")]
        return found or (snapshot.driver.packages if isinstance(snapshot.driver.packages, Unknown) else [])

    def _onboard(self) -> Any:
        gpus = self.snapshot.gpus
        return (
            [f"* {_name(gpu)}{_ids(gpu)}" for gpu in gpus if gpu.vendor_id == INTEL]
            if isinstance(gpus, tuple)
            else gpus
        )

    def _detected(self) -> Any:
        devices = self.snapshot.xpu.devices
        return [_device(device) for device in devices] if isinstance(devices, tuple) else devices

    def processor(self) -> Iterator[str]:
        machine = self.snapshot.machine
        yield "CPU:"
        yield self.row("Model name", machine.cpu)
        yield self.row("CPU(s)", machine.cpu_count)

    def libraries(self) -> Iterator[str]:
        installed = self.snapshot.distributions.installed
        if isinstance(installed, Unknown):
            self.unknown.append(("Versions of relevant libraries", installed.reason))
            yield f"[pip3] {UNKNOWN}"
            return
        rows = [row for row in installed if isinstance(row.version, str)]
        yield from sorted(map(_library, rows)) if rows else ("[pip3] No relevant packages",)

    def row(self, name: str, value: Any) -> str:
        """Return a line; an unknown value is noted."""
        if isinstance(value, Unknown):
            self.unknown.append((name, value.reason))
            value = UNKNOWN
        return f"{name}: {value}"

    def rows(self, name: str, values: Any) -> Iterator[str]:
        """Yield a heading and its lines, as collect_env prints lists."""
        if isinstance(values, Unknown):
            yield self.row(name, values)
            return
        yield f"{name}:"
        yield from values or ["N/A"]


def _or_none(value: Any, none: str = "None") -> Any:
    return none if value == "" else value


def _name(gpu: Gpu) -> str:
    return gpu.name or "Intel GPU"


def _ids(gpu: Gpu) -> str:
    return f" [{gpu.vendor_id:04x}:{gpu.device_id:04x}]" if isinstance(gpu.device_id, int) else ""


def _device(device: XpuDevice) -> str:
    """One device as torch prints its properties."""
    parts = [f"name='{device.name}'"]
    if isinstance(device.device_id, int):
        parts.append(f"device_id=0x{device.device_id:X}")
    if isinstance(device.driver_version, str):
        parts.append(f"driver_version='{device.driver_version}'")
    if isinstance(device.total_memory, int):
        parts.append(f"total_memory={device.total_memory // 2**20}MB")
    if isinstance(device.has_fp64, bool):
        parts.append(f"has_fp64={device.has_fp64:d}")
    return f"* [{device.index}] _XpuDeviceProperties({', '.join(parts)})"


def _library(row: Distribution) -> str:
    """One installed package, as `pip freeze` or `conda list` spells it."""
    by_conda = str(known_or(row.installer, "")).lower() == "conda"
    return f"[conda] {row.name} {row.version}" if by_conda else f"[pip3] {row.name}=={row.version}"
