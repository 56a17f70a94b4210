"""One telling difference for a copy of a machine, and all that differs between two machines, or two days, without telling anything."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from tests.hosts.test_recorded_hosts import HOSTS, snapshot_of
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.comparison.compare import compare
from xpu_doctor.comparison.elements import IN_ORDER, ORDERED
from xpu_doctor.comparison.model import Comparison, Difference, Kind, Side
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.model.facts import (
    Distribution,
    Libraries,
    LibraryFault,
    Node,
    Package,
    Shadow,
    Stage,
    Variable,
    ZeDriver,
)
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown, known_or
from xpu_doctor.tables import parse_toml
from xpu_doctor.tables.fact_readers import fact_readers

HEALTHY = Path(__file__).parents[2] / "fixtures" / "snapshots" / "healthy-arc-b580.toml"
OF_ENVIRONMENT = (
    "target",
    "python",
    "distributions",
    "installer",
    "torch",
    "libraries",
    "shadows",
    "run",
    "imported",
    "xpu",
    "environment",
)
"""Fact groups of the interpreter, which most recorded hosts say nothing of."""


def side(label: str, snapshot: Snapshot) -> Side:
    """Return a side of a comparison."""
    return Side(label, snapshot, diagnose(snapshot, all_rules()))


def compared(*snapshots: Snapshot) -> Comparison:
    """Return the comparison of snapshots."""
    return compare([side("ABCDEFGH"[place], snapshot) for place, snapshot in enumerate(snapshots)], fact_readers())


def facts(comparison: Comparison) -> list[Difference]:
    """Return the differences in facts, in their order."""
    return [difference for difference in comparison.differences if difference.kind is Kind.FACT]


@cache
def healthy() -> Snapshot:
    """Return a machine on which all is well."""
    snapshot = msgspec.convert(parse_toml(HEALTHY.read_text(encoding="utf-8")), Snapshot)
    return replace(snapshot, libraries=Libraries("loads", "", loaded=(), faults=(), opened=(), damaged=()))


@cache
def whole_host(path: Path) -> Snapshot:
    """Return a recorded host, with the interpreter of the healthy machine where it has none of its own."""
    host, good = snapshot_of(path), healthy()
    groups = {name: _filled(getattr(host, name), getattr(good, name)) for name in OF_ENVIRONMENT}
    return replace(host, **groups)


def _filled(group: Any, good: Any) -> Any:
    """Return a group with the fields of another where its own are not known."""
    fields = {field.name: getattr(group, field.name) for field in dataclasses.fields(group)}
    return replace(group, **{name: getattr(good, name) for name, value in fields.items() if isinstance(value, Unknown)})


# ---------------------------------------------------------------------------------------------- what tells


@dataclass(frozen=True)
class Plant:
    """One telling difference."""

    name: str
    put: Callable[[Snapshot], Snapshot | None]
    """Returns the changed machine; None where the machine has nothing to change."""
    seen_at: tuple[str, ...]
    """Beginnings of the paths, one of which the first difference has."""


def _wheel(build: str, version: str) -> Callable[[Snapshot], Snapshot | None]:
    def put(machine: Snapshot) -> Snapshot | None:
        if machine.torch.build in (build, "") or isinstance(machine.torch.build, Unknown):
            return None
        installed = tuple(
            replace(row, version=version) if row.name == "torch" else row
            for row in known_or(machine.distributions.installed, ())
        )
        torch = replace(machine.torch, build=build, version=version, metadata_version=version, xpu_version="")
        return replace(machine, torch=torch, distributions=replace(machine.distributions, installed=installed))

    return put


def _newer_torch(machine: Snapshot) -> Snapshot | None:
    version = known_or(machine.torch.version, "")
    newer = "2.11.0" + version[version.find("+") :] if "+" in version else ""
    if not newer or newer == version:
        return None
    installed = tuple(
        replace(row, version=newer) if row.name == "torch" else row
        for row in known_or(machine.distributions.installed, ())
    )
    torch = replace(machine.torch, version=newer, metadata_version=newer)
    return replace(machine, torch=torch, distributions=replace(machine.distributions, installed=installed))


def _driver(machine: Snapshot) -> Snapshot | None:
    """Another version of the user-space driver, as the system of the machine shows it."""
    if machine.machine.os == "windows":
        gpus = known_or(machine.gpus, ())
        if not any(gpu.driver_version for gpu in gpus if isinstance(gpu.driver_version, str)):
            return None
        changed = tuple(replace(gpu, driver_version="32.0.101.8331") if gpu.driver_version else gpu for gpu in gpus)
        return replace(machine, gpus=changed)
    packages = machine.driver.packages
    if not isinstance(packages, tuple):
        return None
    names = [
        row.name
        for row in packages
        if "ze-intel-gpu" in row.name or "level-zero-gpu" in row.name or "compute" in row.name
    ]
    if names:
        changed_packages = tuple(
            replace(row, version="25.31.34666.3-1") if row.name in names else row for row in packages
        )
        machine = replace(machine, driver=replace(machine.driver, packages=changed_packages))
    else:
        packages = (*packages, Package("libze-intel-gpu1", "25.31.34666.3-1", "dpkg"))
        machine = replace(machine, driver=replace(machine.driver, packages=packages))
    drivers = known_or(machine.level_zero.drivers, ())
    if drivers:
        level_zero = replace(machine.level_zero, drivers=(ZeDriver(0, "1.6.34666+3", 34666, "1.6"), *drivers[1:]))
        machine = replace(machine, level_zero=level_zero)
    return machine


def _group(machine: Snapshot) -> Snapshot | None:
    """The user is no member of the group of the device nodes."""
    if machine.machine.os != "linux" or not isinstance(machine.access.account_groups, tuple):
        return None
    groups = machine.access.account_groups
    changed = (
        tuple(name for name in groups if name not in ("render", "video"))
        if {"render", "video"} & set(groups)
        else (*groups, "render")
    )
    return replace(machine, access=replace(machine.access, account_groups=changed))


def _refused(machine: Snapshot) -> Snapshot | None:
    """The device node does not open any more."""
    nodes = known_or(machine.access.nodes, ())
    if not any(node.error == "" for node in nodes):
        return None
    changed = tuple(replace(node, error="EACCES") if node.error == "" else node for node in nodes)
    return replace(machine, access=replace(machine.access, nodes=changed))


def _variable(machine: Snapshot) -> Snapshot | None:
    rest = tuple(row for row in known_or(machine.environment.variables, ()) if row.name != "ONEAPI_DEVICE_SELECTOR")
    changed = (*rest, Variable("ONEAPI_DEVICE_SELECTOR", "opencl:cpu"))
    return replace(machine, environment=replace(machine.environment, variables=changed))


def _kernel(machine: Snapshot) -> Snapshot | None:
    if not isinstance(machine.kernel.version, str) or not machine.kernel.version:
        return None
    return replace(machine, kernel=replace(machine.kernel, version="5.15.0-139-generic"))


def _parameter(machine: Snapshot) -> Snapshot | None:
    if not isinstance(machine.kernel.command_line, tuple):
        return None
    return replace(
        machine, kernel=replace(machine.kernel, command_line=(*machine.kernel.command_line, "i915.force_probe=!*"))
    )


def _unbound(machine: Snapshot) -> Snapshot | None:
    gpus = known_or(machine.gpus, ())
    if not any(isinstance(gpu.kernel_driver, str) and gpu.kernel_driver for gpu in gpus):
        return None
    return replace(
        machine, gpus=tuple(replace(gpu, kernel_driver="vfio-pci") if gpu.kernel_driver else gpu for gpu in gpus)
    )


def _gone(machine: Snapshot) -> Snapshot | None:
    gpus = known_or(machine.gpus, ())
    intel = [gpu for gpu in gpus if gpu.vendor_id == 0x8086]
    return replace(machine, gpus=tuple(gpu for gpu in gpus if gpu is not intel[0])) if intel else None


def _library(machine: Snapshot) -> Snapshot | None:
    """A library that torch needs is missing, and the import failed for it."""
    name = "sycl8.dll" if machine.machine.os == "windows" else "libsycl.so.8"
    fault = LibraryFault(
        "missing",
        name,
        ("/v/lib/libtorch_xpu.so",),
        detail=f"{name}: cannot open shared object file: No such file or directory",
    )
    stage = Stage("import", "error", reason=f"ImportError: {fault.detail}", exception="ImportError")
    stages = tuple(
        row for row in known_or(machine.run.stages, ()) if row.name not in ("import", "xpu", "allocate", "compute")
    )
    return replace(
        machine,
        libraries=replace(
            machine.libraries,
            faults=(*known_or(machine.libraries.faults, ()), fault),
            prediction="fails",
            predicted_error=fault.detail,
        ),
        run=replace(machine.run, stages=(*stages, stage)),
        imported=replace(machine.imported, succeeded=False),
    )


def _shadow(machine: Snapshot) -> Snapshot | None:
    found = known_or(machine.shadows.found, ())
    return replace(
        machine,
        shadows=replace(machine.shadows, found=(*found, Shadow("torch", "/home/me/ai/torch.py", "working folder"))),
    )


def _companion(machine: Snapshot) -> Snapshot | None:
    rest = tuple(row for row in known_or(machine.distributions.installed, ()) if row.name != "triton-xpu")
    changed = (*rest, Distribution("triton-xpu", "3.3.1", requires=(), file_faults=()))
    return replace(machine, distributions=replace(machine.distributions, installed=changed))


def _container(machine: Snapshot) -> Snapshot | None:
    if machine.machine.os != "linux" or machine.machine.container not in ("", "docker"):
        return None
    return replace(machine, machine=replace(machine.machine, container="" if machine.machine.container else "docker"))


def _loader(machine: Snapshot) -> Snapshot | None:
    if not isinstance(machine.level_zero.loader_version, str):
        return None
    return replace(machine, level_zero=replace(machine.level_zero, loader_version="1.8.8"))


def _node(machine: Snapshot) -> Snapshot | None:
    nodes = machine.access.nodes
    if machine.machine.os != "linux" or not isinstance(nodes, tuple):
        return None
    return replace(
        machine, access=replace(machine.access, nodes=nodes[1:] if nodes else (Node("/dev/dri/renderD128", ""),))
    )


def _python(machine: Snapshot) -> Snapshot | None:
    return replace(machine, python=replace(machine.python, version="3.9.20"))


PLANTS = (
    Plant("another driver", _driver, ("driver.packages[", "level_zero.drivers[", "gpus[")),
    Plant("a CPU wheel", _wheel("cpu", "2.13.0+cpu"), ("torch.build", "torch.version")),
    Plant("a CUDA wheel", _wheel("cuda", "2.13.0+cu130"), ("torch.build", "torch.version")),
    Plant("another release of torch", _newer_torch, ("torch.version", "distributions.installed[torch]")),
    Plant("not in the group", _group, ("access.account_groups",)),
    Plant("a node that does not open", _refused, ("access.nodes[",)),
    Plant("a node more or less", _node, ("access.nodes[",)),
    Plant("a variable that hides devices", _variable, ("environment.variables[ONEAPI_DEVICE_SELECTOR]",)),
    Plant("another kernel", _kernel, ("kernel.version",)),
    Plant("a parameter of the kernel", _parameter, ("kernel.command_line",)),
    Plant("another kernel driver", _unbound, ("gpus[",)),
    Plant("a GPU less", _gone, ("gpus[",)),
    Plant("a missing library", _library, ("libraries.",)),
    Plant("a file that hides torch", _shadow, ("shadows.found[torch]",)),
    Plant("another companion", _companion, ("distributions.installed[triton-xpu]",)),
    Plant("a container", _container, ("machine.container",)),
    Plant("another loader", _loader, ("level_zero.loader_version",)),
    Plant("another Python", _python, ("python.version",)),
)


# ---------------------------------------------------------------------------------------------- what does not


def like_another(machine: Snapshot, seed: int = 7) -> Snapshot:
    """Return what another machine of the same make, or the same one a week later, has besides: nothing of it tells anything."""
    chance = random.Random(seed)
    hardware = replace(
        machine.machine,
        cpu="Intel(R) Core(TM) Ultra 9 285K",
        cpu_count=24,
        memory_bytes=known_or(machine.machine.memory_bytes, 2**35) * 2,
        os_name=f"{known_or(machine.machine.os_name, 'Linux')} (updated)",
    )
    python = replace(
        machine.python,
        executable="/srv/jobs/run 9/bin/python3",
        prefix="/srv/jobs/run 9",
        real_prefix="/srv/jobs/run 9",
        own_site="/srv/jobs/run 9/lib/python3.12/site-packages",
        sys_path=("/srv/jobs/run 9/lib/python3.12/site-packages",),
        encoding="ascii",
    )
    distributions = machine.distributions
    if isinstance(distributions.installed, tuple):
        moved = (
            replace(row, location="/srv/jobs/run 9/lib", installer="uv", file_count=row.file_count + 3)
            for row in distributions.installed
        )
        distributions = replace(distributions, installed=tuple(moved), total=91)
    torch = replace(
        machine.torch, path="/srv/jobs/run 9/torch", real_path="/srv/jobs/run 9/torch", git_version="0" * 40
    )
    run = machine.run
    if isinstance(run.stages, tuple):
        run = replace(
            run, stages=tuple(replace(row, seconds=chance.random(), cpu_seconds=chance.random()) for row in run.stages)
        )
    return _shuffled(
        replace(
            machine,
            machine=hardware,
            python=python,
            target=replace(
                machine.target,
                executable="/srv/jobs/run 9/bin/python3",
                folder="/tmp/pytest-4711",
                why="named by --python",
            ),
            distributions=distributions,
            torch=torch,
            run=run,
            gpus=_moved(machine.gpus),
            imported=replace(machine.imported, seconds=chance.random(), file="/srv/jobs/run 9/torch/__init__.py"),
            access=replace(machine.access, user="somebody"),
            installer=replace(machine.installer, why="pyvenv.cfg names uv", project="/srv/jobs"),
        ),
        chance,
    )


def _moved(gpus: Any) -> Any:
    """Return GPUs in other slots of the board."""
    return tuple(replace(gpu, address=f"0001{gpu.address[4:]}") for gpu in gpus) if isinstance(gpus, tuple) else gpus


def _shuffled(value: Any, chance: random.Random, path: str = "") -> Any:
    """Return facts with every list whose order says nothing in another order."""
    if isinstance(value, tuple):
        items = [_shuffled(item, chance, f"{path}[]") for item in value]
        if path not in ORDERED and not (items and (isinstance(items[0], IN_ORDER) or hasattr(items[0], "index"))):
            chance.shuffle(items)
        return tuple(items)
    if isinstance(value, Unknown) or not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    dot = "." if path else ""
    fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return replace(value, **{name: _shuffled(part, chance, f"{path}{dot}{name}") for name, part in fields.items()})


def shuffled(snapshot: Snapshot, seed: int = 3) -> Snapshot:
    """Return a snapshot with every list whose order says nothing in another order."""
    result: Snapshot = _shuffled(snapshot, random.Random(seed))
    return result


def planted() -> Iterator[tuple[Path, Plant, Snapshot, Snapshot]]:
    """Yield every host with every plant that it can have: the host, and its copy with the plant and all that tells nothing."""
    for path in HOSTS:
        host = whole_host(path)
        for plant in PLANTS:
            changed = plant.put(host)
            if changed is not None and changed != host:
                yield path, plant, host, like_another(changed)
