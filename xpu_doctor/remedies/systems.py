"""Remedies where nobody told the operating system: those of Linux and those of Windows, each named, and what both share once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from xpu_doctor.model.findings import Remedy

SYSTEMS = ("linux", "windows")
"""The systems on which torch drives Intel GPUs."""


def either(linux: Sequence[Remedy], windows: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Return what to do on either system: shared steps once, the others under the name of their system."""
    if not windows or not linux:
        return tuple(linux or windows)
    ways = {"Linux": _ways(linux), "Windows": _ways(windows)}
    shared = [way for way in ways["Linux"] if way in ways["Windows"]]
    own = {name: [way for way in several if way not in shared] for name, several in ways.items()}
    result: list[Remedy] = []
    for way in own["Linux"]:
        twin = next((other for other in own["Windows"] if _alike(way, other)), None)
        if twin is None:
            result += _named(way, "Linux")
            continue
        own["Windows"].remove(twin)
        result += _typed_otherwise(way, twin)
    result += [step for way in own["Windows"] for step in _named(way, "Windows")]
    common = [step for way in shared for step in way]
    return tuple([*common, *result] if ways["Linux"][0] in shared else [*result, *common])


def under_its_name(remedies: Iterable[Remedy]) -> tuple[Remedy, ...]:
    """Return remedies whose titles say their system, where they are of one."""
    return tuple(
        step for remedy in remedies for step in (_named([remedy], remedy.os.capitalize()) if remedy.os else [remedy])
    )


def types_anything(remedies: Iterable[Remedy]) -> bool:
    """Return whether remedies hold lines to type, or are of one system alone."""
    return any(remedy.commands or remedy.verify or remedy.os for remedy in remedies)


def _ways(remedies: Sequence[Remedy]) -> list[tuple[Remedy, ...]]:
    """Return remedies as ways, each with the steps that follow its first one; what is typed alike is of no system."""
    ways: list[list[Remedy]] = []
    for remedy in remedies:
        if remedy.besides and ways:
            ways[-1].append(remedy)
        else:
            ways.append([remedy])
    return [tuple(replace(step, os="", steps=(), proofs=()) for step in way) for way in ways]


def _alike(way: Sequence[Remedy], other: Sequence[Remedy]) -> bool:
    """Return whether two ways are one, of which only the first step is typed otherwise."""
    return way[1:] == other[1:] and (way[0].title, way[0].why) == (other[0].title, other[0].why)


def _typed_otherwise(way: Sequence[Remedy], twin: Sequence[Remedy]) -> Iterator[Remedy]:
    """Yield one way on both systems: what it is for is told once, and what follows its first step stands behind both."""
    yield from _named(way[:1], "Linux")
    yield from _named([replace(twin[0], why="")], "Windows")
    yield from way[1:]


def _named(steps: Iterable[Remedy], system: str) -> Iterator[Remedy]:
    """Yield steps under the name of their system; what is typed around WSL says where by itself."""
    for step in steps:
        around = step.side in ("windows", "wsl")
        yield step if around else replace(step, title=f"On {system}: {step.title}", os=system.lower())
