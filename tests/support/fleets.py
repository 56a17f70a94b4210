"""Made fleets: a recorded host many times over, each node with its own name, time and speeds, and kinds of difference planted in some.

Everything comes from a seed. A report is made by the doctor itself once for each kind; of the copies only times and speeds differ.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

from tests.comparison.plants import whole_host
from xpu_doctor.model.facts import (
    Compute,
    ComputeDevice,
    CpuProduct,
    Distribution,
    LogLine,
    Product,
    Variable,
    XpuDevice,
    ZeDriver,
)
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.build import Report
from xpu_doctor.report.json_document import render_json
from xpu_doctor.text.redact import Redactor

HOST = Path(__file__).parents[2] / "fixtures" / "hosts" / "max-1100-x8-ubuntu-22.04.toml"
MODEL = "Intel(R) Data Center GPU Max 1100"
SPEEDS = {"float32": 21.4, "bfloat16": 236.0, "float16": 241.0}
"""Teraflops of a card that is well, by data type."""
CREATED = "2026-11-21T09:30:00Z"
CPU = CpuProduct(
    size=2048, tflops=3.1, cpu_seconds_per_tflop=9.6, threads=112, main_thread_share=0.01, logical_cpus=224
)
JITTER = 0.01
SLOW = 0.55
CARDS = 4
_MARK = re.compile(r"\b\d+\.\d(?:977)(\d)(\d)(?=[,\s])")
"""A speed in a template: its last two digits are card and data type."""
FILLERS = tuple(f"site-package-{number}" for number in range(1))


@dataclass(frozen=True)
class Plant:
    """One kind of difference."""

    name: str
    put: Callable[[Snapshot], Snapshot]
    seen_at: tuple[str, ...]
    """Beginnings of the facts, one of which is its true cause."""


def base() -> Snapshot:
    """The machine that most nodes are."""
    machine = whole_host(HOST)
    gpus: Any = tuple(replace(gpu, memory_bytes=48 << 30) for gpu in machine.gpus[:CARDS])  # type: ignore[index]
    xpu = tuple(
        XpuDevice(number, MODEL, 0x0BDA, "1.6.33578+15", 51539607552, True, True) for number in range(len(gpus))
    )
    installed: Any = tuple(
        replace(row, version="2.9.0+xpu")
        if row.name == "torch"
        else replace(row, version="0.24.0+xpu", requires=("torch==2.9.0",))
        for row in machine.distributions.installed  # type: ignore[union-attr]
    )
    installed += tuple(
        Distribution(name, "1.4.2", "/opt/ai/lib/python3.12/site-packages", requires=("numpy>=1.26", "packaging"), installer="pip")
        for name in ("numpy", "transformers", "accelerate", *FILLERS)
    )  # fmt: skip
    return replace(
        machine,
        gpus=gpus,
        access=replace(machine.access, nodes=machine.access.nodes[:CARDS]),  # type: ignore[index]
        level_zero=replace(machine.level_zero, devices=machine.level_zero.devices[:CARDS]),  # type: ignore[index]
        torch=replace(machine.torch, version="2.9.0+xpu", metadata_version="2.9.0+xpu"),
        imported=replace(machine.imported, version="2.9.0+xpu"),
        distributions=replace(machine.distributions, installed=installed),
        machine=replace(machine.machine, memory_bytes=540_000_000_000, cpu="Intel(R) Xeon(R) Platinum 8480+", cpu_count=224, container=""),
        kernel=replace(machine.kernel, command_line=(), gpu_log=(LogLine("i915 0000:0f:00.0: [drm] GuC firmware i915/pvc_guc_70.bin version 70.20.0", "dmesg"),)),
        xpu=replace(machine.xpu, devices=xpu, device_count=len(xpu)),
        compute=Compute(tuple(_timed(number) for number in range(CARDS)), CPU, "Intel(R) Xeon(R) Platinum 8480+", fallback_variables=()),
    )  # fmt: skip


def _timed(number: int) -> ComputeDevice:
    products = tuple(
        Product(dtype, "", 4096, 16, 4, 0.1, "events", round(SPEEDS[dtype] + 0.0977 + (number + 1) / 100_000 + (place + 1) / 1_000_000, 6), 0.0, 0.02, 0.003, 1.0, "xpu", 24576, 0, False, 2e-7, 1.2e-6)
        for place, dtype in enumerate(SPEEDS)
    )  # fmt: skip
    return ComputeDevice(
        f"xpu:{number}", "xpu", MODEL, 0x0BDA, False, 51539607552, 51539607552,
        products=products, kernel_registered=True, to_cpu_copies=False, fallback_warnings=(),
    )  # fmt: skip


def _packages(machine: Snapshot, versions: dict[str, str]) -> Snapshot:
    rows = machine.driver.packages
    assert isinstance(rows, tuple) and versions.keys() <= {row.name for row in rows}, rows
    made = tuple(replace(row, version=versions.get(row.name, row.version)) for row in rows)
    return replace(machine, driver=replace(machine.driver, packages=made))


def _driver(machine: Snapshot) -> Snapshot:
    machine = _packages(
        machine, {"libze-intel-gpu1": "24.52.32224.14-1077~22.04", "intel-opencl-icd": "24.52.32224.14-1077~22.04"}
    )
    libraries = tuple(
        replace(row, version="1.6.32224") if row.name.startswith("libze_intel_gpu") else row for row in machine.driver.libraries  # type: ignore[union-attr]
    )  # fmt: skip
    return replace(
        machine,
        driver=replace(machine.driver, libraries=libraries),
        level_zero=replace(machine.level_zero, drivers=(ZeDriver(0, "1.6.32224+14", 32224),)),
    )


def _loader(machine: Snapshot) -> Snapshot:
    machine = _packages(machine, {"libze1": "1.19.2.0-1055~22.04"})
    return replace(machine, level_zero=replace(machine.level_zero, loader_version="1.19.2"))


def _torch(version: str, build: str = "xpu") -> Callable[[Snapshot], Snapshot]:
    def put(machine: Snapshot) -> Snapshot:
        installed = tuple(
            replace(row, version=version) if row.name == "torch" else row for row in machine.distributions.installed
        )  # type: ignore[union-attr]
        made = replace(
            machine,
            torch=replace(machine.torch, version=version, metadata_version=version, build=build),
            imported=replace(machine.imported, version=version),
            distributions=replace(machine.distributions, installed=installed),
        )
        if build == "xpu":
            return made
        return replace(
            made,
            xpu=replace(made.xpu, compiled=False, available=False, device_count=0, devices=(), allocated=False),
            compute=Compute(),
        )

    return put


def _fewer_cards(machine: Snapshot) -> Snapshot:
    return replace(
        machine,
        gpus=machine.gpus[:-1],  # type: ignore[index]
        access=replace(machine.access, nodes=machine.access.nodes[:-1]),  # type: ignore[index]
        level_zero=replace(machine.level_zero, devices=machine.level_zero.devices[:-1]),  # type: ignore[index]
        xpu=replace(machine.xpu, device_count=CARDS - 1, devices=machine.xpu.devices[:-1]),  # type: ignore[index]
        compute=replace(machine.compute, devices=machine.compute.devices[:-1]),  # type: ignore[index]
    )


def _unbound(machine: Snapshot) -> Snapshot:
    gpus = machine.gpus
    assert isinstance(gpus, tuple)
    fewer = _fewer_cards(machine)
    return replace(fewer, gpus=(*gpus[:-1], replace(gpus[-1], kernel_driver="", render_node="")))


def _no_group(machine: Snapshot) -> Snapshot:
    nodes = tuple(
        replace(node, error="EACCES", mode=0o660, group="render", group_id=993) for node in machine.access.nodes
    )  # type: ignore[union-attr]
    return replace(
        machine,
        access=replace(machine.access, nodes=nodes, session_groups=(1000,), account_groups=("ada",), is_root=False),
        level_zero=replace(machine.level_zero, devices=(), drivers=()),
        xpu=replace(machine.xpu, available=False, device_count=0, devices=(), allocated=False),
        compute=Compute(),
    )


def _variable(name: str, value: str) -> Callable[[Snapshot], Snapshot]:
    def put(machine: Snapshot) -> Snapshot:
        variables = (*machine.environment.variables, Variable(name, value))  # type: ignore[misc]
        return replace(machine, environment=replace(machine.environment, variables=variables))

    return put


def _hidden(machine: Snapshot) -> Snapshot:
    machine = _variable("ONEAPI_DEVICE_SELECTOR", "opencl:cpu")(machine)
    return replace(
        machine,
        xpu=replace(machine.xpu, available=False, device_count=0, devices=(), allocated=False, unfiltered_count=CARDS),
        compute=Compute(),
    )


def _other_model(machine: Snapshot) -> Snapshot:
    gpus = tuple(replace(gpu, device_id=0x0BD5) for gpu in machine.gpus)  # type: ignore[union-attr]
    return replace(machine, gpus=gpus, compute=Compute())


def _small_bar(machine: Snapshot) -> Snapshot:
    return replace(machine, gpus=tuple(replace(gpu, bar_bytes=(16 << 20, 256 << 20)) for gpu in machine.gpus))  # type: ignore[union-attr]


def _in(group: str, **values: Any) -> Callable[[Snapshot], Snapshot]:
    return lambda machine: replace(machine, **{group: replace(getattr(machine, group), **values)})


PLANTS = (
    Plant("driver", _driver, ("driver.packages[", "level_zero.drivers")),
    Plant("kernel", _in("kernel", version="5.15.0-91-generic"), ("kernel.version",)),
    Plant("kernel-parameter", _in("kernel", command_line=("i915.enable_hangcheck=0",)), ("kernel.command_line",)),
    Plant("firmware", _in("kernel", gpu_log=(LogLine("i915 0000:0f:00.0: [drm] GuC firmware i915/pvc_guc_70.bin version 70.5.1", "dmesg"),)), ("firmware[GuC]",)),
    Plant("torch", _torch("2.8.0+xpu"), ("torch.version", "distributions.installed[torch]")),
    Plant("cpu-wheel", _torch("2.9.0+cpu", "cpu"), ("torch.build", "torch.version")),
    Plant("fewer-cards", _fewer_cards, ("gpus",)),
    Plant("unbound", _unbound, ("gpus[].kernel_driver",)),
    Plant("no-group", _no_group, ("access.account_groups",)),
    Plant("mask", _variable("ZE_FLAT_DEVICE_HIERARCHY", "COMPOSITE"), ("environment.variables[ZE_FLAT_DEVICE_HIERARCHY]",)),
    Plant("selector", _hidden, ("environment.variables[ONEAPI_DEVICE_SELECTOR]",)),
    Plant("python", _in("python", version="3.11.2"), ("python.version",)),
    Plant("loader", _loader, ("level_zero.loader_version", "driver.packages[libze1]")),
    Plant("other-model", _other_model, ("gpus",)),
    Plant("small-bar", _small_bar, ("gpus[].bar_bytes",)),
    Plant("memory", _in("machine", memory_bytes=473_000_000_000), ("machine.memory_bytes",)),
    Plant("glibc", _in("machine", glibc="2.35", os_name="Ubuntu 22.04.3 LTS"), ("machine.glibc", "machine.os_name")),
    Plant("container", _in("machine", container="docker"), ("machine.container",)),
    Plant("package", lambda machine: replace(machine, distributions=replace(machine.distributions, installed=tuple(replace(row, version="4.40.0") if row.name == "transformers" else row for row in machine.distributions.installed))), ("distributions.installed[transformers]",)),  # type: ignore[union-attr]
    Plant("governor", _in("machine", cpu_count=112), ("machine.cpu_count",)),
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """A report with places for what differs from node to node."""

    pieces: tuple[str, ...]
    speeds: tuple[tuple[int, int], ...]
    """Of each place between two pieces: card and data type."""

    def filled(self, node: str, created: str, random_: random.Random, slow: frozenset[int] = frozenset()) -> bytes:
        """A report of a node at a time; `slow` are its slow cards."""
        usual = tuple(SPEEDS.values())
        seen: dict[tuple[int, int], str] = {}
        parts = [self.pieces[0]]
        for (card, dtype), piece in zip(self.speeds, self.pieces[1:], strict=True):
            if (card, dtype) not in seen:
                speed = usual[dtype] * random_.gauss(1.0, JITTER) * (SLOW if card in slow else 1.0)
                seen[(card, dtype)] = f"{speed:.4f}"
            parts += (seen[(card, dtype)], piece)
        return "".join(parts).replace(CREATED, created).replace("a-node-name", node).encode()


@cache
def template(name: str = "", also: str = "") -> Template:
    """The report of the machine with the plant of a name, and another one."""
    machine = base()
    for wanted in filter(None, (name, also)):
        machine = next(plant for plant in PLANTS if plant.name == wanted).put(machine)
    with (
        patch("xpu_doctor.report.build.own_command", lambda: "xpu-doctor"),
        patch("xpu_doctor.report.build.redactor_here", lambda **_: Redactor(users=("me",))),
    ):
        report = Report(created=CREATED).of_snapshot(machine, timings={"import": 1.31})
    text = render_json(dataclasses.replace(report, node="a-node-name"))
    pieces, places, done = [], [], 0
    for match in _MARK.finditer(text):
        pieces.append(text[done : match.start()])
        places.append((int(match[1]) - 1, int(match[2]) - 1))
        done = match.end()
    return Template((*pieces, text[done:]), tuple(places))


@dataclass(frozen=True)
class Made:
    """One report of a made fleet."""

    node: str
    data: bytes
    plant: str
    """Name of the plant, or empty."""
    slow: frozenset[int] = frozenset()


def fleet(count: int, seed: int = 0, *, share: float = 0.01, slow: int = 3) -> Iterator[Made]:
    """Reports of so many nodes: of each plant `share` of them, at least one; some further nodes have one slow card."""
    chosen = random.Random(seed)
    order = list(range(count))
    chosen.shuffle(order)
    each = max(1, round(count * share))
    plants = {
        node: plant.name for number, plant in enumerate(PLANTS) for node in order[number * each : (number + 1) * each]
    }
    slow_nodes = set(order[len(PLANTS) * each : len(PLANTS) * each + slow])
    width = max(3, len(str(count)))
    for number in range(count):
        own = random.Random(f"{seed} {number}")
        created = f"2026-11-21T09:{own.randrange(60):02}:{own.randrange(60):02}Z"
        cards = frozenset({own.randrange(CARDS)}) if number in slow_nodes else frozenset()
        node = f"node{number + 1:0{width}}"
        yield Made(
            node, template(plants.get(number, "")).filled(node, created, own, cards), plants.get(number, ""), cards
        )
