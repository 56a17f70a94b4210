"""The installed torch was built, by somebody or under the wrong label, without XPU support."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Torch, Xpu
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import Finding, Layer
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import denied, known, known_or
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.rules.support.gpu_presence import presence
from xpu_doctor.rules.support.wrong_wheel import (
    NO_XPU_EXPLAINS,
    build_evidence,
    built_from_source,
    claims_xpu,
    distribution_built,
    holds_xpu_libraries,
)
from xpu_doctor.tables.builds import named

USUAL = frozenset({"xpu", "cpu", "cuda", "rocm"})


class TorchBuiltWithoutXpu(Rule):
    """The installed torch was built, by somebody or under the wrong label, without XPU support."""

    code = "torch-built-without-xpu"
    layer = Layer.WHEEL
    explains = NO_XPU_EXPLAINS

    def check(
        self,
        installation: Installation,
        xpu: Xpu,
        hardware: Hardware,
    ) -> Iterator[Finding]:
        """Found where the label or the libraries promise XPU and torch itself denies it, or where the build is an own one without it."""
        if denied(installation.torch.installed):
            return
        what = _what(
            installation.torch,
            known(installation.torch.build),
            known_or(xpu.compiled, True),
            distribution_built(installation.torch, installation.distributions),
        )
        if not what:
            return
        here = presence(TorchBuild.CPU, hardware.machine, hardware.gpus, hardware.kernel)
        yield self.found(
            "torch",
            f"torch {known_or(installation.torch.version, '')} {what}" + (f"; {here.why}" if here.why else ""),
            severity=here.severity,
            evidence=(
                "torch.version",
                "torch.build",
                *build_evidence(installation.torch),
                *(("xpu.compiled",) if isinstance(xpu.compiled, bool) else ()),
            ),
            remedies=reinstall(installation) if here.offer else (),
        )


def _what(torch: Torch, build: str, compiled: bool, of_system: bool) -> str:
    if build == TorchBuild.XPU:
        if compiled:
            return ""
        seen = (
            "has XPU libraries"
            if holds_xpu_libraries(torch)
            else f"is labelled XPU ({torch.build_source or 'by its version'})"
        )
        return f"{seen} and says that it was compiled without XPU"
    if build == TorchBuild.CPU and claims_xpu(torch):
        return "is labelled XPU and holds no XPU library: it is a CPU build"
    if build == TorchBuild.CPU and of_system:
        return "is the distribution's own build, without XPU support"
    if build not in (TorchBuild.CUDA, TorchBuild.ROCM) and built_from_source(torch):
        return "was built from source without XPU support"
    return "" if build in USUAL else f"is {named(build)}: it has no XPU support"
