"""What several facts of a text say together of the kernel's GPU driver: whether one is at work, and whether the kernel is too old for the GPU."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from xpu_doctor.model.unknown import NOT_EXAMINED
from xpu_doctor.model.versions import numbers
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.distributions import carries_backports
from xpu_doctor.tables.gpus import device_of, intel_gpus
from xpu_doctor.text.late_pattern import late_pattern

GRAPHICS = ("i915", "xe")
_AT_WORK = late_pattern(
    r"""
    \b(?:i915|xe)\s(?P<by_driver>(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d):\s\[drm\]\s
    (?:Found\b|Initialized\b|VISIBLE\sVRAM|Total\sVRAM|VRAM\[|Local\smemory|GuC\sfirmware\s\S{1,80}\sversion)
    | \[drm\]\sInitialized\s(?:i915|xe)\s\S{1,40}(?:\s\S{1,40})?\sfor\s(?P<minor>(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d)\b
    | \bpci-(?P<path>[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.\d)-render\b
    | \bdriver:\s(?:i915|xe)\s(?:v:|arch|ports|bus-ID)(?P<inxi>)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GAVE_UP = late_pattern(
    r"\b(?:i915|xe)\s(?P<address>(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d): probe with driver \w{1,20} failed\b",
    re.IGNORECASE,
)
_AT_WORK_WORDS = ("[drm]", "-render", "driver: i915", "driver: xe")


def derive(facts: Collected, texts: Iterable[Text]) -> None:
    """Add whether a kernel driver serves an Intel GPU."""
    addresses = _addresses(facts, texts)
    answering = _answering(facts)
    mine = intel_gpus(facts.gpus)
    facts.gpus[:] = [
        dataclasses.replace(gpu, kernel_driver=NOT_EXAMINED)
        if gpu.kernel_driver == "" and gpu.vendor == "intel" and (gpu.address in addresses or answering >= len(mine))
        else gpu
        for gpu in facts.gpus
    ]
    if answering or addresses or any(gpu.kernel_driver in GRAPHICS for gpu in mine) or _nodes_of_intel(facts):
        facts.put("pasted.driver_bound", True, "the text")


def _addresses(facts: Collected, texts: Iterable[Text]) -> frozenset[str]:
    """Return the addresses of the GPUs that i915 or xe drives, by their log, a link to a render node or inxi; empty text where none is told."""
    found = set()
    for text in texts:
        for match in text.matches(_AT_WORK, *_AT_WORK_WORDS):
            address = next((group for group in match.groups() if group), "")
            found.add(_whole(address))
        found -= {_whole(match["address"]) for match in text.matches(_GAVE_UP, "probe with driver")}
    vendors = {gpu.address: gpu.vendor for gpu in facts.gpus}
    return frozenset(address for address in found if vendors.get(address, "intel") == "intel")


def _whole(address: str) -> str:
    """Return an address with its domain."""
    return address if address.count(":") != 1 else f"0000:{address}"


def _answering(facts: Collected) -> int:
    """Return how many Intel GPUs programs are seen to reach, which none does without a kernel driver."""
    counts = [
        facts.get(path) or 0
        for path in ("pasted.level_zero_gpus", "pasted.opencl_gpus", "pasted.sysman_gpus", "xpu.device_count")
    ]
    return max(*counts, len(facts.devices), int(facts.get("xpu.available") is True))


def _nodes_of_intel(facts: Collected) -> bool:
    """Return whether the render nodes of a text can only be of Intel GPUs, since it shows no other vendor's."""
    others = any(gpu.vendor != "intel" for gpu in facts.gpus) or not facts.gpus
    return not others and facts.get("pasted.dri_missing") is False and facts.get("pasted.no_render_node") is not True


def compare_release(facts: Collected) -> None:
    """Add the first mainline kernel that drives the GPUs that are named, where the one in the text is older.

    Kernels with back-ports tell nothing by their number.
    """
    release = str(facts.get("kernel.version") or "")
    version = numbers(release)[:2]
    needed = [device.family.min_kernel for gpu in intel_gpus(facts.gpus) if (device := device_of(gpu)) is not None]
    if (
        not version
        or not needed
        or not all(needed)
        or carries_backports(release, str(facts.get("machine.distribution") or ""))
    ):
        return
    least = min(needed, key=numbers)
    facts.put("pasted.kernel_below", least if version < numbers(least) else "", facts.sources["kernel.version"])
