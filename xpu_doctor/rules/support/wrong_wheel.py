"""What the rules about wheels of another kind (CPU, CUDA, ROCm) have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distributions, Installer, Python, Torch
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import Evidence, Finding, Layer, Remedy
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import denied, known, known_or
from xpu_doctor.remedies.install import reinstall
from xpu_doctor.remedies.ownership import SYSTEM_INSTALLERS, SYSTEM_SITE, parent
from xpu_doctor.remedies.settings import hostile
from xpu_doctor.remedies.variables import clear_pythonpath, on_pythonpath
from xpu_doctor.rules.support.gpu_presence import presence
from xpu_doctor.tables.releases import label

NO_XPU_EXPLAINS = {
    "companion-mismatch": "companions for XPU beside a torch without XPU do not fit, and installing the set anew brings those that do",
    "compute-failed": "this build has no code for XPU devices, so every operation on them fails",
    "low-performance": "this build has no XPU device, so the work runs on the CPU, which is slow",
    "program-never-used-gpu": "this build has no XPU device, so the program could only run on the CPU",
    "silent-cpu-fallback": "this build has no XPU device, so programs run on the CPU",
    "xpu-unavailable": "this build has no code that could find an XPU device",
}
"""What follows from a torch without XPU support."""


class WrongWheel(Rule):
    """A torch whose build serves another kind of device than XPU."""

    layer = Layer.WHEEL
    explains = NO_XPU_EXPLAINS
    build: ClassVar[TorchBuild]
    kind: ClassVar[str]

    def check(
        self,
        installation: Installation,
        hardware: Hardware,
    ) -> Iterator[Finding]:
        """Found where the build on the disk is this one; how much it matters depends on the GPUs."""
        if (
            denied(installation.torch.installed)
            or known(installation.torch.build) != self.build
            or self._not_mine(installation.torch, installation.distributions)
        ):
            return
        here = presence(self.build, hardware.machine, hardware.gpus, hardware.kernel)
        yield self.found(
            "torch",
            f"torch {known_or(installation.torch.version, '')} is {self.kind}: it has no XPU support".replace("  ", " ")
            + (f"; {here.why}" if here.why else ""),
            severity=here.severity,
            evidence=(
                "torch.version",
                "torch.build",
                *build_evidence(installation.torch),
                *settings_evidence(installation.installer),
            ),
            remedies=(*_behind_pythonpath(installation.python, installation.distributions), *reinstall(installation))
            if here.offer
            else (),
        )

    def _not_mine(self, torch: Torch, distributions: Distributions) -> bool:
        """Return whether another rule speaks of this torch: a build that calls itself XPU, one from source or of a distribution, or Intel's build for IPEX."""
        others = (
            claims_xpu(torch)
            or built_from_source(torch)
            or distribution_built(torch, distributions)
            or serves_ipex(torch, distributions)
        )
        return self.build == TorchBuild.CPU and others


def _behind_pythonpath(python: Python, distributions: Distributions) -> tuple[Remedy, ...]:
    """Return the way to an XPU build that is installed, and hidden by what PYTHONPATH names."""
    torches = [dist for dist in known_or(distributions.installed, ()) if dist.name == "torch"]
    hidden = next((dist for dist in torches[1:] if label(known_or(dist.version, "")).startswith("xpu")), None)
    if hidden is None or not on_pythonpath(torches[0].location, python):
        return ()
    why = f"It hides torch {hidden.version} in {hidden.location}, an XPU build."
    return (clear_pythonpath(torches[0].location, known_or(python.os, "linux"), why),)


def build_evidence(torch: Torch) -> tuple[Evidence, ...]:
    """Return what told the build, as evidence."""
    return (Evidence("torch.build_source", torch.build_source, ""),) if torch.build_source else ()


def settings_evidence(installer: Installer) -> tuple[Evidence, ...]:
    """Return the settings of the environment's own tool that can bring a wrong wheel, as evidence."""
    met = hostile(installer, "uv" if known_or(installer.manager, "pip") in ("uv", "uv-project") else "pip")
    return tuple(
        Evidence("installer.settings", f"{setting.name} = {setting.value}", setting.source) for setting in met[:6]
    )


def versions(torch: Torch) -> tuple[str, ...]:
    """Return the known spellings of torch's version: version.py first, then the metadata."""
    return tuple(version for version in (known_or(torch.version, ""), known_or(torch.metadata_version, "")) if version)


def holds_xpu_libraries(torch: Torch) -> bool:
    """Return whether torch's own folder of libraries holds one for XPU."""
    return any("torch_xpu" in name or "c10_xpu" in name for name in known_or(torch.libraries, ()))


def claims_xpu(torch: Torch) -> bool:
    """Return whether the version's label says XPU."""
    return any(label(version).startswith("xpu") for version in versions(torch))


def built_from_source(torch: Torch) -> bool:
    """Return whether somebody built this torch: its label is a commit."""
    return any(label(version).startswith("git") for version in versions(torch))


def distribution_built(torch: Torch, distributions: Distributions) -> bool:
    """Return whether a package of the operating system brought this torch: its INSTALLER says so, or it lies where those packages alone are."""
    folder = parent(known_or(torch.path, ""))
    dists = [
        dist for dist in known_or(distributions.installed, ()) if dist.name == "torch" and folder in ("", dist.location)
    ]
    installer = known_or(dists[0].installer, "").lower() if dists else ""
    if installer:
        return installer in SYSTEM_INSTALLERS
    return SYSTEM_SITE.search(folder or (dists[0].location if dists else "")) is not None


def serves_ipex(torch: Torch, distributions: Distributions) -> bool:
    """Return whether this is Intel's plain torch for the Intel extension, which then brings the XPU device."""
    return any("cxx11" in label(version) or ".post" in version for version in versions(torch)) and bool(
        known_or(distributions.find("intel-extension-for-pytorch"), None)
    )
