"""Another file or folder is imported in place of torch, or in place of a module that torch needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.facts import Distributions, Import, Python, Run, Shadow, Shadows, Torch
from xpu_doctor.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.remedies.commands import Command, lines, shells
from xpu_doctor.rule import Rule
from xpu_doctor.unknown import known, known_or

FAILED = frozenset({"error", "crash", "exit", "hang"})


class TorchShadowed(Rule):
    """A file of the user's, or a second copy on the path, hides the torch that is installed."""

    code = "torch-shadowed"
    layer = Layer.WHEEL
    explains = frozenset(
        {
            "torch-import-failed",
            "torch-import-crashed",
            "torch-import-hung",
            "xpu-unavailable",
            "xpu-query-crashed",
            "xpu-query-hung",
            "torch-install-broken",
            "compute-failed",
        }
    )

    def check(self, shadows: Shadows, distributions: Distributions, torch: Torch, imported: Import, run: Run, python: Python) -> Iterator[Finding]:
        """Found for files that win over torch, for others where the import failed too, and for a second copy of torch."""
        yield from self._copies(distributions)
        for number, shadow in enumerate(known(shadows.found)):
            judged = _judged(shadow, torch, imported, run)
            if judged is not None:
                severity, confidence = judged
                what = "torch itself" if shadow.module == "torch" else f"the module {shadow.module}"
                yield self.found(
                    "torch",
                    f"{shadow.path} hides {what} from import ({shadow.where})",
                    severity=severity,
                    confidence=confidence,
                    evidence=(f"shadows.found[{number}].path", *(("imported.file",) if isinstance(imported.file, str) else ())),
                    remedies=_remedies(shadow, known_or(python.os, "linux")),
                )

    def _copies(self, distributions: Distributions) -> Iterator[Finding]:
        """A second torch further down the path: the first one wins."""
        torches = [(number, dist) for number, dist in enumerate(known_or(distributions.installed, ())) if dist.name == "torch"]
        others = [(number, dist) for number, dist in torches if dist.location != torches[0][1].location]
        if others:
            first, (number, hidden) = torches[0][1], others[0]
            names = [f"torch {known_or(dist.version, '?')} in {dist.location}" for dist in (first, hidden)]
            yield self.found(
                "torch",
                " hides ".join(names),
                severity=Severity.INFO if first.version == hidden.version else Severity.WARNING,
                evidence=(
                    Evidence(f"distributions.installed[{torches[0][0]}]", names[0], ""),
                    Evidence(f"distributions.installed[{number}]", names[1], ""),
                ),
            )


def _judged(shadow: Shadow, torch: Torch, imported: Import, run: Run) -> tuple[Severity, Confidence] | None:
    """How bad and how sure a shadow is; None where the import shows that it does no harm."""
    outcome = _import_outcome(imported, run)
    if outcome == "ok":
        return _beside_success(shadow, torch, imported)
    if shadow.module == "torch":
        return Severity.ERROR, Confidence.CERTAIN if outcome == "failed" else Confidence.LIKELY
    if outcome == "failed":
        return Severity.ERROR, Confidence.CERTAIN if _named(shadow, run) else Confidence.LIKELY
    return Severity.INFO, Confidence.POSSIBLE


def _beside_success(shadow: Shadow, torch: Torch, imported: Import) -> tuple[Severity, Confidence] | None:
    if shadow.module == "torch":
        return (Severity.ERROR, Confidence.CERTAIN) if _same(known_or(imported.file, ""), shadow.path) else None
    return (Severity.WARNING, Confidence.LIKELY) if shadow.module in ("torchvision", "torchaudio", "triton") else None


def _import_outcome(imported: Import, run: Run) -> str:
    """`ok`, `failed`, or empty where the import was not tried."""
    stage = known_or(run.stage("import"), None)
    if stage is not None and stage.outcome in FAILED:
        return "failed"
    succeeded = known_or(imported.succeeded, None)
    return "" if succeeded is None else "ok" if succeeded else "failed"


def _named(shadow: Shadow, run: Run) -> bool:
    """Whether the traceback of the import goes through the file."""
    stage = known_or(run.stage("import"), None)
    return stage is not None and shadow.path in stage.traceback


def _same(one: str, other: str) -> bool:
    return one.replace("\\", "/").lower() == other.replace("\\", "/").lower()


def _remedies(shadow: Shadow, os: str) -> tuple[Remedy, ...]:
    package = re.split(r"[\\/]", shadow.path)[-1] == "__init__.py"
    path = re.sub(r"[\\/]__init__\.py$", "", shadow.path) if package else shadow.path
    folder, name = re.split(r"(?<=[\\/])(?=[^\\/]+$)", path) if re.search(r"[\\/]", path) else ("", path)
    shell = shells(os)[0]
    rename = Command(("Rename-Item", path, f"my_{name}")) if os == "windows" else Command(("mv", path, f"{folder}my_{name}"))
    remedies = [
        Remedy(
            f"Rename {name}, or start Python in another folder",
            "Python looks there before it looks among the installed packages.",
            commands=lines([rename], shell),
            os=os,
        )
    ]
    if shadow.where == "PYTHONPATH":
        unset = ("Remove-Item Env:PYTHONPATH",) if os == "windows" else ("unset PYTHONPATH",)
        remedies.insert(0, Remedy("Clear PYTHONPATH", f"It puts {folder.rstrip('/')} before the installed packages.", commands=unset, os=os))
    return tuple(remedies)
