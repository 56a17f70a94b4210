"""Which facts of a report tell one node of a fleet from another, each as a short text: causes first, then what came of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from xpu_doctor.fleet.model import Fact
from xpu_doctor.fleet.partial import Facts, Report
from xpu_doctor.model.facts import Gpu
from xpu_doctor.model.likeness import alike_text
from xpu_doctor.tables.gpus import is_intel_gpu, title

MODELS = "gpus[].name"
"""Path under which the models of a node's GPUs stand, without how many there are."""
MAX_TEXT = 300
MAX_ELEMENTS = 400
"""Elements of one list that are looked at."""
GROUPS = ("render", "video")
"""Groups that device nodes belong to."""
_FIRMWARE = re.compile(r"\b(GuC|HuC|GSC|DMC) firmware (?:from )?\S{1,120} ?\(?v?(?:version )?(\d[\w.]{0,40})\)?")
_PLAIN = (
    ("machine", ("os", "os_name", "architecture", "glibc", "container", "hypervisor", "wsl", "cpu", "cpu_count", "memory_bytes")),
    ("kernel", ("version", "command_line", "modules")),
    ("access", ("is_root", "confinement", "user_namespace")),
    ("driver", ("dxg", "wsl_libraries")),
    ("level_zero", ("loader_version", "loader_has_root_device", "init_result", "died")),
    ("python", ("version", "implementation", "free_threaded")),
    ("installer", ("manager",)),
    ("torch", ("installed", "version", "build", "debug", "package_owner")),
    ("imported", ("succeeded",)),
    ("xpu", ("available", "device_count", "unfiltered_count")),
)  # fmt: skip
"""Facts that are a text of their own, by group."""
_KEYED = (
    ("environment", "variables", "value"),
    ("driver", "packages", "version"),
    ("driver", "libraries", "version"),
)
"""Lists whose elements have a name and one value."""


def facts_of(report: Report) -> tuple[tuple[Fact, ...], tuple[str, ...]]:
    """Return the facts of a report that can tell nodes apart, and the paths of the lists that are known."""
    lists: list[str] = []
    found = {path: text for path, text in _facts(report, lists) if text is not None}
    return tuple(sorted(found.items())), tuple(lists)


def _facts(report: Report, lists: list[str]) -> Iterator[tuple[str, str | None]]:
    facts = report.snapshot
    for group, names in _PLAIN:
        values = getattr(facts, group)
        for name in names:
            if (value := values.get(name)) is not None:
                yield f"{group}.{name}", _text(value)
    for group, name, field in _KEYED:
        yield from _elements(f"{group}.{name}", field, getattr(facts, group).get(name), lists)
    yield from _gpus(facts.gpus)
    yield from _firmware(facts.kernel.get("gpu_log"))
    yield from _access(facts)
    yield from _level_zero(facts)
    yield from _installed(facts, lists)
    yield from _settings(facts.installer.get("settings"), lists)
    yield from _libraries(facts, lists)
    yield from _stages(facts)
    yield from _plugins(facts.plugins)
    if report.tool.version:
        yield "tool.version", _short(report.tool.version)


def _text(value: Any) -> str | None:
    """Return a plain value as a text; None for what is not known, which is an object."""
    if isinstance(value, str):
        return _short(value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return (
            _short(" ".join(sorted(str(item) for item in value[:MAX_ELEMENTS] if isinstance(item, (str, int)))))
            or "none"
        )
    return None


@lru_cache(maxsize=16384)
def _short(text: str) -> str:
    like = alike_text(" ".join(text.split()), said=False)
    return like if len(like) <= MAX_TEXT else f"{like[: MAX_TEXT - 1]}…"


def _rows(value: Any) -> list[dict[str, Any]] | None:
    """Return the elements of a list; None where the list is not known."""
    if not isinstance(value, list):
        return None
    return [item for item in value[:MAX_ELEMENTS] if isinstance(item, dict)]


def _elements(path: str, field: str, value: Any, lists: list[str]) -> Iterator[tuple[str, str | None]]:
    rows = _rows(value)
    if rows is None:
        return
    lists.append(path)
    end = "" if field == "value" else f".{field}"
    for row in reversed(rows):  # of a name that comes twice the first one counts
        name = row.get("name")
        if isinstance(name, str) and name:
            yield f"{path}[{_short(name)}]{end}", _text(row.get(field)) or "there"


def counted(values: Iterable[str]) -> str:
    """Return values in one text: the value where all are the same, else how often each comes."""
    counts = Counter(values)
    if len(counts) <= 1:
        return next(iter(counts), "none")
    return ", ".join(f"{count} x {value}" for value, count in sorted(counts.items(), key=lambda row: (-row[1], row[0])))


def _gpus(value: Any) -> Iterator[tuple[str, str | None]]:
    rows = _rows(value)
    if rows is None:
        return
    intel = [
        row
        for row in rows
        if _is_intel(_number(row, "vendor_id"), _number(row, "device_id"), _number(row, "pci_class"))
    ]
    models = [_model(_number(row, "vendor_id"), _number(row, "device_id"), str(row.get("name") or "")) for row in intel]
    yield "gpus", ", ".join(f"{count} x {name}" for name, count in sorted(Counter(models).items())) or "none"
    yield MODELS, ", ".join(sorted(set(models))) or "none"
    for name in ("kernel_driver", "driver_version", "service", "disabled", "revision"):
        values = [text for row in intel if (text := _text(row.get(name))) is not None]
        if values:
            yield f"gpus[].{name}", counted(values)
    nodes = [row["render_node"] for row in intel if isinstance(row.get("render_node"), str)]
    if nodes:
        yield "gpus[].render_node", counted("there" if node else "none" for node in nodes)
    bars = [max(map(_size, row["bar_bytes"]), default=0) for row in intel if isinstance(row.get("bar_bytes"), list)]
    if bars:
        yield "gpus[].bar_bytes", counted(f"{size / 2**20:g} MiB" for size in bars)
    sizes = [row["memory_bytes"] for row in intel if isinstance(row.get("memory_bytes"), int)]
    if sizes:
        yield "gpus[].memory_bytes", counted(f"{size / 2**30:.0f} GiB" for size in sizes)


def _number(row: dict[str, Any], name: str) -> int | None:
    value = row.get(name)
    return value if type(value) is int and 0 <= value < 2**32 else None


def _size(value: Any) -> int:
    return value if type(value) is int else 0


def _gpu(vendor: int | None, device: int | None, pci_class: int | None, name: str) -> Gpu:
    ids: dict[str, Any] = {
        key: value for key, value in (("device_id", device), ("pci_class", pci_class)) if value is not None
    }
    return Gpu(vendor_id=vendor or 0, name=name, **ids)


@lru_cache(maxsize=1024)
def _is_intel(vendor: int | None, device: int | None, pci_class: int | None) -> bool:
    return is_intel_gpu(_gpu(vendor, device, pci_class, ""))


@lru_cache(maxsize=1024)
def _model(vendor: int | None, device: int | None, name: str) -> str:
    return _short(title(_gpu(vendor, device, None, name)))


def _firmware(value: Any) -> Iterator[tuple[str, str | None]]:
    """Read the versions of firmware that the kernel's log names."""
    found: dict[str, set[str]] = {}
    for row in _rows(value) or ():
        text = row.get("text")
        if isinstance(text, str) and (match := _FIRMWARE.search(text)):
            found.setdefault(match[1], set()).add(match[2])
    for name, versions in sorted(found.items()):
        yield f"firmware[{name}]", ", ".join(sorted(versions))


def _access(facts: Facts) -> Iterator[tuple[str, str | None]]:
    groups = facts.access.get("account_groups")
    if isinstance(groups, list):
        yield "access.account_groups", " ".join(name for name in GROUPS if name in groups) or "neither render nor video"
    rows = _rows(facts.access.get("nodes"))
    if rows is None:
        return
    errors = [text for row in rows if isinstance(text := row.get("error"), str)]
    if errors:
        yield "access.nodes[].error", counted(text or "none" for text in errors)
    owners = [text for row in rows if isinstance(text := row.get("group"), str)]
    if owners:
        yield "access.nodes[].group", counted(owners)
    modes = [row["mode"] for row in rows if type(row.get("mode")) is int]
    if modes:
        yield "access.nodes[].mode", counted(f"{mode:04o}" for mode in modes)
    yield "access.nodes", f"{len(rows)}"


def _level_zero(facts: Facts) -> Iterator[tuple[str, str | None]]:
    rows = _rows(facts.level_zero.get("drivers"))
    if rows is not None:
        yield (
            "level_zero.drivers[].version",
            " ".join(filter(None, (_text(row.get("version")) for row in rows))) or "none",
        )
    rows = _rows(facts.level_zero.get("devices"))
    if rows is not None:
        yield "level_zero.devices", f"{len(rows)}"


def _installed(facts: Facts, lists: list[str]) -> Iterator[tuple[str, str | None]]:
    installed = facts.distributions.installed
    if isinstance(installed, list):
        lists.append("distributions.installed")
        for row in reversed(installed[:MAX_ELEMENTS]):
            if row.name:
                yield f"distributions.installed[{_short(row.name)}].version", _text(row.version) or "there"
    yield "distributions.leftovers", _text(facts.distributions.leftovers)


def _settings(value: Any, lists: list[str]) -> Iterator[tuple[str, str | None]]:
    rows = _rows(value)
    if rows is None:
        return
    lists.append("installer.settings")
    for row in rows:
        name = " ".join(str(row.get(key)) for key in ("tool", "name") if isinstance(row.get(key), str) and row.get(key))
        yield f"installer.settings[{_short(name)}]", _text(row.get("value"))


def _libraries(facts: Facts, lists: list[str]) -> Iterator[tuple[str, str | None]]:
    libraries = facts.libraries
    yield "libraries.prediction", _text(libraries.prediction)
    yield "libraries.msvc", _text(libraries.msvc)
    if isinstance(libraries.faults, list):
        said = sorted({f"{fault.kind} {fault.name}" for fault in libraries.faults[:MAX_ELEMENTS]})
        yield "libraries.faults", _short(", ".join(said)) or "none"
    if isinstance(libraries.loaded, list):
        lists.append("libraries.loaded")
        for library in reversed(libraries.loaded[:MAX_ELEMENTS]):
            yield f"libraries.loaded[{_short(library.name)}].how", _short(library.how) or "there"


def _stages(facts: Facts) -> Iterator[tuple[str, str | None]]:
    found = _rows(facts.shadows.get("found"))
    if found is not None:
        yield "shadows.found", " ".join(sorted({_short(str(row.get("module", ""))) for row in found})) or "none"
    if isinstance(facts.run.stages, list):
        for stage in facts.run.stages[:MAX_ELEMENTS]:
            yield f"run.stages[{_short(stage.name)}].outcome", _short(stage.outcome)


def _plugins(plugins: dict[str, Any]) -> Iterator[tuple[str, str | None]]:
    """Read the plain values of plug-ins' facts."""
    for name, facts in list(plugins.items())[:MAX_ELEMENTS]:
        if isinstance(facts, dict):
            for key, value in list(facts.items())[:MAX_ELEMENTS]:
                yield f"plugins.{_short(name)}.{_short(key)}", _text(value)
        else:
            yield f"plugins.{_short(name)}", _text(facts)
