"""No XPU wheel of torch exists for the target interpreter."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.facts import Gpu, Kernel, Machine, Python, Target, Torch
from xpu_doctor.findings import Evidence, Finding, Layer, Severity
from xpu_doctor.remedies.install import other_python
from xpu_doctor.rule import Rule
from xpu_doctor.rules.wheel._presence import presence
from xpu_doctor.tables.releases import installable, known_platforms, known_pythons, platform_tag, python_tag
from xpu_doctor.unknown import Maybe, Undecided, Unknown, known, known_or


class PythonUnsupported(Rule):
    """The interpreter is of a version, kind or platform that no XPU wheel is built for."""

    code = "python-unsupported"
    layer = Layer.WHEEL
    from_table = True
    explains = frozenset({"torch-not-installed", "torch-cpu-wheel", "torch-cuda-wheel", "torch-built-without-xpu", "index-incomplete"})

    def check(
        self, target: Target, python: Python, torch: Torch, machine: Machine, gpus: Maybe[tuple[Gpu, ...]], kernel: Kernel
    ) -> Iterator[Finding]:
        """Found where the releases table lists this Python or platform for no release, and no XPU build is installed in it."""
        if known_or(torch.build, "") == "xpu":
            return
        shown = _refused(target) or _kind(python) or _platform(python) or _version(python)
        if not shown:
            return
        summary, evidence = shown
        here = presence("cpu", machine, gpus, kernel)
        yield self.found(
            "torch",
            summary,
            severity=here.severity if here.severity is Severity.ERROR else Severity.WARNING,
            evidence=evidence,
            remedies=other_python(python),
        )


Shown = tuple[str, tuple[str | Evidence, ...]]


def _refused(target: Target) -> Shown | None:
    if known_or(target.supported, True) is not False:
        return None
    version = known_or(target.version, "of an unknown version")
    return f"Python {version} is not CPython 3.8 or newer: no XPU wheel exists for it, and it cannot be examined", (
        "target.executable",
        "target.version",
    )


def _kind(python: Python) -> Shown | None:
    if known_or(python.implementation, "cpython") != "cpython":
        return f"PyTorch has XPU wheels for CPython alone, and this is {python.implementation}", ("python.implementation",)
    if known_or(python.bits, 64) == 32:
        return "this is a 32-bit Python; XPU wheels are 64-bit", ("python.bits", "python.executable")
    return None


def _platform(python: Python) -> Shown | None:
    if known_or(python.libc, "").startswith("musl"):
        return "this Python is built for musl; XPU wheels need glibc", ("python.libc",)
    name = platform_tag(known(python.os), known(python.architecture))
    if name not in known_platforms():
        return f"XPU wheels exist for Linux x86_64 and Windows x64 alone, and this Python is built for {name}", (
            "python.os",
            "python.architecture",
        )
    return None


def _version(python: Python) -> Shown | None:
    tag = python_tag(known(python.version), known_or(python.free_threaded, False))
    if installable(tag, platform_tag(known(python.os), known(python.architecture))):
        return None
    if tag in known_pythons() or _numbers(tag) > max(_numbers(name) for name in known_pythons()) or tag.endswith("t"):
        raise Undecided(Unknown(f"whether an XPU wheel exists for Python {tag} is not in the releases table", "python.version"))
    if _numbers(tag) < min(_numbers(name) for name in known_pythons()):
        return f"Python {tag} is older than any that an XPU wheel was built for", ("python.version",)
    return None


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(int(part) for part in tag.rstrip("t").split("."))
