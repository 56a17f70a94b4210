"""What to install where a text tells a version that works: that one again. It is no surer than the word of whoever wrote it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from xpu_doctor.model.facts import Machine
from xpu_doctor.model.facts.pasted import ToldVersion
from xpu_doctor.model.findings import Remedy, Risk
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.boot import on_host
from xpu_doctor.remedies.driver import RELEASES, WINDOWS_DRIVER
from xpu_doctor.tables.releases import NIGHTLY, STABLE, release_of

PARTS: Mapping[str, str] = {
    "pytorch-bug": "torch",
    "compute-wrong-result": "torch",
    "gpu-driver-bug": "driver",
    "gpu-driver-too-old": "driver",
    "kernel-regression": "kernel",
    "kernel-too-old": "kernel",
}
"""The part of the system whose version a code blames."""
OF_EXTENSION = frozenset({"pytorch-bug", "compute-wrong-result", "ipex-mismatch"})
"""Codes that blame Intel's extension where the text tells versions of it, and none of torch."""
EXTENSION_RELEASES = "https://github.com/intel/intel-extension-for-pytorch/releases"
WORD = "The text says that it works; nothing here was examined, so keep a way back."

APPLICATIONS: Mapping[str, str] = {
    "vllm": "vLLM",
    "comfyui": "ComfyUI",
    "transformers": "Transformers",
    "diffusers": "Diffusers",
    "accelerate": "Accelerate",
    "ollama": "Ollama",
    "openvino": "OpenVINO",
    "frigate": "Frigate",
}
"""Applications whose versions texts tell, by the names that the reader gives them."""

_NIGHTLY = re.compile(r"(2\.\d{1,2}\.\d{1,2}\.dev20\d{6})(?:\+xpu)?")
_EXTENSION = re.compile(r"[12]\.\d{1,2}\.\d{1,3}")
_FULL_RUNTIME = re.compile(r"2[0-9]\.\d{2}\.\d{5,6}(?:\.\d{1,4})?")
_RELEASE = re.compile(r"(2\.\d{1,2})(?:\.(\d{1,2}|x))?(?:\+xpu)?")


def told_good(code: str, snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return the remedy that installs the version which a text says works, for the part that a code blames; empty where it tells none.

    A version that the text also calls bad is none; against "too old" only one that is newer than those and than the one in use helps.
    """
    part = PARTS.get(code, "")
    if code == "app-bug":
        return _application(snapshot)
    good = tuple(_good(part, snapshot, newer=code.endswith("-too-old")))
    if not good:
        return _extension(snapshot) if code in OF_EXTENSION else ()
    best = max(good, key=lambda item: numbers(item.version))
    if part == "torch":
        return _torch(best.version)
    if part == "kernel":
        return _kernel(best, snapshot.machine)
    told = (
        item.version for item in (*snapshot.pasted.good_versions, *snapshot.pasted.bad_versions) if item.part == part
    )
    return _driver(best.version, told, snapshot.machine)


def _good(part: str, snapshot: Snapshot, newer: bool = False) -> Iterator[ToldVersion]:
    """Yield what a text says works of a part, and nothing that it says fails."""
    pasted = snapshot.pasted
    bad = [item.version for item in pasted.bad_versions if item.part == part]
    # Where an older version is to be used again, the fact may be read from the very sentence that names the good one.
    used = _in_use(part, snapshot) if newer else ()
    for item in pasted.good_versions:
        failing = [version for version in (*bad, *used) if version]
        if item.part != part or any(_same(item.version, version) for version in failing):
            continue
        if newer and item.version and any(_is_older(item.version, version) for version in failing):
            continue
        yield item


def _in_use(part: str, snapshot: Snapshot) -> tuple[str, ...]:
    """Return the versions of a part that are at work where the text was written."""
    facts = {
        "torch": (snapshot.torch.version,),
        "driver": (snapshot.pasted.windows_driver, snapshot.pasted.driver_version),
        "kernel": (snapshot.kernel.version,),
    }
    return tuple(known_or(fact, "") for fact in facts.get(part, ()))


def _same(one: str, other: str) -> bool:
    """Return whether two versions are the same one, as far as both are told."""
    first, second = one.partition("+")[0], other.partition("+")[0]
    if first == second:
        return True
    if _NIGHTLY.search(first) or _NIGHTLY.search(second):
        return False
    left, right = numbers(first), numbers(second)
    width = min(len(left), len(right))
    return (
        width > 2 and left[:width] == right[:width] and not {first[len(second) :][:1], second[len(first) :][:1]} & {"-"}
    )


def _is_older(one: str, other: str) -> bool:
    left, right = numbers(one), numbers(other)
    width = min(len(left), len(right))
    return left[:width] < right[:width]


def _application(snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return the remedy that goes back to the version of an application which a text says works."""
    named = dict.fromkeys(item.part for item in snapshot.pasted.good_versions if item.part in APPLICATIONS)
    for part in named:
        good = [item.version for item in _good(part, snapshot)]
        if good:
            return (Remedy(f"Use {APPLICATIONS[part]} {max(good, key=numbers)}", WORD, risk=Risk.REINSTALL),)
    return ()


def _extension(snapshot: Snapshot) -> tuple[Remedy, ...]:
    """Return the remedy that goes back to the release of Intel's extension which a text says works, with the torch of that release."""
    good = [item.version.partition("+")[0] for item in _good("ipex", snapshot) if _EXTENSION.match(item.version)]
    if not good:
        return ()
    best = max(good, key=numbers)
    torch = ".".join(best.split(".")[:2])
    return (
        Remedy(
            f"Use the Intel Extension for PyTorch {best} with torch {torch}, in an environment of their own",
            f"{WORD} The extension fits the torch and the oneAPI of its release alone. It has ended: torch's own XPU support is what lasts.",
            risk=Risk.REINSTALL,
            url=EXTENSION_RELEASES,
        ),
    )


def _torch(version: str) -> tuple[Remedy, ...]:
    nightly = _NIGHTLY.fullmatch(version)
    if nightly:
        return (
            Remedy(
                f"Use the nightly build {nightly[1]}, or the newest release",
                f"{WORD} Nightly builds are taken off the index after a while; where this one is gone, a release made since may hold the mending.",
                commands=(f"python -m pip install --pre torch=={nightly[1]} --index-url {NIGHTLY}",),
                risk=Risk.REINSTALL,
            ),
        )
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


def _kernel(good: ToldVersion, machine: Machine) -> tuple[Remedy, ...]:
    """Return how a kernel is started again; none where a host and a guest take part and the text does not tell whose it is."""
    if known_or(machine.hypervisor, "") and not good.side:
        return ()
    where = {"host": "On the host: start", "guest": "In the guest: start"}.get(
        good.side, "On the host: start" if on_host(machine) else "Start"
    )
    return (
        Remedy(
            f"{where} kernel {good.version}",
            f"{WORD} The boot menu offers every kernel that is still installed.",
            os="linux",
            risk=Risk.REBOOT,
            verify=("uname -r",),
        ),
    )


def _is_of_windows(version: str) -> bool:
    return version.startswith(("30.0.", "31.0.", "32.0.", "101.")) or version.isdigit()


def _driver(version: str, told: Iterable[str], machine: Machine) -> tuple[Remedy, ...]:
    """Return how a driver is installed again; none where its version is of a driver for another system."""
    system = known_or(machine.os, "")
    windows = system == "windows" or any(map(_is_of_windows, told))
    if (windows and _FULL_RUNTIME.fullmatch(version)) or (system == "linux" and _is_of_windows(version)):
        return ()
    if windows:
        return (
            Remedy(
                f"Install Intel's graphics driver {version}"
                if version
                else "Install the graphics driver that you had before",
                f"{WORD} Device Manager rolls back to the driver before this one; the page's list of versions has the older ones.",
                os="windows",
                risk=Risk.REBOOT,
                url=WINDOWS_DRIVER,
            ),
        )
    tag = f"/tag/{version}" if _FULL_RUNTIME.fullmatch(version) else ""
    return (
        Remedy(
            f"Install GPU driver {version}" if version else "Install the GPU driver that you had before",
            f"{WORD} Take all packages of that release: driver, graphics compiler and loader are built for each other.",
            os="linux",
            risk=Risk.ADMIN,
            url=RELEASES + tag,
        ),
    )
