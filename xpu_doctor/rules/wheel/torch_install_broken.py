"""The files of torch on the disk are not what its wheel installed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.diagnosis.rule import Rule
from xpu_doctor.model.facts import (
    Distribution,
    Distributions,
    FileFault,
    Import,
    Installer,
    Libraries,
    Python,
    Run,
    Stage,
    Torch,
)
from xpu_doctor.model.facts.combined import Hardware, Installation
from xpu_doctor.model.findings import Evidence, Finding, Layer, Severity
from xpu_doctor.model.unknown import Undecided, Unknown, known, known_or
from xpu_doctor.remedies.install import missing_requirement, record_lost, reinstall, remains
from xpu_doctor.remedies.ownership import SYSTEM_INSTALLERS, SYSTEM_SITE, parent
from xpu_doctor.remedies.packages import delete
from xpu_doctor.rules.support.gpu_presence import without_intel_gpu
from xpu_doctor.rules.support.requirements import Wish, requirements_of
from xpu_doctor.rules.support.stages import missing_module, stage_evidence
from xpu_doctor.rules.support.wrong_wheel import distribution_built
from xpu_doctor.tables.releases import label, public

HARMLESS = re.compile(
    r"^(\.\./)|^torch/(include|share|test|testing|bin)/|/tests?/|\.pyi$|(^|/)LICENSE|dist-info/licenses/|\.(h|hpp|cuh|cmake|md|txt)$"
)
"""Files that image builders prune and that no import needs."""
NAMES = ("torch", "torchgen", "functorch", "torchvision", "torchaudio", "triton")
MOST = 3
"""Files that a summary names."""


class TorchInstallBroken(Rule):
    """The files of torch on the disk are not what its wheel installed."""

    code = "torch-install-broken"
    layer = Layer.WHEEL
    explains = {
        "companion-mismatch": "two records of one package, or half of an update, show versions that do not fit; installing anew brings those that do",
        "compute-failed": "files that an operation needs are damaged or missing",
        "program-never-used-gpu": "the files of torch's XPU part are damaged or missing, so the program is offered no device",
        "shared-library-missing": "the library is among the files that the installation has lost",
        "torch-built-without-xpu": "the files by which an XPU build is known are among those that the installation has lost",
        "torch-import-crashed": "a damaged library is loaded and run",
        "torch-import-failed": "files that the import reads are damaged or missing",
        "torch-import-hung": "a damaged library is loaded and run",
        "torch-not-installed": "what is left of the installation is no torch any more",
        "xpu-query-crashed": "the query runs code from damaged files",
        "xpu-query-hung": "the query runs code from damaged files",
        "xpu-unavailable": "the files of torch's XPU part are damaged or missing",
    }

    def check(
        self,
        installation: Installation,
        libraries: Libraries,
        imported: Import,
        run: Run,
        hardware: Hardware,
    ) -> Iterator[Finding]:
        """Found where RECORD, version.py, the dist-info folders, leftovers, the libraries or a package that torch requires show damage."""
        seen, blocked = _gathered(installation.distributions, installation.torch)
        named = " ".join(text for _, text in seen)
        seen += [
            row
            for row in _damaged(libraries, distribution_built(installation.torch, installation.distributions))
            # A file can be damaged both by RECORD and to the loader: it is named once.
            if row[1].split(" ")[0] not in named
        ]
        if not seen and not known_or(imported.succeeded, False):
            seen += _without_libraries(installation.distributions, installation.torch)
        missing = _missing_requirement(run, installation.distributions, installation.python)
        if missing is not None:
            yield self._requirement(*missing, installation.python, installation.installer)
        elif not seen and blocked is not None and known_or(installation.torch.installed, True):
            raise Undecided(blocked)
        if not seen:
            return
        works = known_or(imported.succeeded, False)
        only_leftovers = all(fact == "distributions.leftovers" for fact, _ in seen)
        # What was seen to work overrides what its files look like.
        severity = Severity.WARNING if works else Severity.ERROR
        leftovers = tuple(_torch_leftovers(known_or(installation.distributions.leftovers, ())))
        folders = tuple(path for path in leftovers if "/" in path or "\\" in path)
        if only_leftovers and known_or(installation.torch.installed, True):
            yield self._leftovers_alone(seen[0][1], leftovers, folders, installation.python)
            return
        if not only_leftovers:
            folders = (*remains(installation.distributions, installation.torch, installation.python), *folders)
        yield self.found(
            "torch",
            "the installation of torch is damaged: " + "; ".join(text for _, text in seen),
            severity=severity,
            evidence=tuple(Evidence(fact, text, "") for fact, text in seen),
            remedies=reinstall(
                installation, folders=folders, gpu=not without_intel_gpu(hardware.machine, hardware.gpus)
            ),
        )

    def _requirement(
        self, wish: Wish, module: str, stage: Stage, run: Run, python: Python, installer: Installer
    ) -> Finding:
        """torch is whole; a package that it requires is not there."""
        return self.found(
            "torch",
            f"{module} cannot be imported, and torch requires it ({wish.name}{wish.specifier}): torch itself may be whole",
            evidence=(
                *stage_evidence(run, stage),
                Evidence("distributions.installed", f"torch requires {wish.name}{wish.specifier}", ""),
            ),
            remedies=(missing_requirement(python, installer, f"{wish.name}{wish.specifier}"),),
        )

    def _leftovers_alone(
        self, text: str, leftovers: tuple[str, ...], folders: tuple[str, ...], python: Python
    ) -> Finding:
        """Folders that an interrupted pip left beside a torch in which nothing else is wrong: a note, which explains no fault."""
        return self.found(
            "torch",
            f"{text} beside torch: nothing uses it, and it can be deleted",
            severity=Severity.INFO,
            evidence=tuple(Evidence("distributions.leftovers", path, "") for path in leftovers),
            remedies=tuple(filter(None, (delete(python, folders),))),
        )


def _missing_requirement(run: Run, distributions: Distributions, python: Python) -> tuple[Wish, str, Stage, Run] | None:
    """Return the requirement of torch whose module the import did not find, with the stage that says so."""
    stage = known_or(run.stage("import"), None)
    module = missing_module(stage).split(".")[0] if stage is not None else ""
    torch = known_or(distributions.find("torch"), None)
    if stage is None or not module or torch is None:
        return None
    name = re.sub(r"[-_.]+", "-", module).lower()
    wish = next(iter(requirements_of(torch, python, frozenset({name}))), None)
    return (wish, module, stage, run) if wish is not None else None


def _gathered(distributions: Distributions, torch: Torch) -> tuple[list[tuple[str, str]], Unknown | None]:
    """Return every sign of damage as (fact, text), and the first fact whose absence keeps the rest open."""
    seen: list[tuple[str, str]] = []
    blocked: Unknown | None = None
    for sign in (_files, _package, _doubled, _versions, _leftovers):
        try:
            seen += sign(distributions, torch)
        except Undecided as missing:
            blocked = blocked or missing.unknown
    return seen, blocked


def _files(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """Files that differ from RECORD."""
    for number, dist in enumerate(known(distributions.installed)):
        if dist.name == "torch" and record_lost(dist):
            yield f"distributions.installed[{number}].file_faults", "its RECORD is missing: it cannot be uninstalled"
        elif dist.name == "torch":
            faults = [fault for fault in _faults(dist, number) if not HARMLESS.search(fault.path)]
            if faults:
                more = dist.file_fault_count - MOST
                named = ", ".join(f"{fault.path} ({_fault_text(fault)})" for fault in sorted(faults, key=_order)[:MOST])
                yield (
                    f"distributions.installed[{number}].file_faults",
                    named + (f" and {more} more" if more > 0 else ""),
                )


def _package(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """Yield a folder of torch that Python takes for an empty namespace."""
    if known_or(torch.installed, False) and torch.package is False:
        yield (
            "torch.package",
            f"{known_or(torch.path, 'the folder torch')} holds no __init__.py, so that `import torch` gives an empty namespace",
        )


def _without_libraries(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """Yield a torch from a wheel that holds no library: those of systems, of conda and of a source tree may keep them elsewhere."""
    folder = parent(known_or(torch.path, ""))
    found = known_or(distributions.find("torch"), None)
    if torch.libraries != () or found is None or found.editable or found.location != folder:
        return
    installer = known_or(found.installer, "").lower()
    if installer and installer not in (*SYSTEM_INSTALLERS, "conda") and not SYSTEM_SITE.search(folder):
        yield "torch.libraries", "torch/lib, which holds the libraries of every wheel, is missing or empty"


def _faults(dist: Distribution, number: int) -> tuple[FileFault, ...]:
    if isinstance(dist.file_faults, Unknown):
        raise Undecided(Unknown(dist.file_faults.reason, f"distributions.installed[{number}].file_faults"))
    return dist.file_faults


def _order(fault: FileFault) -> tuple[bool, str]:
    return (".so" not in fault.path and not fault.path.endswith((".dll", ".pyd")), fault.path)


def _fault_text(fault: FileFault) -> str:
    return f"{fault.fault}: {fault.detail}" if fault.detail else fault.fault


def _damaged(libraries: Libraries, of_system: bool) -> list[tuple[str, str]]:
    """Libraries in torch's folder that are no whole libraries for this machine; a distribution's own links may lead to packages that are not installed."""
    rows = [row for row in known_or(libraries.damaged, ()) if not (of_system and row.kind == "dangling")]
    return [
        ("libraries.damaged", f"{_leaf(row.path)} ({row.kind}{': ' + row.detail if row.detail else ''})")
        for row in rows[:MOST]
    ]


def _doubled(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """Two dist-info folders of torch in one site folder."""
    torches = [dist for dist in known(distributions.installed) if dist.name == "torch"]
    same = [dist for dist in torches if dist.location == torches[0].location]
    if len(same) > 1:
        yield (
            "distributions.installed",
            "torch is registered twice in one folder: " + " and ".join(known_or(dist.version, "?") for dist in same),
        )


def _versions(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """version.py and the metadata name different versions: files of two installs are mixed."""
    mine, registered = known(torch.version), known(torch.metadata_version)
    if not registered or not mine:
        return
    labels = {label(mine), label(registered)} - {""}
    if (public(mine) != public(registered) and _release(mine) != _release(registered)) or len(labels) > 1:
        yield "torch.version", f"torch/version.py says {mine}, its metadata says {registered}"


def _release(version: str) -> str:
    """Return the version for comparison: 2.9.0a0 of a source tree and 2.9.0 stay apart, 2.9 and 2.9.0 do not."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(public(version)).public.removesuffix(".0")
    except InvalidVersion:
        return public(version)


def _leftovers(distributions: Distributions, torch: Torch) -> Iterator[tuple[str, str]]:
    """Folders that pip renamed before it was interrupted."""
    names = list(_torch_leftovers(known(distributions.leftovers)))
    if names:
        yield "distributions.leftovers", f"an interrupted pip left {', '.join(_leaf(name) for name in names[:MOST])}"


def _torch_leftovers(paths: tuple[str, ...]) -> Iterator[str]:
    for path in paths:
        stem = re.sub(r"^~[-~.=%0-9]*", "", re.split(r"-\d", _leaf(path), maxsplit=1)[0])
        if len(stem) >= 3 and any(name.endswith(stem) for name in NAMES):
            yield path


def _leaf(path: str) -> str:
    return re.split(r"[\\/]", path.rstrip("\\/"))[-1]
