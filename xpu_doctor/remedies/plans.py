"""What to install, the plan that does it, and what every manager's commands share."""

from __future__ import annotations

from dataclasses import dataclass

from xpu_doctor.model.commands import Command
from xpu_doctor.model.unknown import known_or
from xpu_doctor.remedies.patient import TRIO, TRITONS, Patient
from xpu_doctor.remedies.settings import Isolation, option_of

INDEX_NAME = "pytorch-xpu"
"""What the index is called in the files of a project."""
NEW_FOLDER = "torch-xpu"
WHEELS = "torch-xpu-wheels"
DELETE_WHEELS = (
    f"All wheels are downloaded into the folder {WHEELS} before anything is taken out; delete that folder afterwards."
)
"""What is said of that folder to people; `fix` has a folder of its own and deletes it."""
UV_GUIDE = "https://docs.astral.sh/uv/getting-started/installation/"


@dataclass(frozen=True)
class Wanted:
    """What to install: requirements, the index that has them, and why these."""

    specs: tuple[str, ...]
    index: str
    pre: bool = False
    why: str = ""
    triton: str = ""
    """Requirement of the triton package, for managers that must be told."""
    release: str = ""
    """Version of torch that the table chose; empty where the index decides, or where the installed one stays."""

    @property
    def direct(self) -> tuple[str, ...]:
        """The requirements with that of triton, which some managers take from an index only where it is named."""
        return (*self.specs, self.triton or "triton-xpu")


@dataclass(frozen=True)
class Plan:
    """The commands of a remedy, the manager that they are for, and what to know about them."""

    commands: tuple[Command, ...]
    manager: str
    why: str
    admin: bool = False


def new_python(os: str) -> str:
    """Return the interpreter of the environment that commands make."""
    return f"{NEW_FOLDER}\\Scripts\\python.exe" if os == "windows" else f"{NEW_FOLDER}/bin/python"


def replaced(patient: Patient, target: Wanted) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names that uv is to install anew, and those that must be out before: packages which share their folder with a new one."""
    triton = (target.triton or "triton-xpu").split("==")[0]
    tritons = [name for name in patient.uninstall if name in TRITONS]
    clash = any(name != triton for name in tritons)
    others = [name for name in patient.uninstall if name not in (*TRIO, *TRITONS)]
    again = tuple(name for name in patient.uninstall if name in TRIO or (name == triton and not clash))
    return again, (*(tritons if clash else ()), *others)


def each(option: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return an option once for each name."""
    return tuple(word for name in names for word in (option, name))


def explained(why: list[str], shut: Isolation) -> str:
    """Return sentences with what is said of settings that the commands shut out."""
    if shut.hostile:
        names = ", ".join(dict.fromkeys(f"{option_of(setting)} ({setting.source})" for setting in shut.hostile))
        why = [*why, f"The command ignores settings that could install a different torch: {names}."]
    if shut.left_out:
        why = [*why, f"Add {', '.join(shut.left_out)} yourself: its value holds credentials."]
    return " ".join(why)


def how_to_get_uv(patient: Patient) -> list[str]:
    """Return where uv can be had, where the commands need it and PATH does not hold it."""
    missing = known_or(patient.installer.uv, "uv") == ""
    return [f"uv manages this environment and is not on PATH: {UV_GUIDE} tells how to get it."] if missing else []
