"""No XPU wheel of torch exists for the target interpreter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Machine, Python, Run, Stage, Target
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import FIRST, Evidence, Finding, Layer, Severity
from xpu_doctor.model.terms import StageOutcome, TorchBuild
from xpu_doctor.model.unknown import Undecided, Unknown, denied, known, known_or
from xpu_doctor.model.versions import numbers
from xpu_doctor.remedies.install import other_python
from xpu_doctor.remedies.packages import name_interpreter, see_the_start
from xpu_doctor.rules.support.gpu_presence import presence, without_intel_gpu
from xpu_doctor.rules.support.stages import silent, stage_evidence, unable
from xpu_doctor.tables.releases import installable, known_platforms, known_pythons, platform_tag, python_tag


class PythonUnsupported(Rule):
    """No XPU wheel of torch exists for the target interpreter."""

    code = "python-unsupported"
    layer = Layer.WHEEL
    from_table = True
    explains = {
        "index-incomplete": "the index holds no wheel for this Python, so the installer finds none",
        "torch-built-without-xpu": "without an XPU wheel for this Python people build torch themselves, or get another build",
        "torch-cpu-wheel": "without an XPU wheel for this Python an installer takes the build that there is",
        "torch-cuda-wheel": "without an XPU wheel for this Python an installer takes the build that there is",
        "torch-import-failed": "a torch that was made for another Python cannot be imported by this one",
        "torch-not-installed": "there is no wheel of torch that could be installed for this Python",
    }

    def check(
        self,
        target: Target,
        installation: Installation,
        hardware: Hardware,
        run: Run,
    ) -> Iterator[Finding]:
        """Found where the releases table lists this Python or platform for no release, and no XPU build is installed in it."""
        dead = unable(run)
        if dead is not None:
            yield self._no_start(dead, run, target, installation.python)
            return
        if known_or(installation.torch.build, "") == TorchBuild.XPU:
            return
        stage = silent(run)
        if stage is not None and stage.exception != "refused":
            yield self._no_python(stage, run, target, hardware.machine)
            return
        shown = (
            _refused(target)
            or _kind(installation.python)
            or _platform(installation.python)
            or _version(installation.python)
        )
        if not shown:
            return
        summary, evidence = shown
        here = presence("cpu", hardware.machine, hardware.gpus, hardware.kernel)
        yield self.found(
            "torch",
            summary,
            severity=here.severity if here.severity is Severity.ERROR else Severity.WARNING,
            evidence=evidence,
            remedies=other_python(
                installation.python,
                installation.installer,
                known_or(hardware.machine.os, ""),
                gpu=not without_intel_gpu(hardware.machine, hardware.gpus),
            ),
        )

    def _no_start(self, stage: Stage, run: Run, target: Target, python: Python) -> Finding:
        """Return the finding for a Python that ends at its start, and starts without its environment."""
        name = known_or(target.executable, "") or known_or(python.executable, "") or "the interpreter"
        found = self.found(
            "torch",
            f"{name} ends before it runs anything: {stage.reason}. Without its environment (-I) it starts",
            evidence=(
                *(("target.executable",) if isinstance(target.executable, str) else ()),
                *stage_evidence(run, stage),
            ),
            remedies=(see_the_start(name, known_or(python.os, "linux")),),
        )
        return replace(found, weight=FIRST)

    def _no_python(self, stage: Stage, run: Run, target: Target, machine: Machine) -> Finding:
        """Return the finding for a program that is no interpreter, or one that cannot start."""
        name = known_or(target.executable, "") or "the program that was named"
        how = "within its deadline" if stage.outcome == StageOutcome.HANG else "as a Python interpreter"
        found = self.found(
            "torch",
            f"{name} did not answer {how}: {stage.reason}",
            evidence=(
                *(("target.executable",) if isinstance(target.executable, str) else ()),
                *stage_evidence(run, stage),
            ),
            remedies=(name_interpreter(known_or(machine.os, "") or "linux"),),
        )
        return replace(found, weight=FIRST)


Shown = tuple[str, tuple[str | Evidence, ...]]


def _refused(target: Target) -> Shown | None:
    if not denied(target.supported):
        return None
    version = known_or(target.version, "of an unknown version")
    oldest = min(known_pythons(), key=numbers)
    return f"Python {version} is too old to be examined; PyTorch for XPU needs 64-bit CPython {oldest} or newer", (
        "target.executable",
        "target.version",
    )


def _kind(python: Python) -> Shown | None:
    if known_or(python.implementation, "cpython") != "cpython":
        return f"PyTorch has XPU wheels for CPython only, and this is {python.implementation}", (
            "python.implementation",
        )
    if known_or(python.bits, 64) == 32:
        return "this is a 32-bit Python; XPU wheels are 64-bit", ("python.bits", "python.executable")
    return None


def _platform(python: Python) -> Shown | None:
    if known_or(python.libc, "").startswith("musl"):
        return "this Python is built for musl; XPU wheels need glibc", ("python.libc",)
    name = platform_tag(known(python.os), known(python.architecture))
    if name not in known_platforms():
        return f"XPU wheels exist for Linux x86_64 and Windows x64 only, and this Python is built for {name}", (
            "python.os",
            "python.architecture",
        )
    return None


def _version(python: Python) -> Shown | None:
    tag = python_tag(known(python.version), known_or(python.free_threaded, False))
    if installable(tag, platform_tag(known(python.os), known(python.architecture))):
        return None
    if (
        not numbers(tag)
        or tag in known_pythons()
        or numbers(tag) > max(numbers(name) for name in known_pythons())
        or tag.endswith("t")
    ):
        raise Undecided(
            Unknown(f"whether an XPU wheel exists for Python {tag} is not in the releases table", "python.version")
        )
    if numbers(tag) < min(numbers(name) for name in known_pythons()):
        return f"Python {tag} is older than any that an XPU wheel was built for", ("python.version",)
    return None
