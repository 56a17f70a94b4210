"""The whole sequence that puts an XPU build of torch in place: uninstall, install the matching set, verify."""

from __future__ import annotations

from dataclasses import dataclass, replace

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distributions, Installer, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy, Risk, Shell
from xpu_doctor.model.terms import TorchBuild
from xpu_doctor.model.unknown import denied, known_or
from xpu_doctor.remedies.commands import Unprintable, lines, sequence, shells
from xpu_doctor.remedies.managers import plan, stands_apart
from xpu_doctor.remedies.ownership import parent
from xpu_doctor.remedies.packages import IMPORT, requirement
from xpu_doctor.remedies.patient import TRIO, TRITONS, Patient, may_be_deleted, patient_of, record_lost, untouchable
from xpu_doctor.remedies.plans import NEW_FOLDER, Wanted, explained, new_python
from xpu_doctor.remedies.settings import pip_isolation
from xpu_doctor.tables.releases import (
    NIGHTLY,
    STABLE,
    Release,
    installable,
    is_nightly,
    label,
    platform_tag,
    public,
    python_tag,
    release_of,
)

__all__ = [
    "NEW_FOLDER", "TRIO", "TRITONS", "Indexes", "Wanted", "missing_requirement", "newest_wanted", "other_python", "own_environment", "record_lost",
    "reinstall", "remains", "wanted",
]  # fmt: skip
GUIDE = "https://docs.pytorch.org/docs/stable/notes/get_start_xpu.html"
CODE = "import torch; print(torch.__version__, torch.xpu.is_available()); print(torch.ones(2, device='xpu').sum())"
NO_GPU = "XPU builds compute on Intel GPUs only, and none was seen here: this multi-gigabyte download is only useful once an Intel GPU is installed."
COMMON_PYTHON = "3.12"
"""A Python that every row of the releases table lists."""


@dataclass(frozen=True)
class Indexes:
    """Where XPU wheels come from; tests name another place."""

    stable: str = STABLE
    nightly: str = NIGHTLY


def reinstall(
    installation: Installation,
    *,
    indexes: Indexes = Indexes(),
    also: tuple[str, ...] = (),
    folders: tuple[str, ...] = (),
    gpu: bool = True,
    newest: bool = False,
) -> tuple[Remedy, ...]:
    """Return the remedy for a wrong, broken or missing torch, for this environment's manager and each usual shell.

    `also` names further distributions to uninstall, `folders` what an uninstall leaves behind; without a GPU the import alone is verified.
    With `newest` the version that is installed does not matter.
    """
    python, distributions, torch = installation.python, installation.distributions, installation.torch
    patient = patient_of(python, distributions, installation.installer, also, folders, torch)
    target = (
        newest_wanted(python, indexes) if newest else wanted(python, torch, indexes, _registered(distributions, torch))
    )
    made = plan(patient, target)
    apart = stands_apart(patient)
    executable = new_python(patient.os) if apart else patient.python
    check: tuple[Command, ...] = (
        Command((executable, "-c", CODE if gpu else IMPORT)),
        Command(("xpu-doctor", "check", "--python", executable)),
    )
    commands, why = made.commands, [*(() if apart else _hidden(patient)), made.why]
    unset, variables, left_out = _left_out(patient, apart)
    commands, check = (
        tuple(replace(item, unset=(*item.unset, *unset), variables={**item.variables, **variables}) for item in row)
        for row in (commands, check)
    )
    return _shown(
        Remedy(
            _title(patient, newest or known_or(torch.build, "") != TorchBuild.XPU),
            " ".join(part.strip() for part in ("" if gpu else NO_GPU, target.why, *left_out, *why) if part),
            os=patient.os,
            manager=made.manager,
            risk=Risk.ADMIN if made.admin else Risk.REINSTALL if patient.present and not apart else Risk.NONE,
            url=GUIDE,
            steps=() if apart else commands,
            proofs=check,
        ),
        commands,
        check,
    )


def own_environment(python: Python, installer: Installer) -> Remedy:
    """Return the remedy that makes an environment of one's own, for an interpreter whose own packages must stay as they are."""
    return reinstall(Installation(python, Distributions(installed=()), installer, Torch(installed=False)))[0]


def missing_requirement(python: Python, installer: Installer, spec: str) -> Remedy:
    """Return the remedy that puts one requirement of torch back, or that makes an environment of one's own where nothing may be added."""
    return (
        own_environment(python, installer) if untouchable(python, installer) else requirement(python, installer, spec)
    )


def _shown(remedy: Remedy, commands: tuple[Command, ...], check: tuple[Command, ...]) -> tuple[Remedy, ...]:
    """Return the remedy once for each shell whose lines differ; a shell that cannot take a word literally is left out, and why is said."""
    variants: dict[Shell, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    reasons: list[str] = []
    for shell in shells(remedy.os):
        try:
            variants[shell] = (sequence(commands, shell), lines(check, shell))
        except Unprintable as reason:
            reasons.append(f"No commands are printed for {shell.value}: {reason}.")
    remedy = replace(remedy, why=" ".join((remedy.why, *reasons)).strip())
    kept = [
        shell for shell in variants if list(variants.values()).index(variants[shell]) == list(variants).index(shell)
    ]
    if not kept:
        return (remedy,)
    named = len(kept) > 1 or bool(reasons)
    return tuple(
        replace(
            remedy,
            shell=shell if named else None,
            commands=variants[shell][0],
            verify=variants[shell][1],
        )
        for shell in kept
    )


def _title(patient: Patient, other: bool) -> str:
    """Say what is done; `other` says whether the build or the version becomes another."""
    if not patient.present:
        return "Install the XPU build of torch"
    return "Replace torch with its XPU build" if other else "Reinstall torch and its partners"


def _left_out(patient: Patient, apart: bool) -> tuple[tuple[str, ...], dict[str, str], list[str]]:
    """Return what commands, and the person's program, must leave out so that the new torch is the one that is imported."""
    unset: tuple[str, ...] = ()
    variables: dict[str, str] = {}
    why: list[str] = []
    if patient.variable:
        unset = ("PYTHONPATH",)
        why.append(
            f"PYTHONPATH names {patient.variable}, whose torch would win over it: these commands leave PYTHONPATH out, and so must your program."
        )
    if patient.user and not apart:
        variables = {"PYTHONNOUSERSITE": "1"}
        why.append(
            f"{patient.user} (the user's own packages) holds a torch too, which stays as it is: these commands leave it out, and your program "
            "does so with the variable PYTHONNOUSERSITE=1."
        )
    return unset, variables, why


def _hidden(patient: Patient) -> list[str]:
    return (
        [f"The torch in {patient.hidden} stays as it is: the one that is installed here hides it."]
        if patient.hidden
        else []
    )


def _registered(distributions: Distributions, torch: Torch) -> str:
    """Version of a torch that is registered while its folder is gone; empty where there is none."""
    found = known_or(distributions.find("torch"), None) if denied(torch.installed) else None
    return known_or(found.version, "") if found is not None else ""


def wanted(python: Python, torch: Torch, indexes: Indexes = Indexes(), registered: str = "") -> Wanted:
    """Return which torch to install: the same version where the table is sure of its XPU wheel, else the newest it is sure of."""
    version = known_or(torch.version, "") or known_or(torch.metadata_version, "") or registered
    if is_nightly(version):
        return Wanted(
            TRIO, indexes.nightly, pre=True, why=f"torch {version} is a nightly build, so its replacement is one too."
        )
    tag = python_tag(known_or(python.version, ""), known_or(python.free_threaded, False))
    if label(version) == "xpu":  # it is installed, so its wheel exists, whatever the table knows
        return Wanted(
            (f"torch=={version}", *_companions(release_of(version))),
            indexes.stable,
            triton=_triton(release_of(version)),
        )
    row = installable(tag, platform_tag(known_or(python.os, "linux"), known_or(python.architecture, "x86_64")), version)
    if row is None:
        return Wanted(
            TRIO,
            indexes.stable,
            why="" if tag == "" else f"No release is known for sure for Python {tag}: the index decides.",
            triton="triton-xpu",
        )
    specs = (f"torch=={row.torch}+xpu", *_companions(row))
    other = bool(version) and not row.covers(version)
    why = (
        f"{row.torch} is the newest release whose XPU wheel for Python {tag} is known for sure; {public(version)} is not one."
        if other
        else ""
    )
    return Wanted(specs, indexes.stable, why=why, triton=_triton(row), release=row.torch)


def newest_wanted(python: Python, indexes: Indexes = Indexes()) -> Wanted:
    """Return the newest torch whose XPU wheel the table is sure of."""
    return wanted(python, Torch(), indexes)


def _companions(row: Release | None) -> tuple[str, ...]:
    """Return the requirements of torchvision and torchaudio: exact where the table knows the partner, else left to their own metadata."""
    return tuple(
        f"{name}=={row.companion(name)}" if row is not None and row.companion(name) else name for name in TRIO[1:]
    )


def _triton(row: Release | None) -> str:
    if row is None or not row.triton:
        return "triton-xpu"
    return f"{row.triton}=={row.triton_version}" if row.triton_version else row.triton


def remains(distributions: Distributions, torch: Torch, python: Python) -> tuple[str, ...]:
    """Return the folders of torch that an uninstall can leave behind, where they may be deleted: only those in the environment's own packages."""
    package = known_or(torch.path, "")
    installed = known_or(distributions.installed, ())
    records = [
        dist.metadata_path
        for dist in installed
        if dist.name == "torch" and package and dist.location == parent(package)
    ]
    return tuple(path for path in (package, *records) if may_be_deleted(path, python))


def other_python(
    python: Python, installer: Installer, os: str = "", *, gpu: bool = True, indexes: Indexes = Indexes()
) -> tuple[Remedy, ...]:
    """Return how to make an environment with a Python that XPU wheels exist for; `os` serves where Python names none, `gpu` is false where there is none."""
    os = known_or(python.os, "") or os or "linux"
    shut = pip_isolation(installer, os)
    windows, new = os == "windows", new_python(os)
    maker = ("py", f"-{COMMON_PYTHON}") if windows else (f"python{COMMON_PYTHON}",)
    row = installable(COMMON_PYTHON, "win_amd64" if windows else "linux_x86_64")
    specs = (f"torch=={row.torch}+xpu", *_companions(row)) if row else TRIO
    options = ("install", "--no-cache-dir", *specs, "--index-url", indexes.stable, *shut.kept)
    install = Command((new, "-m", "pip", *shut.options, *options), variables=shut.variables)
    shell = shells(os)[0]
    why = f"Every XPU release that the table knows has a wheel for Python {COMMON_PYTHON}; the new environment leaves this one as it is."
    return (
        Remedy(
            f"Use 64-bit CPython {COMMON_PYTHON} on Linux x86_64 or Windows x64",
            explained([*(() if gpu else (NO_GPU,)), why], shut),
            commands=sequence([Command((*maker, "-m", "venv", NEW_FOLDER)), install], shell),
            os=os,
            manager="pip",
            verify=lines([Command((new, "-c", CODE))], shell),
            url=GUIDE,
        ),
    )
