"""Another file or folder is imported in place of torch, or in place of a module that torch needs."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distributions, Import, Python, Run, Shadow, Shadows, Torch
from xpu_doctor.model.findings import Confidence, Evidence, Finding, Layer, Remedy, Severity
from xpu_doctor.model.unknown import Unknown, known, known_or
from xpu_doctor.remedies.ownership import Owner, described, owner_of
from xpu_doctor.remedies.packages import chain
from xpu_doctor.remedies.variables import clear_pythonpath, on_pythonpath

PYTHONPATH = "PYTHONPATH"
PACKAGES = frozenset({"torch", "torchvision", "torchaudio", "triton", "numpy", "intel_extension_for_pytorch"})
"""Modules that are folders: a single file of such a name is never the real one, whatever metadata lies beside it."""
SITE = "site folder"
STANDARD = "the standard library"
OTHERS = (Owner.SYSTEM, Owner.BASE, Owner.ENVIRONMENT)
"""Whose files stay as they are."""
FAILED = frozenset({"error", "crash", "exit", "hang"})


class TorchShadowed(Rule):
    """Another file or folder is imported in place of torch, or in place of a module that torch needs."""

    code = "torch-shadowed"
    layer = Layer.WHEEL
    explains = {
        "compute-failed": "the operation runs with modules of the intruder, not with those of the installed torch",
        "torch-import-crashed": "the import runs the intruder's code",
        "torch-import-failed": "the import takes the intruder, which is no torch or lacks what torch needs",
        "torch-import-hung": "the import runs the intruder's code",
        "torch-install-broken": "the folder that Python finds first is not the one that the package's record lists, so its files seem to be missing",
        "xpu-query-crashed": "the query runs the intruder's code",
        "xpu-query-hung": "the query runs the intruder's code",
        "xpu-unavailable": "the intruder, which Python finds first, has no working torch.xpu",
    }

    def check(
        self, shadows: Shadows, distributions: Distributions, torch: Torch, imported: Import, run: Run, python: Python
    ) -> Iterator[Finding]:
        """Found for files that win over torch, for others where the import failed too, and for a second copy of torch."""
        yield from self._copies(distributions, python)
        for number, shadow in enumerate(known(shadows.found)):
            judged = (
                None if _lies_there_rightly(shadow, torch, distributions) else _judged(shadow, torch, imported, run)
            )
            if judged is not None:
                severity, confidence = judged
                hidden = known_or(shadow.hides, "")
                yield self.found(
                    "torch",
                    _summary(shadow, imported),
                    severity=severity,
                    confidence=confidence,
                    evidence=(
                        f"shadows.found[{number}].path",
                        *((f"shadows.found[{number}].hides",) if hidden else ()),
                        *(("imported.file",) if isinstance(imported.file, str) else ()),
                    ),
                    remedies=_remedies(shadow, python),
                )

    def _copies(self, distributions: Distributions, python: Python) -> Iterator[Finding]:
        """Yield a finding for a second torch further down the path: the first one wins."""
        torches = [
            (number, dist) for number, dist in enumerate(known_or(distributions.installed, ())) if dist.name == "torch"
        ]
        others = [(number, dist) for number, dist in torches if dist.location != torches[0][1].location]
        if others:
            first, (number, hidden) = torches[0][1], others[0]
            by_variable = on_pythonpath(first.location, python)
            names = [f"torch {known_or(dist.version, '?')} in {dist.location}" for dist in (first, hidden)]
            wins = f"{names[0]} ({PYTHONPATH})" if by_variable else names[0]
            why = f"It puts this folder before the installed packages: without it {names[1]} is imported."
            yield self.found(
                "torch",
                f"{wins} hides {names[1]}: Python imports the first that it finds",
                severity=Severity.INFO if first.version == hidden.version else Severity.WARNING,
                evidence=(
                    Evidence(f"distributions.installed[{torches[0][0]}]", names[0], ""),
                    Evidence(f"distributions.installed[{number}]", names[1], ""),
                ),
                remedies=(clear_pythonpath(first.location, known_or(python.os, "linux"), why),) if by_variable else (),
            )


def _lies_there_rightly(shadow: Shadow, torch: Torch, distributions: Distributions) -> bool:
    """Return whether it is an installed package (`pip install --target`) that hides nothing, or hides an installed one of which `_copies` tells."""
    if not _real(shadow, torch, distributions):
        return False
    if shadow.hides == "" or shadow.module != "torch":
        return shadow.hides == ""
    places = {dist.location for dist in known_or(distributions.installed, ()) if dist.name == "torch"}
    return _folder(shadow) in places and (isinstance(shadow.hides, Unknown) or _folder(shadow, shadow.hides) in places)


def _real(shadow: Shadow, torch: Torch, distributions: Distributions) -> bool:
    """Return whether it is a whole package and no stray file: its metadata lies beside it, or it is the very torch whose build was read."""
    if not _is_package(shadow.path):
        return shadow.installed is True and shadow.module not in PACKAGES
    registered = any(
        dist.name == shadow.module and _same(dist.location, _folder(shadow))
        for dist in known_or(distributions.installed, ())
    )
    built = (
        shadow.module == "torch"
        and isinstance(torch.build, str)
        and _same(known_or(torch.path, ""), _package(shadow.path))
    )
    return shadow.installed is True or registered or built


def _summary(shadow: Shadow, imported: Import) -> str:
    hidden = known_or(shadow.hides, "")
    if _same(known_or(imported.file, ""), shadow.path):
        return f"import torch loads {shadow.path} ({shadow.where}), not " + (hidden or "an installed torch")
    if shadow.module != "torch":
        what = f"the module {shadow.module}"
        if shadow.hides == "":
            return f"{shadow.path} is what Python imports as {what} ({shadow.where})"
        return f"{shadow.path} hides {what}{f' of {hidden}' if hidden == STANDARD else ''} from import ({shadow.where})"
    return f"{shadow.path} hides {hidden or 'torch itself'} from import ({shadow.where})"


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
        if not _same(known_or(imported.file, ""), shadow.path):
            return None
        whole = isinstance(torch.build, str) and _same(known_or(torch.path, ""), _package(shadow.path))
        return (Severity.WARNING if whole else Severity.ERROR), Confidence.CERTAIN
    if shadow.module not in ("torchvision", "torchaudio", "triton"):
        return None
    return (Severity.INFO if shadow.hides == "" else Severity.WARNING), Confidence.LIKELY


def _import_outcome(imported: Import, run: Run) -> str:
    """`ok`, `failed`, or empty where the import was not tried."""
    stage = known_or(run.stage("import"), None)
    if stage is not None and stage.outcome in FAILED:
        return "failed"
    succeeded = known_or(imported.succeeded, None)
    return "" if succeeded is None else "ok" if succeeded else "failed"


def _named(shadow: Shadow, run: Run) -> bool:
    """Return whether the traceback of the import goes through the file."""
    stage = known_or(run.stage("import"), None)
    return stage is not None and shadow.path in stage.traceback


def _is_package(path: str) -> bool:
    return re.search(r"[\\/]__init__\.py$", path) is not None


def _package(path: str) -> str:
    """Return the folder of a package, or the file of a module."""
    return re.sub(r"[\\/]__init__\.py$", "", path)


def _folder(shadow: Shadow, path: str = "") -> str:
    """Return the folder that holds the module: an entry of sys.path."""
    return re.sub(r"[\\/][^\\/]+$", "", _package(path or shadow.path))


def _same(one: str, other: str) -> bool:
    return one.replace("\\", "/").lower() == other.replace("\\", "/").lower()


def _remedies(shadow: Shadow, python: Python) -> tuple[Remedy, ...]:
    os = known_or(python.os, "linux")
    path = _package(shadow.path)
    folder, name = re.split(r"(?<=[\\/])(?=[^\\/]+$)", path) if re.search(r"[\\/]", path) else ("", path)
    remedies: list[Remedy] = []
    if shadow.where == PYTHONPATH:
        remedies.append(
            clear_pythonpath(folder.rstrip("/\\"), os, "It puts this folder before the installed packages.")
        )
    owner = owner_of(folder.rstrip("/\\"), python) if shadow.where == SITE else Owner.UNKNOWN
    if owner in OTHERS:
        why = "Nothing of it is touched by the commands that are printed here: ask its owner, or use an environment of your own."
        remedies.append(Remedy(f"{described(owner, folder.rstrip('/'))} holds {name}", why, os=os))
    elif shadow.installed is not True:
        why = (
            "Python imports this file in its place."
            if shadow.where == SITE
            else "Python looks there before it looks among the installed packages."
        )
        why = f"{why} Nothing is overwritten: where my_{name} is there already, the command ends without a change."
        elsewhere = "" if shadow.where == SITE else ", or start Python in another folder"
        remedies.append(
            Remedy(f"Rename {name}{elsewhere}", why, commands=chain(_rename(path, folder, f"my_{name}", os), os), os=os)
        )
    elif shadow.where != PYTHONPATH:
        remedies.append(
            Remedy(
                "Start Python in another folder",
                f"{folder} holds installed packages, and Python looks there first.",
                os=os,
            )
        )
    return tuple(remedies)


def _rename(path: str, folder: str, name: str, os: str) -> tuple[Command, ...]:
    """Return the commands that give a file a name which nothing has: Rename-Item refuses by itself, mv only some of the time."""
    if os == "windows":
        return (Command(("Rename-Item", "-LiteralPath", path, "-NewName", name)),)
    return Command(("test", "!", "-e", folder + name)), Command(("mv", "-n", "--", path, folder + name))
