"""From pasted texts to snapshots: every parser over every text, then one snapshot for each subject."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from xpu_doctor.diagnosis import known_messages
from xpu_doctor.model.facts import (
    Access,
    Distributions,
    Environment,
    Errors,
    ErrorText,
    Import,
    Kernel,
    LevelZero,
    Machine,
    Python,
    Torch,
    Xpu,
    ZeDriver,
)
from xpu_doctor.model.facts.pasted import Pasted
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot
from xpu_doctor.model.terms import Origin, Part, TorchBuild
from xpu_doctor.model.unknown import Maybe, Unknown, known_or
from xpu_doctor.pasted import kernel_facts
from xpu_doctor.pasted.harm import read_harm
from xpu_doctor.pasted.readers import (
    applications,
    complaints,
    containers,
    device_nodes,
    devices,
    driver_facts,
    inventories,
    kernel_lines,
    layout,
    memory,
    oneapi,
    pip_log,
    python_facts,
    system,
    told_versions,
    torch_output,
    variables,
    windows_adapters,
    working,
)
from xpu_doctor.pasted.readers.apart import apart
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.other_makers import speaks_of_intel, wants_another
from xpu_doctor.pasted.readers.own_output import Own, own_output, put, without
from xpu_doctor.pasted.readers.subjects import split
from xpu_doctor.pasted.removed_lines import without_removed
from xpu_doctor.tables.signatures import by_id

PARSERS: tuple[tuple[str, Callable[[Text, Collected], None]], ...] = (
    ("python", python_facts.parse),
    ("pip", pip_log.parse),
    ("devices", devices.parse),
    ("system", system.parse),
    ("containers", containers.parse),
    ("device nodes", device_nodes.parse),
    ("variables", variables.parse),
    ("kernel", kernel_lines.parse),
    ("oneAPI", oneapi.parse),
    ("driver", driver_facts.parse),
    ("torch", torch_output.parse),
    ("applications", applications.parse),
    ("versions", told_versions.parse),
    ("inventories", inventories.parse),
    ("windows", windows_adapters.parse),
    ("working", working.parse),
    ("import", torch_output.parse_import),
    ("complaints", complaints.parse),
    ("memory", memory.parse),
    ("layout", layout.parse),
)
GROUPS: Mapping[str, type[Any]] = {
    "machine": Machine,
    "kernel": Kernel,
    "access": Access,
    "python": Python,
    "torch": Torch,
    "imported": Import,
    "xpu": Xpu,
    "pasted": Pasted,
}
COMPLAINTS = frozenset(
    {
        "claim-app-no-gpu",
        "claim-cpu-used",
        "claim-not-detected",
        "claim-wrong-gpu",
        "claim-app-unknown-device",
        "wrong-numbers",
        "nan-in-image",
        "memory-query-failed",
    }
)
"""Claims of the table of known messages that say that something does not work."""
ABOUT_TORCH = (
    "torch", "ipex", "xpu", "comfyui", "vllm", "diffusion", "extension-for-pytorch", "ai playground", "ai-backend", "sd.next", "sdnext", "webui",
)  # fmt: skip
"""Words one of which is in a text that speaks of PyTorch or of an application of it."""
SHARED = ("gpus", "kernel")
"""Fact groups that a container has in common with its host."""
OF_THE_CONTAINER = frozenset({"image-for-intel-gpu", "claim-host-sees"})
"""What is told of a container outside of it, where the host's lines are."""
NOT_IN_TEXT = Unknown("not in the text")


def read(texts: Iterable[Text]) -> tuple[Snapshot, ...]:
    """Return a snapshot of each subject that the texts show; several texts are one machine."""
    parts: dict[str, list[Text]] = {}
    own: list[tuple[str, Own]] = []
    for text in texts:
        left = without_removed(text.body)
        if left != text.body:
            text = Text(left, text.name)  # noqa: PLW2901 - what a diff removed is not there
        found = own_output(text)
        if found.lines:
            own.append((text.name, found))
            text = Text(without(text.body, found), text.name)  # noqa: PLW2901 - what is left of it
        found_apart = apart(text)
        for subject, part in split(found_apart.text if found_apart else text):
            parts.setdefault(subject, []).append(part)
    if len(parts) > 1 and "machine" in parts:
        parts.setdefault("host", []).extend(parts.pop("machine"))
    read_parts = {
        subject: _read_one(subject, bodies, own if number == 0 else ())
        for number, (subject, bodies) in enumerate(parts.items())
    }
    if "host" in read_parts and "container" in read_parts:
        read_parts["container"] = _with_shared(read_parts["container"], read_parts["host"])
        host = read_parts["host"]
        if any(text.has("+xpu") and text.has("false") for text in parts["container"]):
            host = _without_torch(host, read_parts["container"])
        read_parts["host"] = dataclasses.replace(host, pasted=dataclasses.replace(host.pasted, in_container=True))
    return tuple(read_parts.values())


def _read_one(subject: str, texts: list[Text], own: Sequence[tuple[str, Own]]) -> Snapshot:
    facts = Collected()
    failed: list[ProbeFailure] = []
    for text in texts:
        for name, parse in PARSERS:
            try:
                parse(text, facts)
            except Exception as error:  # a text may hold anything; what one parser cannot read must not stop the rest
                failed.append(ProbeFailure(Part.TOOL, f"the parser {name}", f"{type(error).__name__}: {error}"))
    met: list[ErrorText] = []
    mentioned: list[ErrorText] = []
    for text, harmless in read_harm(texts, facts):
        found_messages = known_messages.match_pasted(
            text.searched, text.name, without=harmless, statements=text.statements
        )
        met.extend(found_messages.told)
        mentioned.extend(found_messages.mentioned)
    if facts.failures or not facts.get("pasted.proposes"):
        facts.complaints.extend(error.source for error in met if error.signature in COMPLAINTS)
    _establish(met, facts)
    for name, found in own:
        put(found, facts, name)
    facts.reported.extend(item for _, found in own for item in found.reported)
    told = {error.signature for error in met}
    errors = Errors(tuple(met), tuple(error for error in mentioned if error.signature not in told))
    return _snapshot(subject, facts, texts, errors, tuple(failed))


def _establish(met: Sequence[ErrorText], facts: Collected) -> None:
    """Add the facts that met messages prove, where the text does not say otherwise."""
    rows = by_id()
    ids = {error.signature for error in met}
    for error in met:
        if not ids.isdisjoint(rows[error.signature].contradicted_by):
            continue
        for path, value in rows[error.signature].establishes:
            facts.put(
                path, {"true": True, "false": False}.get(value, int(value) if value.isdigit() else value), error.source
            )
    if facts.get("xpu.available") is True and facts.get("xpu.device_count") == 0:
        facts.values.pop("xpu.available")
    if facts.get("xpu.compiled") is False or "not-linked-xpu" in ids:
        working.withdraw(facts)


def _snapshot(
    subject: str, facts: Collected, texts: list[Text], errors: Errors, failures: tuple[ProbeFailure, ...]
) -> Snapshot:
    if facts.get("access.nodes") == ():
        facts.values.pop("access.nodes")
    _derive(facts, texts)
    values: dict[str, dict[str, Any]] = {name: {} for name in GROUPS}
    for path, value in facts.values.items():
        group, _, field = path.partition(".")
        if group in GROUPS and field in GROUPS[group].__dataclass_fields__:
            values[group][field] = value
    values["pasted"].update(
        blocks=tuple(facts.blocks),
        damage=tuple(facts.damage),
        applications=tuple(facts.applications.values()),
        gpu_families=tuple(facts.families),
        gpu_kinds=tuple(facts.kinds),
        packages=tuple(facts.packages),
        reported=tuple(facts.reported),
        reported_ladder=tuple(facts.reported_ladder),
        working=tuple(facts.working),
        failures=tuple(facts.failures),
        complaints=tuple(facts.complaints),
    )
    values["pasted"].setdefault("gpu_count", max(len(facts.devices), 0))
    if facts.devices:
        values["xpu"]["devices"] = tuple(facts.devices.values())
        values["xpu"].setdefault("device_count", len(facts.devices))
    made = {name: _group(GROUPS[name], values[name]) for name in GROUPS}
    return Snapshot(
        origin=Origin.PASTED,
        subject=subject,
        gpus=tuple(facts.gpus) or NOT_IN_TEXT,
        environment=Environment(tuple(facts.variables.values()) or NOT_IN_TEXT),
        distributions=_group(
            Distributions, {"installed": tuple(facts.distributions.values())} if facts.distributions else {}
        ),
        level_zero=_level_zero(facts),
        errors=errors,
        sources=facts.all_sources(),
        failures=failures,
        **made,
    )


def _derive(facts: Collected, texts: Sequence[Text]) -> None:
    """Add what follows from several facts together."""
    about = facts.get("pasted.own_output") is True or any(text.has(*ABOUT_TORCH) for text in texts)
    if about or any(text.body.strip() for text in texts):
        facts.put("pasted.about_torch", about, "the text")
    kernel_facts.compare_release(facts)
    if not about:
        facts.gpus[:] = [gpu for gpu in facts.gpus if isinstance(gpu.device_id, int) or gpu.address]
    if facts.get("machine.os"):
        facts.put("python.os", facts.get("machine.os"), facts.sources["machine.os"])
    facts.put("pasted.trouble", bool(facts.failures or facts.complaints), "the text")
    if any(map(wants_another, texts)) and not any(map(speaks_of_intel, texts)):
        facts.put("pasted.for_other_gpu", True, "the text")
    if "AI Playground" in facts.applications:
        facts.put("pasted.for_intel_gpu", True, facts.applications["AI Playground"].source)
    _versions(facts)
    told_versions.beside_used(facts)
    _groups(facts)
    kernel_facts.derive(facts, texts)
    shown = (
        ("xpu.device_count", facts.get("xpu.device_count") == 0),
        ("xpu.available", facts.get("xpu.available") is False),
        ("pasted.opencl_platforms", facts.get("pasted.opencl_platforms") == 0),
        ("pasted.level_zero_gpus", facts.get("pasted.level_zero_gpus") == 0 and facts.get("xpu.available") is not True),
    )
    none = next((path for path, says_none in shown if says_none), "")
    if none:
        facts.put("pasted.no_device", True, facts.sources[none])
    elif facts.get("xpu.available") is True:
        facts.put("pasted.no_device", False, facts.sources["xpu.available"])


def _versions(facts: Collected) -> None:
    """Compare the oneAPI release that is named with the one of the runtime packages, and count the Tritons."""
    oneapi, runtime = (
        facts.get("pasted.oneapi"),
        facts.distributions.get("intel-sycl-rt") or facts.distributions.get("intel-cmplr-lib-rt"),
    )
    if oneapi and runtime is not None and isinstance(runtime.version, str):
        differs = str(oneapi).split(".")[:2] != runtime.version.split(".")[:2]
        facts.put("pasted.oneapi_differs", differs, facts.sources["pasted.oneapi"])
    tritons = {"triton", "triton-xpu", "pytorch-triton-xpu"} & set(facts.distributions)
    facts.put("pasted.two_tritons", len(tritons) > 1, "the text")


def _groups(facts: Collected) -> None:
    """Compare the user's groups with the group of the render node, where both are shown: both by name, or by a number without a name."""
    nodes, groups = facts.get("access.nodes"), facts.get("access.account_groups")
    if not nodes or groups is None or facts.get("access.is_root"):
        return
    nameless = any(group.isdigit() for group in groups)
    for node in nodes:
        comparable = node.group in groups or node.group.isdigit() or not nameless
        if comparable and "render" in node.path and isinstance(node.mode, int) and not node.mode & 0o006:
            facts.put("pasted.not_in_group", node.group not in groups, facts.sources["access.account_groups"])


def _level_zero(facts: Collected) -> LevelZero:
    """Return what the text shows of the Level Zero driver: its version, where one is told."""
    build = facts.get("pasted.driver_build")
    if not build:
        return LevelZero(**_blank(LevelZero))
    facts.sources.setdefault("level_zero.drivers", facts.sources.get("pasted.driver_version", "the text"))
    driver = ZeDriver(0, str(facts.get("pasted.driver_version")), int(build))
    return LevelZero(**{**_blank(LevelZero), "drivers": (driver,)})


def _group(kind: Any, values: dict[str, Any]) -> Any:
    """Make a fact group; what the text does not show is unknown for that reason."""
    return kind(**{**_blank(kind), **values})


@cache
def _blank(kind: type[Any]) -> Mapping[str, Any]:
    """Return the facts of a group, none of which the text shows."""
    return {
        name: NOT_IN_TEXT for name, field in kind.__dataclass_fields__.items() if isinstance(field.default, Unknown)
    }


def _without_torch(host: Snapshot, container: Snapshot) -> Snapshot:
    """Return the host without its CPU build of torch where the container's torch finds no GPU: that one is what fails."""
    if host.torch.build != TorchBuild.CPU or container.torch.build == TorchBuild.CPU or container.xpu.available is True:
        return host
    return dataclasses.replace(
        host, torch=_group(Torch, {}), xpu=_group(Xpu, {}), distributions=_group(Distributions, {})
    )


def _shows_render_node(host: Snapshot) -> Maybe[bool]:
    nodes = host.access.nodes
    shown = isinstance(nodes, tuple) and any("render" in node.path for node in nodes)
    return True if shown else host.pasted.driver_bound


def _with_shared(container: Snapshot, host: Snapshot) -> Snapshot:
    """Give the container the facts that it shares with its host: the GPUs and the kernel."""
    changes = {
        name: getattr(host, name)
        for name in SHARED
        if isinstance(getattr(container, name), Unknown) or name == "kernel"
    }
    pasted = dataclasses.replace(
        container.pasted,
        gpu_families=tuple(dict.fromkeys((*container.pasted.gpu_families, *host.pasted.gpu_families))),
        gpu_kinds=tuple(dict.fromkeys((*container.pasted.gpu_kinds, *host.pasted.gpu_kinds))),
        in_container=True,
        driver_bound=container.pasted.driver_bound
        if isinstance(container.pasted.driver_bound, bool)
        else _shows_render_node(host),
        dri_passed=container.pasted.dri_passed
        if isinstance(container.pasted.dri_passed, bool)
        else host.pasted.dri_passed,
        applications=container.pasted.applications or host.pasted.applications,
    )
    return dataclasses.replace(container, pasted=pasted, errors=_with_told(container.errors, host.errors), **changes)


def _with_told(inside: Errors, outside: Errors) -> Errors:
    """Give the container's messages those of the host's that speak of the container."""
    met = known_or(inside.met, ())
    known = {error.signature for error in met}
    told = (error for error in known_or(outside.met, ()) if error.signature in OF_THE_CONTAINER - known)
    return dataclasses.replace(inside, met=(*met, *told))
