"""The whole sequence that puts an XPU build of torch in place: uninstall, install the matching set, verify."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from xpu_doctor.facts import Distribution, Distributions, Installer, Python, Torch
from xpu_doctor.findings import Remedy, Risk
from xpu_doctor.remedies.commands import Command, lines, shells
from xpu_doctor.remedies.packages import IMPORT, deletions, uv
from xpu_doctor.remedies.pythonpath import on_pythonpath
from xpu_doctor.remedies.settings import Isolation, option_of, pip_isolation, uv_isolation
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
from xpu_doctor.unknown import Unknown, known_or

TRIO = ("torch", "torchvision", "torchaudio")
TRITONS = ("triton-xpu", "pytorch-triton-xpu", "triton", "pytorch-triton", "triton-windows", "pytorch-triton-rocm", "triton-rocm")
"""Distributions that all install the one folder `triton`."""
GUIDE = "https://docs.pytorch.org/docs/stable/notes/get_start_xpu.html"
INDEX_NAME = "pytorch-xpu"
CODE = "import torch; print(torch.__version__, torch.xpu.is_available()); print(torch.ones(2, device='xpu').sum())"
NO_GPU = "XPU builds compute on Intel GPUs alone, and none was seen here: this download of several gigabytes serves only once one is there."
NO_TORCH = Torch()
UV_GUIDE = "https://docs.astral.sh/uv/getting-started/installation/"
NEW_FOLDER = "torch-xpu"
COMMON_PYTHON = "3.12"
"""A Python that every row of the releases table lists."""


@dataclass(frozen=True)
class Indexes:
    """Where XPU wheels come from; tests name another place."""

    stable: str = STABLE
    nightly: str = NIGHTLY


@dataclass(frozen=True)
class Wanted:
    """What to install: requirements, the index that has them, and why these."""

    specs: tuple[str, ...]
    index: str
    pre: bool = False
    why: str = ""
    triton: str = ""
    """Requirement of the triton package, for managers that must be told."""


@dataclass(frozen=True)
class Patient:
    """What a sequence of commands must know of the environment."""

    python: str
    os: str
    manager: str
    project: str
    installer: Installer
    uninstall: tuple[str, ...]
    copies: int = 1
    """How many dist-info folders of torch one site folder holds: each takes an uninstall of its own."""
    conda: tuple[str, ...] = ()
    """Packages that conda itself installed."""
    prefix: str = ""
    folders: tuple[str, ...] = ()
    """Folders to delete after the uninstall."""
    foreign: str = ""
    """The folder of PYTHONPATH whose torch would still win over whatever is installed."""


def reinstall(
    python: Python,
    distributions: Distributions,
    installer: Installer,
    torch: Torch,
    *,
    indexes: Indexes = Indexes(),
    also: tuple[str, ...] = (),
    folders: tuple[str, ...] = (),
    gpu: bool = True,
) -> tuple[Remedy, ...]:
    """Return the remedy for a wrong, broken or missing torch, for this environment's manager and each usual shell.

    `also` names further distributions to uninstall, `folders` what an uninstall leaves behind; without a GPU the import alone is verified.
    """
    patient = _patient(python, distributions, installer, also, folders, torch)
    target = wanted(python, torch, indexes)
    present = _present(python, distributions, torch, patient)
    commands, manager, why = _sequence(patient, target, present)
    target_python = _new_python(patient) if _apart(patient) else patient.python
    check: tuple[Command, ...] = (Command((target_python, "-c", CODE if gpu else IMPORT)), Command(("xpu-doctor", "check", "--python", target_python)))
    risk = Risk.REINSTALL if present and not _apart(patient) else Risk.NONE
    if patient.foreign:
        unset = ("PYTHONPATH",)
        commands, check = (tuple(replace(item, unset=(*item.unset, *unset)) for item in row) for row in (commands, check))
        why = f"PYTHONPATH names {patient.foreign}, whose torch would win over it: these commands leave PYTHONPATH out, and so must your program. {why}"
    variants = {shell: (lines(commands, shell), lines(check, shell)) for shell in shells(patient.os)}
    kept = [shell for shell in variants if list(variants.values()).index(variants[shell]) == list(variants).index(shell)]
    title = "Replace torch with its XPU build"
    if not present:
        title = "Install the XPU build of torch"
    elif known_or(torch.build, "") == "xpu":
        title = "Reinstall torch and its partners"
    return tuple(
        Remedy(
            title=title + (f" ({shell.value})" if len(kept) > 1 else ""),
            why=" ".join(part.strip() for part in ("" if gpu else NO_GPU, target.why, why) if part),
            commands=variants[shell][0],
            os=patient.os,
            manager=manager,
            risk=risk,
            verify=variants[shell][1],
            url=GUIDE,
        )
        for shell in kept
    )


def wanted(python: Python, torch: Torch, indexes: Indexes = Indexes()) -> Wanted:
    """Return which torch to install: the same version where the table is sure of its XPU wheel, else the newest it is sure of."""
    version = known_or(torch.version, "") or known_or(torch.metadata_version, "")
    if is_nightly(version):
        return Wanted(TRIO, indexes.nightly, pre=True, why=f"torch {version} is a nightly build, so its replacement is one too.")
    tag = python_tag(known_or(python.version, ""), known_or(python.free_threaded, False))
    if label(version) == "xpu":  # it is installed, so its wheel exists, whatever the table knows
        return Wanted((f"torch=={version}", *_companions(release_of(version))), indexes.stable, triton=_triton(release_of(version)))
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
    why = f"{row.torch} is the newest release whose XPU wheel for Python {tag} is known for sure; {public(version)} is not one." if other else ""
    return Wanted(specs, indexes.stable, why=why, triton=_triton(row))


def _companions(row: Release | None) -> tuple[str, ...]:
    """Return the requirements of torchvision and torchaudio: exact where the table knows the partner, else left to their own metadata."""
    return tuple(f"{name}=={row.companion(name)}" if row is not None and row.companion(name) else name for name in TRIO[1:])


def _triton(row: Release | None) -> str:
    if row is None or not row.triton:
        return "triton-xpu"
    return f"{row.triton}=={row.triton_version}" if row.triton_version else row.triton


def _patient(
    python: Python,
    distributions: Distributions,
    installer: Installer,
    also: tuple[str, ...] = (),
    folders: tuple[str, ...] = (),
    torch: Torch = NO_TORCH,
) -> Patient:
    os = known_or(python.os, "linux")
    installed = distributions.installed if isinstance(distributions.installed, tuple) else None
    tritons = TRITONS if installed is None else tuple(dict.fromkeys(dist.name for dist in installed if dist.name in TRITONS))
    places = [*(dist.location for dist in installed or () if dist.name == "torch"), _parent(known_or(torch.path, ""))]
    torches = [dist for dist in installed or () if dist.name == "torch" and not on_pythonpath(dist.location, python)]
    first = torches[0].location if torches else ""
    lost = {dist.name for dist in installed or () if record_lost(dist)}
    return Patient(
        python=known_or(python.executable, "") or ("python" if os == "windows" else "python3"),
        os=os,
        manager=known_or(installer.manager, "pip"),
        project=installer.project,
        installer=installer,
        uninstall=tuple(name for name in (*TRIO, *tritons, *also) if name not in lost),
        copies=max(1, sum(dist.location == first for dist in torches)),
        conda=tuple(_conda_name(dist) for dist in installed or () if dist.name in (*TRIO, *TRITONS) and known_or(dist.installer, "") == "conda"),
        prefix=known_or(python.prefix, ""),
        folders=tuple(path for path in folders if not on_pythonpath(_parent(path), python)),
        foreign=next((place for place in places if on_pythonpath(place, python)), ""),
    )


def _present(python: Python, distributions: Distributions, torch: Torch, patient: Patient) -> bool:
    """Whether the environment itself holds a torch, or may: one that PYTHONPATH brings is none of its packages."""
    if not patient.foreign:
        return known_or(torch.installed, True)
    installed = distributions.installed if isinstance(distributions.installed, tuple) else ()
    return any(dist.name == "torch" and not on_pythonpath(dist.location, python) for dist in installed)


def record_lost(dist: Distribution) -> bool:
    """Return whether pip or uv installed it and its RECORD is gone: no tool can uninstall it then."""
    return isinstance(dist.file_faults, Unknown) and "RECORD" in dist.file_faults.reason and known_or(dist.installer, "") in ("pip", "uv")


def _conda_name(dist: Distribution) -> str:
    return "pytorch" if dist.name == "torch" else dist.name


def _sequence(patient: Patient, target: Wanted, present: bool) -> tuple[tuple[Command, ...], str, str]:
    """Return the commands, the manager that they are for, and what to know about them."""
    manager = patient.manager
    if manager == "uv-project" and patient.project:
        return _uv_project(patient, target, present)
    if manager == "poetry" and patient.project:
        return _poetry(patient, target, present)
    if _must_not_touch(patient):
        return _new_environment(patient, target)
    if manager in ("uv", "uv-project"):
        return _uv(patient, target, present)
    commands, name, why = _pip(patient, target, present)
    if manager not in ("pip", "conda"):
        name = f"pip ({manager})"
        why = f"{_owner(manager)} manages this environment and may undo this at its next install: put the same index into its settings. {why}"
    return commands, name, why.strip()


def _apart(patient: Patient) -> bool:
    """Whether the commands make an environment of their own and leave the one examined as it is."""
    return _must_not_touch(patient) and not (patient.manager in ("uv-project", "poetry") and patient.project)


def _owner(manager: str) -> str:
    return "poetry or uv" if manager in ("poetry", "uv-project") else manager


def _must_not_touch(patient: Patient) -> bool:
    return known_or(patient.installer.externally_managed, False) is True


def _pip(patient: Patient, target: Wanted, present: bool) -> tuple[tuple[Command, ...], str, str]:
    shut = pip_isolation(patient.installer, patient.os)
    pip = (patient.python, "-m", "pip")
    commands: list[Command] = []
    why: list[str] = []
    if known_or(patient.installer.has_pip, True) is False:
        commands.append(Command((patient.python, "-m", "ensurepip", "--upgrade")))
        why.append("pip is not installed there yet.")
    if patient.conda:
        commands.append(Command(("conda", "remove", "--yes", "--prefix", patient.prefix, *dict.fromkeys(patient.conda))))
        why.append("conda has no XPU build of torch: take its packages out first, then use pip inside the environment.")
    if present:
        commands += [Command((*pip, "uninstall", "-y", *patient.uninstall))]
        commands += [Command((*pip, "uninstall", "-y", "torch"))] * (patient.copies - 1)
        why.append("Without the uninstall pip sees that a torch is there and does nothing.")
    commands += deletions(patient.python, patient.os, patient.folders)
    pre = ("--pre",) if target.pre else ()
    install = (*pip, *shut.options, "install", "--no-cache-dir", *pre, *target.specs, "--index-url", target.index, *shut.kept)
    commands.append(Command(install, variables=shut.variables))
    return tuple(commands), "conda" if patient.manager == "conda" else "pip", _explained(why, shut)


def _uv(patient: Patient, target: Wanted, present: bool) -> tuple[tuple[Command, ...], str, str]:
    shut = uv_isolation(patient.installer)
    commands: list[Command] = []
    if present:
        uninstall = (*uv(patient.installer, patient.python), "pip", "uninstall", "--python", patient.python)
        commands += [Command((*uninstall, *patient.uninstall))]
        commands += [Command((*uninstall, "torch"))] * (patient.copies - 1)
    commands += deletions(patient.python, patient.os, patient.folders)
    pre = ("--prerelease", "allow") if target.pre else ()
    where = ("--python", patient.python, "--no-cache", *shut.kept, "--default-index", target.index)
    commands.append(Command((*uv(patient.installer, patient.python), "pip", "install", *where, *pre, *target.specs), unset=shut.unset))
    return tuple(commands), "uv", _explained(_how_to_get_uv(patient.installer), shut)


def _uv_project(patient: Patient, target: Wanted, present: bool) -> tuple[tuple[Command, ...], str, str]:
    shut = uv_isolation(patient.installer)
    triton = (target.triton,) if target.triton else ("triton-xpu",)
    pre = ("--prerelease", "allow") if target.pre else ()
    own = uv(patient.installer, patient.python)
    add = (*own, "add", "--project", patient.project, "--no-cache", "--index", f"{INDEX_NAME}={target.index}", *pre, *target.specs, *triton)
    name = triton[0].split("==")[0]
    why = (
        "It writes the index into pyproject.toml and uv.lock, so that the next `uv sync` keeps it; add `explicit = true` to its "
        "[[tool.uv.index]] table, so that nothing but these packages comes from there. "
        f"{name} must be a dependency of the project itself: uv takes only direct dependencies from a named index."
    )
    uninstall = Command((*own, "pip", "uninstall", "--python", patient.python, *patient.uninstall))
    first = (uninstall, *deletions(patient.python, patient.os, patient.folders)) if present else ()
    return (*first, Command(add, unset=shut.unset)), "uv-project", _explained([why, *_how_to_get_uv(patient.installer)], replace(shut, kept=()))


def _poetry(patient: Patient, target: Wanted, present: bool) -> tuple[tuple[Command, ...], str, str]:
    poetry = ("poetry", "--directory", patient.project)
    pre = ("--allow-prereleases",) if target.pre else ()
    triton = (target.triton,) if target.triton else ("triton-xpu",)
    first: tuple[Command, ...] = ()
    if present and known_or(patient.installer.has_pip, False):
        first = (Command((patient.python, "-m", "pip", "uninstall", "-y", *patient.uninstall)), *deletions(patient.python, patient.os, patient.folders))
    commands = (
        *first,
        Command((*poetry, "source", "add", "--priority", "explicit", INDEX_NAME, target.index)),
        Command((*poetry, "add", "--no-cache", "--source", INDEX_NAME, *pre, *target.specs, *triton)),
    )
    return commands, "poetry", "It writes the index into pyproject.toml and the lock file, so that the next `poetry install` keeps it."


def _new_environment(patient: Patient, target: Wanted) -> tuple[tuple[Command, ...], str, str]:
    shut = pip_isolation(patient.installer, patient.os)
    pre = ("--pre",) if target.pre else ()
    install = (
        _new_python(patient),
        "-m",
        "pip",
        *shut.options,
        "install",
        "--no-cache-dir",
        *pre,
        *target.specs,
        "--index-url",
        target.index,
    )
    commands = (
        Command((patient.python, "-m", "venv", NEW_FOLDER)),
        Command((*install, *shut.kept), variables=shut.variables),
    )
    why = "The operating system owns this interpreter and refuses changes by pip (PEP 668): a virtual environment of your own is the way."
    return commands, "pip", _explained([why], shut)


def _new_python(patient: Patient) -> str:
    return f"{NEW_FOLDER}\\Scripts\\python.exe" if patient.os == "windows" else f"{NEW_FOLDER}/bin/python"


def _explained(why: list[str], shut: Isolation) -> str:
    if shut.hostile:
        names = ", ".join(dict.fromkeys(f"{option_of(setting)} ({setting.source})" for setting in shut.hostile))
        why = [*why, f"The command shuts out settings that can bring another torch: {names}."]
    if shut.left_out:
        why = [*why, f"Add {', '.join(shut.left_out)} yourself: its value holds credentials."]
    return " ".join(why)


def remains(distributions: Distributions, torch: Torch) -> tuple[str, ...]:
    """Return the folders of torch that an uninstall can leave behind, where they may be deleted: only those inside site-packages."""
    package = known_or(torch.path, "")
    installed = distributions.installed if isinstance(distributions.installed, tuple) else ()
    records = [dist.metadata_path for dist in installed if dist.name == "torch" and package and dist.location == _parent(package)]
    return tuple(path for path in (package, *records) if _may_be_deleted(path))


def _parent(path: str) -> str:
    return re.sub(r"[\\/][^\\/]+[\\/]*$", "", path)


def _may_be_deleted(path: str) -> bool:
    parts = path.replace("\\", "/").rstrip("/").split("/")
    return len(parts) > 3 and parts[-2] in ("site-packages", "dist-packages") and re.fullmatch(r"torch(-[^/]+\.dist-info)?", parts[-1]) is not None


def other_python(python: Python, installer: Installer, os: str = "", *, indexes: Indexes = Indexes()) -> tuple[Remedy, ...]:
    """Return how to make an environment with a Python that XPU wheels exist for; `os` is that of the machine where Python named none."""
    os = known_or(python.os, "") or os or "linux"
    shut = pip_isolation(installer, os)
    windows = os == "windows"
    new = f"{NEW_FOLDER}\\Scripts\\python.exe" if windows else f"{NEW_FOLDER}/bin/python"
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
            _explained([why], shut),
            commands=lines([Command((*maker, "-m", "venv", NEW_FOLDER)), install], shell),
            os=os,
            manager="pip",
            verify=lines([Command((new, "-c", CODE))], shell),
            url=GUIDE,
        ),
    )


def _how_to_get_uv(installer: Installer) -> list[str]:
    return [f"uv manages this environment and is not on PATH: {UV_GUIDE} tells how to get it."] if known_or(installer.uv, "uv") == "" else []
