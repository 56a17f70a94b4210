"""A torchvision, torchaudio or triton does not belong to the installed torch."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import Distribution, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Severity
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import Unknown, denied, known, known_or
from xpu_doctor.remedies.install import TRITONS, reinstall
from xpu_doctor.rules.support.requirements import met, requirements_of
from xpu_doctor.tables.builds import named
from xpu_doctor.tables.releases import is_nightly, label, release_of

COMPANIONS = ("torchvision", "torchaudio")
Said = tuple[str, Severity, Confidence]


class CompanionMismatch(Rule):
    """A torchvision, torchaudio or triton does not belong to the installed torch."""

    code = "companion-mismatch"
    layer = Layer.WHEEL
    severity = Severity.WARNING
    explains = {
        "compile-toolchain": "torch.compile needs the Triton that belongs to this torch",
        "op-unsupported": "operators of a companion built for another torch are not registered",
        "triton-xpu-missing": "companions from another index bring that index's Triton, and installing the set anew brings the right one",
    }

    def check(self, installation: Installation) -> Iterator[Finding]:
        """Found per companion whose own requirement, release or build label does not fit torch."""
        installed = known(installation.distributions.installed)
        if denied(installation.torch.installed):
            return
        version = known(installation.torch.version)
        places = {dist.name: number for number, dist in reversed(list(enumerate(installed)))}
        for name in COMPANIONS:
            dist = installed[places[name]] if name in places else None
            said = _companion(dist, version, installation.torch) if dist is not None else None
            if dist is not None and said is not None:
                yield self._finding(said, ("torch.version", shown(places[name], dist)), installation)
        for said, numbers in _tritons(installed, places, installation.torch, installation.python):
            evidence: tuple[str | Evidence, ...] = (
                "torch.version",
                *(shown(number, installed[number]) for number in numbers),
            )
            yield self._finding(said, evidence, installation)

    def _finding(
        self,
        said: Said,
        evidence: tuple[str | Evidence, ...],
        installation: Installation,
    ) -> Finding:
        summary, severity, confidence = said
        remedies = reinstall(installation)
        return self.found(
            "torch", summary, severity=severity, confidence=confidence, evidence=evidence, remedies=remedies
        )


def shown(number: int, dist: Distribution) -> Evidence:
    """Return an installed distribution as evidence."""
    return Evidence(
        f"distributions.installed[{number}]", f"{dist.name} {known_or(dist.version, 'of unknown version')}", ""
    )


def _companion(dist: Distribution, version: str, torch: Torch) -> Said | None:
    """Return what is wrong with torchvision or torchaudio beside this torch, or None."""
    if isinstance(dist.version, Unknown):
        return None
    wishes = requirements_of(dist, names=frozenset({"torch"}))
    broken = next((wish for wish in wishes if met(wish, version) is False), None)
    if broken is not None:
        return (
            f"{dist.name} {dist.version} requires torch{broken.specifier}, and torch {version} is installed",
            Severity.ERROR,
            Confidence.CERTAIN,
        )
    row = release_of(version)
    sure = row is not None and row.confirmed and not is_nightly(dist.version)
    if not wishes and row is not None and sure and not row.fits(dist.name, dist.version):
        return (
            f"{dist.name} {dist.version} does not belong to torch {version}: its partner is {row.companion(dist.name)}",
            Severity.WARNING,
            Confidence.LIKELY,
        )
    return _variant(dist, version, torch)


def _variant(dist: Distribution, version: str, torch: Torch) -> Said | None:
    """Return whether the build label of a companion contradicts torch's build; no label tells nothing unless torch is the XPU build."""
    build, mine = known_or(torch.build, ""), _build_of(label(known_or(dist.version, "")))
    if mine and build in tuple(TorchBuild) and mine != build:
        return (
            f"{dist.name} {dist.version} is {named(mine)}, and torch {version} is {named(build)}",
            Severity.WARNING,
            Confidence.CERTAIN,
        )
    if (
        build == TorchBuild.XPU
        and label(version) == "xpu"
        and not label(known_or(dist.version, ""))
        and dist.name == "torchvision"
    ):
        return (
            f"{dist.name} {dist.version} did not come from the XPU index: its operators may be missing on xpu",
            Severity.WARNING,
            Confidence.LIKELY,
        )
    return None


def _build_of(name: str) -> str:
    for start, build in (("xpu", "xpu"), ("cpu", "cpu"), ("cu", "cuda"), ("rocm", "rocm")):
        if name.startswith(start):
            return build
    return ""


def _tritons(
    installed: tuple[Distribution, ...], places: dict[str, int], torch: Torch, python: Python
) -> Iterator[tuple[Said, tuple[int, ...]]]:
    """Yield what is wrong with the packages that share the folder triton."""
    present = [name for name in TRITONS if name in places]
    numbers = tuple(places[name] for name in present)
    if known_or(torch.build, "") != TorchBuild.XPU:
        return
    if len(present) > 1:
        names = " and ".join(f"{name} {known_or(installed[places[name]].version, '')}".strip() for name in present)
        yield (
            (
                f"{names} install the same folder `triton`: the later one overwrote the other",
                Severity.WARNING,
                Confidence.CERTAIN,
            ),
            numbers,
        )
        return
    torches = [dist for dist in installed if dist.name == "torch"]
    for wish in requirements_of(torches[0], python, frozenset(present)) if torches else ():
        version = known_or(installed[places[wish.name]].version, "") if wish.name in present else ""
        if version and met(wish, version) is False:
            said = (
                f"torch {known_or(torch.version, '')} requires {wish.name}{wish.specifier}, and {version} is installed"
            )
            yield (said, Severity.WARNING, Confidence.CERTAIN), numbers
