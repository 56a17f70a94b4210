"""Remedies where nobody told the operating system: those of Linux and those of Windows, each named, and what both share once. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from xpu_doctor.model.findings import Remedy

SYSTEMS = ("linux", "windows")
"""The systems on which torch drives Intel GPUs."""


def either(linux: Sequence[Remedy], windows: Sequence[Remedy]) -> tuple[Remedy, ...]:
    """Return what to do on either system: shared steps once, the others under the name of their system."""
    if not windows or not linux:
        return tuple(linux or windows)
    shared = [steps for steps in _steps(linux) if _core(steps) in map(_core, _steps(windows))]
    told = [*map(_core, shared)]
    result: list[Remedy] = []
    own = {
        "Linux": [steps for steps in _steps(linux) if _core(steps) not in told],
        "Windows": [steps for steps in _steps(windows) if _core(steps) not in told],
    }
    alone = not all(own.values())
    for name, several in own.items():
        result += [step for steps in several for step in _named(steps, name, keep=alone and not _types(steps))]
    common = [replace(step, os="") for steps in shared for step in steps]
    first_is_shared = bool(shared) and _core(_steps(linux)[0]) in told
    return tuple([*common, *result] if first_is_shared else [*result, *common])


def types_anything(remedies: Iterable[Remedy]) -> bool:
    """Return whether remedies hold lines to type, or are of one system alone."""
    return any(remedy.commands or remedy.verify or remedy.os for remedy in remedies)


def _types(steps: Iterable[Remedy]) -> bool:
    return any(step.commands for step in steps)


def _steps(remedies: Sequence[Remedy]) -> list[tuple[Remedy, ...]]:
    """Return remedies as ways, each with the steps that follow its first one."""
    ways: list[list[Remedy]] = []
    for remedy in remedies:
        if remedy.besides and ways:
            ways[-1].append(remedy)
        else:
            ways.append([remedy])
    return [tuple(way) for way in ways]


def _core(steps: Iterable[Remedy]) -> tuple[tuple[object, ...], ...]:
    """Return what two systems must share for a way to be the same on both."""
    return tuple((step.title, step.why, step.commands, step.verify, step.url) for step in steps)


def _named(steps: Iterable[Remedy], system: str, keep: bool) -> Iterable[Remedy]:
    """Yield steps under the name of their system; what is typed around WSL says where by itself."""
    for step in steps:
        if keep or step.side in ("windows", "wsl"):
            yield step
        else:
            yield replace(step, title=f"On {system}: {step.title}", os=step.os or system.lower())
