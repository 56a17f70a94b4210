"""What a sequence of commands must know of the environment that it changes: what is the environment's own, and what must stay as it is. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python, Torch
from xpu_doctor.model.unknown import denied, holds, known_or
from xpu_doctor.remedies.commands import interpreter
from xpu_doctor.remedies.ownership import (
    Owner,
    described,
    is_system,
    owner_of,
    owner_of_distribution,
    owner_of_torch,
    parent,
    wins_over_own,
)
from xpu_doctor.remedies.packages import debian_package

TRIO = ("torch", "torchvision", "torchaudio")
TRITONS = (
    "triton-xpu",
    "pytorch-triton-xpu",
    "triton",
    "pytorch-triton",
    "triton-windows",
    "pytorch-triton-rocm",
    "triton-rocm",
)
"""Distributions that all install the one folder `triton`."""
RUNTIME = ("intel-", "onemkl-", "mkl", "tbb", "tcmlib", "umf", "dpcpp-cpp-rt", "oneccl", "impi-rt")
"""Beginnings of the names of packages whose libraries torch looks for in its own environment alone."""
RECORDING = ("pip", "uv", "poetry", "pdm")
"""Installers that write a RECORD, as the first word of INSTALLER; an operating system's own need none."""
LEFTOVER = re.compile(
    r"(torch|torchvision|torchaudio|triton|functorch|torchgen)(-[^/]{1,200}\.(dist|egg)-info)?|[a-z_]{0,40}?triton[a-z_]{0,40}-[^/]{1,200}\.dist-info|~.+"
)


@dataclass(frozen=True)
class Patient:
    """One environment, and what may be done to it."""

    python: str
    os: str
    manager: str
    project: str
    installer: Installer
    rounds: tuple[tuple[str, ...], ...] = ()
    """Names to uninstall, all of them the environment's own; a name that one site folder holds twice is in two rounds."""
    conda: tuple[str, ...] = ()
    """Packages that conda itself installed."""
    prefix: str = ""
    folders: tuple[str, ...] = ()
    """Folders of the environment's own to delete after the uninstall."""
    variable: str = ""
    """The folder of PYTHONPATH whose torch would still win over whatever is installed."""
    user: str = ""
    """The user's site folder, where it holds a torch that the environment sees."""
    hidden: str = ""
    """The place of a foreign torch that the install will hide, with its owner, for a sentence."""
    runtime_hidden: bool = False
    """Whether that place holds libraries too, which must be installed here again."""
    apart: str = ""
    """Why the environment itself must not be changed; empty where it may be."""
    present: bool = True
    """Whether the environment itself holds a torch, or may."""
    ensurepip: bool = True
    embedded: bool = False
    """Whether it is Windows' embeddable Python, which has neither ensurepip nor venv."""
    debian: str = ""
    """The Debian package that brings the missing part of the standard library, where the interpreter is Debian's."""
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Folders that each of torch's packages has here, where they may be deleted; for managers whose environments have no pip."""
    same: bool = False
    """Whether the torch that is registered is an XPU build already: a manager that compares versions would do nothing."""

    @property
    def uninstall(self) -> tuple[str, ...]:
        """Names that are uninstalled."""
        return self.rounds[0] if self.rounds else ()


def patient_of(
    python: Python,
    distributions: Distributions,
    installer: Installer,
    also: tuple[str, ...],
    folders: tuple[str, ...],
    torch: Torch,
) -> Patient:
    """Return what the facts say of an environment; what is not known to be foreign is left to pip and uv, which refuse what lies outside."""
    os = known_or(python.os, "linux")
    installed = distributions.installed if isinstance(distributions.installed, tuple) else None
    own = tuple(dist for dist in installed or () if not owner_of_distribution(dist, python).foreign)
    foreign = tuple(
        dist for dist in installed or () if owner_of_distribution(dist, python) not in (Owner.TARGET, Owner.UNKNOWN)
    )
    names = (*TRIO, *TRITONS, *also)
    deleted = tuple(
        dict.fromkeys((*_unregistered(own, torch, python), *(path for path in folders if may_be_deleted(path, python))))
    )
    version = next((known_or(dist.version, "") for dist in own if dist.name == "torch"), "")
    hidden, runtime = _hidden(own, foreign, torch, python)
    return Patient(
        python=interpreter(python),
        os=os,
        manager=known_or(installer.manager, "pip"),
        project=installer.project,
        installer=installer,
        rounds=((names,) if known_or(torch.installed, True) else ()) if installed is None else _rounds(own, names),
        conda=tuple(
            dict.fromkeys(_conda_name(dist) for dist in own if dist.name in (*TRIO, *TRITONS) and _by_conda(dist))
        ),
        prefix=known_or(python.prefix, ""),
        folders=deleted,
        variable=_place(Owner.PYTHONPATH, foreign, torch, python),
        user=_place(Owner.USER, foreign, torch, python),
        hidden=hidden,
        runtime_hidden=runtime,
        apart=untouchable(python, installer) or _always_hidden(python, hidden, foreign, torch),
        present=_present(own, installed, torch, python) or bool(deleted),
        ensurepip=known_or(python.ensurepip, True),
        embedded=os == "windows" and known_or(python.embedded, False) and not known_or(python.ensurepip, True),
        debian=debian_package(python),
        places={
            dist.name: tuple(path for path in _folders(dist) if may_be_deleted(path, python))
            for dist in own
            if dist.name in (*TRIO, *TRITONS)
        },
        same="+xpu" in version,
    )


def record_lost(dist: Distribution) -> bool:
    """Return whether a tool that writes a RECORD installed it and the RECORD is gone: no tool can uninstall it then."""
    return dist.record is False and (known_or(dist.installer, "").lower().split() or [""])[0] in RECORDING


def may_be_deleted(path: str, python: Python) -> bool:
    """Return whether a folder is a package's that torch brings, in the site-packages of the environment itself."""
    parts = path.replace("\\", "/").rstrip("/").split("/")
    if len(parts) < 4 or parts[-2] != "site-packages" or LEFTOVER.fullmatch(parts[-1]) is None:
        return False
    return owner_of(parent(path), python) is Owner.TARGET


def _unregistered(own: tuple[Distribution, ...], torch: Torch, python: Python) -> list[str]:
    """Folders that no uninstall can take away: metadata without a list of files, and packages without metadata."""
    found: list[str] = []
    for dist in own:
        if dist.name in (*TRIO, *TRITONS) and _lost(dist):
            found += _folders(dist)
    path = known_or(torch.path, "")
    if path and not any(dist.name == "torch" and dist.location == parent(path) for dist in own):
        found.append(path)
    real = known_or(torch.real_path, "")
    mine = owner_of_torch(torch, python) is Owner.TARGET
    return [item for item in found if may_be_deleted(item, python) and (item != path or not real or mine)]


def _folders(dist: Distribution) -> tuple[str, str]:
    """Return the folders of one of torch's packages: its module, and its metadata."""
    mark = "\\" if "\\" in dist.location else "/"
    return f"{dist.location}{mark}{'triton' if dist.name in TRITONS else dist.name}", dist.metadata_path


def _lost(dist: Distribution) -> bool:
    return record_lost(dist) or (dist.metadata is False and bool(dist.metadata_path))


def _rounds(own: tuple[Distribution, ...], names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    places: dict[str, str] = {}
    for dist in own:
        places.setdefault(dist.name, dist.location)
    counted = Counter(
        dist.name for dist in own if dist.location == places[dist.name] and not _lost(dist) and not _by_conda(dist)
    )
    most = max((counted[name] for name in names), default=0)
    return tuple(tuple(dict.fromkeys(name for name in names if counted[name] > number)) for number in range(most))


def _by_conda(dist: Distribution) -> bool:
    return known_or(dist.installer, "") == "conda"


def _conda_name(dist: Distribution) -> str:
    return "pytorch" if dist.name == "torch" else dist.name


def _present(
    own: tuple[Distribution, ...], installed: tuple[Distribution, ...] | None, torch: Torch, python: Python
) -> bool:
    if any(dist.name == "torch" for dist in own):
        return True
    if owner_of_torch(torch, python).foreign:
        return False
    return (
        known_or(torch.installed, True)
        if installed is None or known_or(torch.path, "") == ""
        else known_or(torch.installed, False)
    )


def _place(owner: Owner, foreign: tuple[Distribution, ...], torch: Torch, python: Python) -> str:
    """Where an owner keeps a torch that the environment sees, or empty."""
    if owner_of_torch(torch, python) is owner:
        return parent(known_or(torch.path, ""))
    return next(
        (dist.location for dist in foreign if dist.name == "torch" and owner_of_distribution(dist, python) is owner), ""
    )


def _hidden(
    own: tuple[Distribution, ...], foreign: tuple[Distribution, ...], torch: Torch, python: Python
) -> tuple[str, bool]:
    """Return the foreign place of torch or its partners that an install has to hide, and whether it holds the runtime's libraries too."""
    others = [dist for dist in foreign if owner_of_distribution(dist, python) not in (Owner.PYTHONPATH, Owner.USER)]
    met = [dist for dist in others if dist.name in (*TRIO, *TRITONS)]
    owner = owner_of_torch(torch, python)
    linked = any(dist.editable and dist.name == "torch" for dist in own)
    if owner.foreign and owner not in (Owner.PYTHONPATH, Owner.USER) and not linked:
        place = described(owner, parent(known_or(torch.path, "")))
    elif met:
        place = described(owner_of_distribution(met[0], python), met[0].location)
    else:
        return "", False
    runtime = any(dist.name.startswith(RUNTIME) or dist.name in TRITONS for dist in others)
    return place, runtime or denied(python.virtual_environment)


def untouchable(python: Python, installer: Installer) -> str:
    """Return why nothing may be installed into an interpreter's own packages, or empty."""
    if holds(installer.externally_managed):
        return "The operating system owns this interpreter and refuses changes by pip (PEP 668): a virtual environment of your own is the way."
    if is_system(python):
        return "This interpreter belongs to the operating system, whose programs use its packages: a virtual environment of your own is the way."
    if denied(python.writable):
        return f"This user may not write to {known_or(python.own_site, 'its packages')}: these commands make an environment of your own."
    return ""


def _always_hidden(python: Python, hidden: str, foreign: tuple[Distribution, ...], torch: Torch) -> str:
    """Why nothing that is installed into the environment could win, or empty."""
    places = [dist.location for dist in foreign if dist.name == "torch"] + [parent(known_or(torch.path, ""))]
    stoppable = (Owner.PYTHONPATH, Owner.USER)
    first = next(
        (place for place in places if wins_over_own(place, python) and owner_of(place, python) not in stoppable), ""
    )
    if not hidden or not first:
        return ""
    return f"{first} comes before this environment's own packages, so that nothing installed there can win over it: these commands make a new one."
