"""What to install where a text tells a version that works: that one again. It is no surer than the word of whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.facts.pasted import Pasted
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.unknown import known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.driver import RELEASES, WINDOWS_DRIVER
from xpu_doctor.tables.releases import STABLE, release_of

PARTS: Mapping[str, str] = {
    "pytorch-bug": "torch",
    "compute-wrong-result": "torch",
    "gpu-driver-bug": "driver",
    "gpu-driver-too-old": "driver",
    "kernel-regression": "kernel",
    "kernel-too-old": "kernel",
}
"""The part of the system whose version a code blames."""
WORD = "The text says that it works; nothing here was examined, so keep a way back."

_FULL_RUNTIME = re.compile(r"2[0-9]\.\d{2}\.\d{5,6}(?:\.\d{1,4})?")
_RELEASE = re.compile(r"(2\.\d{1,2})(?:\.(\d{1,2}|x))?(?:\+xpu)?")


def told_good(code: str, machine: Machine, pasted: Pasted) -> tuple[Remedy, ...]:
    """Return the remedy that installs the version which a text says works, for the part that a code blames; empty where it tells none."""
    part = PARTS.get(code, "")
    bad = {item.version for item in pasted.bad_versions if item.part == part}
    good = [item.version for item in pasted.good_versions if item.part == part and item.version not in bad]
    if not good:
        return ()
    version = max(good, key=numbers)
    if part == "torch":
        return _torch(version)
    return (_kernel(version),) if part == "kernel" else (_driver(version, (*good, *bad), machine),)


def _torch(version: str) -> tuple[Remedy, ...]:
    match = _RELEASE.fullmatch(version)
    row = release_of(version) if match else None
    if match is None or row is None or row.xpu_wheel is False:
        return ()
    third = match[2]
    exact = third is not None and third != "x"
    specs = [f"torch=={match[1]}.{third}" if exact else f"torch=={match[1]}.*"]
    if exact and row.torch == f"{match[1]}.{third}":
        pairs = (("torchvision", row.torchvision), ("torchaudio", row.torchaudio))
        specs += [f"{name}=={wanted}" for name, wanted in pairs if wanted]
    return (
        Remedy(
            f"Use torch {match[1]}{f'.{third}' if exact else ''}",
            WORD,
            commands=(f"python -m pip install {' '.join(specs)} --index-url {STABLE}",),
            risk=Risk.REINSTALL,
        ),
    )


def _kernel(version: str) -> Remedy:
    return Remedy(
        f"Start kernel {version}",
        f"{WORD} The boot menu offers every kernel that is still installed.",
        os="linux",
        risk=Risk.REBOOT,
        verify=("uname -r",),
    )


def _is_of_windows(version: str) -> bool:
    return version.startswith(("30.0.", "31.0.", "32.0.", "101.")) or version.isdigit()


def _driver(version: str, told: Iterable[str], machine: Machine) -> Remedy:
    windows = known_or(machine.os, "") == "windows" or any(map(_is_of_windows, told))
    if windows:
        return Remedy(
            f"Install Intel's graphics driver {version}"
            if version
            else "Install the graphics driver that you had before",
            f"{WORD} Device Manager rolls back to the driver before this one; the page's list of versions has the older ones.",
            os="windows",
            risk=Risk.REBOOT,
            url=WINDOWS_DRIVER,
        )
    tag = f"/tag/{version}" if _FULL_RUNTIME.fullmatch(version) else ""
    return Remedy(
        f"Install GPU driver {version}" if version else "Install the GPU driver that you had before",
        f"{WORD} Take all packages of that release: driver, graphics compiler and loader are built for each other.",
        os="linux",
        risk=Risk.ADMIN,
        url=RELEASES + tag,
    )
