"""What the tables know of a GPU, by its PCI id or by the name that people give it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, KnownFact, NotUnderstood, fact, stated
from xpu_doctor.catalogue.knowledge.faults import faults_of
from xpu_doctor.model.facts import Pasted
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.tables.device_names import GpuName, NamedGpu, named_gpus
from xpu_doctor.tables.devices import Device, families, find_device, known_ids
from xpu_doctor.tables.drivers import BadBuild, BadKernel, FirstBuild, first_build, release_of, windows_minimum
from xpu_doctor.tables.peaks import Peak
from xpu_doctor.tables.rows import rows

_ID = re.compile(
    r"(?:.{0,60}\bdev_|\W{0,2}(?:pci\s)?8086[: ]|0x)?([0-9a-f]{4})(?:[&:].{0,80}|\]?(?P<more>(?:\s.{0,80})?))"
)
"""An id alone, after the vendor's as lspci writes it, or in a Windows hardware id."""
_ONE_ID = re.compile(r"\b(?:0x)?(?=[0-9a-f]{0,3}\d)[0-9a-f]{4}\b")
_WHOLE_ID = re.compile(r"\b[0-9a-f]{4}:[0-9a-f]{4}\b|\b8086 [0-9a-f]{4}\b")
_BESIDE = re.compile(
    r"""
    (?<![^\W_])(?:
      intel(?:\(r\)|®)? | corporation | \(tm\)|™ | graphics | gpus? | card | series | edition | limited | desktop | laptop | mobile | discrete
      | integrated | device | video | vga | display | controller | compatible | 3d | xe\d? | arc(?:\(tm\)|™)? | pro | iris | data | center | max
      | flex | \d{1,3}[ ]?gi?b | core | ultra | processor | rev | the | an? | my | [0-9a-f]{2}(?=\)) | [0-9a-f]{2}:[0-9a-f]{2}\.\d | 8086(?=:)
      | \d{1,2}(?:st|nd|rd|th)[ ]gen
    )(?![^\W_]) | [][():,-]
    """,
    re.VERBOSE,
)
"""What may stand beside the name of one of Intel's GPUs."""
_MODEL = re.compile(r"Arc\(TM\) (?:Pro )?([AB]\d{2,3}[A-Z]?)\b")
SEVERAL = 6
"""Ids of a family that are worth listing one by one."""


def gpu_knowledge(asked: str, today: str) -> Knowledge:
    """Return what is known of a GPU: `e20b`, `8086:e20b`, `PCI\\VEN_8086&DEV_E20B`, `Arc B580`, `Battlemage`.

    Raises:
        NotUnderstood: that is neither an id nor a name of an Intel GPU, or more than one.
    """
    wanted = asked.strip()
    if len(_ids(wanted)) > 1 or len({gpu.group for gpu in named_gpus(wanted)}) > 1:
        raise NotUnderstood(f"{asked!r} names several GPUs: ask for one GPU at a time")
    number = _id(wanted)
    if number is not None:
        device = find_device(number)
        if device is None:
            note = f"0x{number:04x} is not among the ids of Intel GPUs that the table has: unknown, not unsupported"
            return Knowledge("gpu", asked, (), note)
        return Knowledge("gpu", asked, (Entry(_title(device), _facts(device, today)),))
    named = _named(wanted)
    if named is None:
        if not wanted:
            raise NotUnderstood("name a GPU: a PCI id such as e20b or 8086:e20b, or a name such as Arc B580")
        note = f"{wanted!r} is neither a PCI id (e20b, 8086:e20b) nor a name of an Intel GPU that the table has"
        return Knowledge("gpu", asked, (), note)
    if not named.family:
        row = next(row for row in rows(GpuName) if row.group == named.group)
        known = (fact("kind", named.kind.value, row, today), fact("family", named.group, row, today))
        return Knowledge(
            "gpu", asked, (Entry(named.name, known),), "the name does not tell the family; ask by the PCI id"
        )
    return Knowledge("gpu", asked, (Entry(named.name, _named_facts(named, today)),))


def near_names(asked: str) -> tuple[str, ...]:
    """Return the names of graphics cards that begin as the last word of what was asked, as people shorten them: `b580`, `arc b580`."""
    begin = asked.strip().lower().rpartition(" ")[2][:2]
    found: dict[str, None] = {}
    for number in known_ids():
        device = find_device(number)
        if device is not None and (model := _MODEL.search(device.name)):
            name = model[1].lower()
            forms = (name, f"arc {name}") if len(begin) > 1 and name.startswith(begin) else ()
            found |= dict.fromkeys(form for form in forms if _named(form))
    return tuple(found)


def _named(text: str) -> NamedGpu | None:
    """Return the GPU that a text names, also where it is only the last word of the name: `b70`, `140v`, `flex170`."""
    spaced = re.sub(r"(?i)^(flex|max)(\d)", r"\1 \2", text)
    forms = (text, f"arc {text}", f"arc pro {text}", f"data center gpu {spaced}")
    return next(
        (gpu for form in forms if len(text) <= 60 for gpu in named_gpus(form) if not _foreign_words(form)), None
    )


def _foreign_words(text: str) -> list[str]:
    """Return what stands in a text beside names of GPUs and is no part of what Intel's are called: another maker, another thing."""
    for gpu in named_gpus(text):
        text = text.replace(gpu.name.removeprefix("GPU of "), " ")
    return _BESIDE.sub(" ", text.lower()).split()


def _ids(text: str) -> set[str]:
    """Return the ids of devices that a text holds, each with its vendor's; of a name's text only those with a vendor's."""
    lowered = text.lower()
    if "dev_" in lowered:
        return set()
    whole = {found[0].replace(" ", ":") for found in _WHOLE_ID.finditer(lowered)}
    return whole or (set() if any(named_gpus(text)) else {found[0] for found in _ONE_ID.finditer(lowered)})


def _id(text: str) -> int | None:
    """Return the PCI id that a text is, None where it is none; what names a GPU as well is a name."""
    found = _ID.fullmatch(text.lower())
    if found is None or _foreign_words(found["more"] or ""):
        return None
    number = int(found[1], 16)
    return number if find_device(number) is not None or not any(named_gpus(text)) else None


def _title(device: Device) -> str:
    return f"{device.name} (8086:{device.device_id:04x})"


def _named_facts(named: NamedGpu, today: str) -> tuple[KnownFact, ...]:
    family = families()[named.family]
    devices = [
        device
        for number in known_ids()
        if (device := find_device(number)) is not None and device.family.key == family.key
    ]
    of_name = [device for device in devices if named.name.lower().split()[-1] in device.name.lower()]
    close = of_name or devices
    ids = tuple(f"8086:{device.device_id:04x} {device.name}" for device in close[:SEVERAL])
    more = len(close) - len(ids)
    listed = (*ids, f"and {more} more") if more > 0 else ids
    alike = len({device.name for device in close}) == 1
    one = close[-1] if alike else Device(0, named.name if of_name else "", family)
    return (fact("ids", listed, family, today), *_facts(one, today))


def _facts(device: Device, today: str) -> tuple[KnownFact, ...]:
    family = device.family
    return stated(
        (
            fact("family", f"{family.codename} ({family.key})", family, today),
            fact("architecture", family.architecture, family, today),
            fact("kind", family.kind.value, family, today),
            fact("torch.xpu", family.torch.value, family, today),
            fact("first torch release", family.min_torch, family, today),
            fact("double precision", family.fp64, family, today),
            fact("matrix engines", family.xmx, family, today),
            fact("kernel driver", family.kernel_driver, family, today),
            fact("first kernel", family.min_kernel, family, today, sure=family.kernel_sure),
            fact("package of the kernel driver", family.kernel_package, family, today),
            fact("refused without Resizable BAR", family.rebar, family, today),
            *_of_drivers(device, today),
            *_peaks(device, today),
            fact("note", family.note, family, today),
            *_bad(device, today),
        )
    )


def _of_drivers(device: Device, today: str) -> Iterator[KnownFact]:
    build = first_build(device)
    if build:
        row = next((row for row in rows(FirstBuild) if device.family.key in row.families), device.family)
        release = release_of(build)
        yield fact("first compute-runtime", f"{release}.{build}" if release else f"build {build}", row, today)
    windows = windows_minimum(device)
    if windows is not None:
        yield fact("Windows driver", windows.why, windows, today)


def _peaks(device: Device, today: str) -> Iterator[KnownFact]:
    for row in rows(Peak):
        if device.device_id in row.ids:
            published = tuple(f"{dtype} {value:g}" for dtype, value in row.tflops.items() if dtype not in row.derived)
            derived = tuple(f"{dtype} {row.tflops[dtype]:g} ({how})" for dtype, how in row.derived.items())
            yield fact("peak TFLOP/s", published, row, today)
            yield fact("peak TFLOP/s, derived", derived, row, today, sure=False)
            yield fact("note on the peak", row.note, row, today)


def _bad(device: Device, today: str) -> Iterator[KnownFact]:
    family = device.family
    for bad in rows(BadBuild):
        if family.key in bad.families:
            bounds = dict.fromkeys(release_of(build) or f"build {build}" for build in bad.builds)
            yield fact("bad driver", f"{' to '.join(bounds)}: {bad.symptom}", bad, today)
    for kernel in rows(BadKernel):
        if family.key in kernel.families:
            yield fact("bad kernel", f"{' to '.join(kernel.kernels)}: {kernel.symptom}", kernel, today)
    groups = {row.group for row in rows(GpuName) if row.family == family.key}
    of_groups = Snapshot(pasted=Pasted(gpu_families=tuple(sorted(groups))))
    yield from faults_of(of_groups, "pasted.gpu_families", today, device.name)
