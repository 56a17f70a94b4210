"""Reports of many kinds, made from the suite's own snapshots and texts: well, ill, undecided, slow, pasted, hostile, long, many."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from tests.support import planted
from xpu_doctor.api import triage
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.facts import Compute, ComputeDevice, CpuProduct, Product
from xpu_doctor.model.facts.torch import XpuDevice
from xpu_doctor.model.snapshot import Snapshot, Source
from xpu_doctor.probes import PROBES
from xpu_doctor.probes.runner import run_probes
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.text.redact import Redactor

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FIXTURES = Path(__file__).parents[2] / "fixtures"
SNAPSHOTS, HOSTS = FIXTURES / "snapshots", FIXTURES / "hosts"
MOMENT = "2026-11-21T09:30:00Z"
PASTE = """\
I installed PyTorch for my Arc A770 but it does not find the GPU.

Collecting environment information...
PyTorch version: 2.9.1+cpu
OS: Ubuntu 24.04.3 LTS (x86_64)
Python version: 3.12.3 (main, Aug 14 2025) [GCC 13.3.0] (64-bit runtime)
Is XPU available: False
Versions of relevant libraries:
[pip3] torch==2.9.1
[pip3] torchvision==0.24.1

>>> torch.ones(1, device="xpu")
Traceback (most recent call last):
  File "<stdin>", line 1, in <module>
AssertionError: Torch not compiled with XPU enabled
"""
SLOW = """\
On my laptop with Intel Iris Xe and an Arc A770M, ComfyUI is slow and sometimes dies:

pytorch version: 2.8.0+xpu
Device: xpu:0 Intel(R) Arc(TM) A770M Graphics
RuntimeError: UR error: 45 (UR_RESULT_ERROR_INVALID_ARGUMENT)
"""
HOSTILE = (
    "</title></style></script></pre></details><script>alert(1)</script><img src=x onerror=alert(2)>"
    "<a href=javascript:alert(3)>\"'`<!--]]><svg/onload=alert(4)>&lt;&#x41;&copy \x00\x1b[31m\u202eltr\u200b\ufeff\r\n\ttab \U0001f600 \ud800"
)
CPU = CpuProduct(
    size=2048, tflops=0.412, cpu_seconds_per_tflop=9.6, threads=16, main_thread_share=0.07, logical_cpus=32
)
CPU_NAME = "AMD Ryzen 9 7950X 16-Core Processor"


def snapshot(name: str) -> Snapshot:
    """A snapshot of the suite."""
    return msgspec.convert(tomllib.loads((SNAPSHOTS / f"{name}.toml").read_text(encoding="utf-8")), Snapshot)


def report(facts: Snapshot, **options: Any) -> Document:
    """The report on a snapshot, the same on every machine."""
    with (
        patch("xpu_doctor.report.build.own_command", lambda: "xpu-doctor"),
        patch("xpu_doctor.report.build.redactor_here", lambda **_: Redactor(users=("me",))),
    ):
        timings = {"import": 1.31, "closure": 0.13, "compute": 9.4}
        return _fixed(Report(created=MOMENT, **options).of_snapshot(facts, timings=timings))


def _fixed(report: Document) -> Document:
    tool = dataclasses.replace(report.tool, version="1.0", peak_memory_bytes=None)
    return dataclasses.replace(report, created=MOMENT, tool=tool)


def timed(number: int = 0, *, on_cpu: bool = False) -> ComputeDevice:
    """A B580 that computed three data types, or whose work the CPU did."""
    signs = (11.1, 0.999, 0.06) if on_cpu else (0.02, 0.003, 1.0)
    right = Product("float32", "", 4096, 16, 4, 0.1, "events", 0.0, 0.0, *signs, "xpu", 24576, 0, False, 2e-7, 1.2e-6)
    right = dataclasses.replace(right, cpu_seconds_per_tflop=signs[0], queue_share=signs[1], main_thread_share=signs[2])
    speeds = {"float32": 0.381} if on_cpu else {"float32": 11.84, "bfloat16": 71.3, "float16": 70.8}
    products = tuple(dataclasses.replace(right, dtype=dtype, tflops=tflops) for dtype, tflops in speeds.items())
    return ComputeDevice(
        f"xpu:{number}", "xpu", "Intel(R) Arc(TM) B580 Graphics", 0xE20B, False, 12168933376, 11811160064,
        products=products, kernel_registered=not on_cpu, to_cpu_copies=on_cpu, fallback_warnings=(),
    )  # fmt: skip


def computing(*devices: ComputeDevice) -> Snapshot:
    """The healthy machine with timed matmuls."""
    facts = snapshot("healthy-arc-b580")
    sources = (*facts.sources, Source("machine", "probe machine"), Source("gpus", "probe gpus"))
    return dataclasses.replace(facts, compute=Compute(devices, CPU, CPU_NAME, 9.4), sources=sources)


def many() -> Snapshot:
    """Sixty-four GPUs, one of which cannot be opened."""
    facts = computing(*(timed(number) for number in range(64)))
    device = facts.xpu.devices[0]  # type: ignore[index]
    gpu = facts.gpus[0]  # type: ignore[index]
    return dataclasses.replace(
        facts,
        gpus=tuple(
            dataclasses.replace(gpu, address=f"0000:{number:02x}:00.0", render_node=f"renderD{128 + number}")
            for number in range(64)
        ),
        xpu=dataclasses.replace(
            facts.xpu, device_count=64, devices=tuple(_numbered(device, number) for number in range(64))
        ),
    )


def _numbered(device: XpuDevice, number: int) -> XpuDevice:
    return dataclasses.replace(device, index=number)


def long_paths() -> Snapshot:
    """The CPU wheel in an environment whose path has no place to break it."""
    facts = snapshot("cpu-wheel-beside-arc-b580")
    text = msgspec.json.encode(facts).decode()
    deep = (
        "/srv/"
        + "/".join("a-folder-with-a-rather-long-name" + "x" * number for number in (0, 40, 120))
        + "/Ünïcode with spaces"
    )
    return msgspec.json.decode(text.replace("/home/me/ai", deep), type=Snapshot)


def recorded(name: str) -> Snapshot:
    """A recorded host, as the probes see it."""
    gathered = run_probes(RecordedHost.load(HOSTS / f"{name}.toml"), PROBES)
    return dataclasses.replace(Snapshot(), **gathered.facts, sources=gathered.sources)


def hostile() -> Document:
    """A report with HTML, control characters and direction marks in every text of it."""

    def text(place: str) -> str:
        return f"[{place}] {HOSTILE}"

    with patch("xpu_doctor.report.build.diagnose", lambda *_: planted.diagnosis(text, commands=(HOSTILE,))):
        return report(planted.snapshot(text), redact=False)


MADE: dict[str, Callable[[], Document]] = {
    "healthy": lambda: report(computing(timed())),
    "cpu-wheel": lambda: report(snapshot("cpu-wheel-beside-arc-b580")),
    "crash": lambda: report(snapshot("import-segfault"), expect=("devices>=1", "xpu-wheel")),
    "undecided": lambda: report(snapshot("bus-not-readable")),
    "fallback": lambda: report(computing(timed(on_cpu=True))),
    "three-faults": lambda: report(recorded("battlemage-ubuntu-24.04-kernel-6.8")),
    "paste": lambda: _fixed(triage(PASTE)),
    "possible": lambda: _fixed(triage(SLOW)),
    "long-paths": lambda: report(long_paths()),
    "many": lambda: report(many()),
    "hostile": hostile,
}
"""What makes each example."""


def example(name: str) -> Document:
    """Return the example of a name."""
    return MADE[name]()
