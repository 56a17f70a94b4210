"""The XPU build of torch is installed without the triton that it requires."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Evidence, Finding, Layer, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Undecided, Unknown, denied, known, known_or
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.rules.support.requirements import requirements_of

XPU_TRITONS = ("triton-xpu", "pytorch-triton-xpu")


class TritonXpuMissing(Rule):
    """The XPU build of torch is installed without the triton that it requires."""

    code = "triton-xpu-missing"
    layer = Layer.WHEEL
    severity = Severity.WARNING
    explains = {
        "compile-toolchain": "torch.compile makes its kernels for XPU with this package",
    }

    def check(self, installation: Installation) -> Iterator[Finding]:
        """Found where torch's own metadata requires an XPU triton and none is installed."""
        if denied(installation.torch.installed) or known(installation.torch.build) != TorchBuild.XPU:
            return
        own = known(installation.distributions.find("torch"))
        if own is None:
            raise Undecided(Unknown("torch has no metadata that names its requirements", "distributions.installed"))
        if any(known(installation.distributions.find(name)) for name in XPU_TRITONS):
            return
        if isinstance(own.requires, Unknown):
            raise Undecided(Unknown(own.requires.reason, "distributions.installed"))
        wish = next(iter(requirements_of(own, installation.python, frozenset(XPU_TRITONS))), None)
        if wish is None:
            return
        plain = known(installation.distributions.find("triton", "triton-windows", "pytorch-triton"))
        beside = f"; {plain.name} {known_or(plain.version, '')} is there, and it has no XPU back end" if plain else ""
        mine = f"torch {known_or(installation.torch.version, '')}"
        yield self.found(
            "torch",
            f"{mine} requires {wish.name}{wish.specifier}, and it is not installed{beside}: torch.compile will fail",
            evidence=("torch.version", Evidence("distributions.installed", f"{wish.name} is not among them", "")),
            remedies=reinstall(installation),
        )
