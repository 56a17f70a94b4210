"""The files of a project: which ones a manager writes, and the commands of `fix` that change them. Pure, but for a look for members of a workspace."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Remedy
from xpu_doctor.remedies.projects import EXPLICIT_ADVICE
from xpu_doctor.treatment.explicit_index import manifests
from xpu_doctor.treatment.plan import TreatmentPlan
from xpu_doctor.treatment.sources import printed
from xpu_doctor.treatment.trial import own_words, uv_words

FILES = {
    "uv-project": ("pyproject.toml", "uv.lock"),
    "poetry": ("pyproject.toml", "poetry.lock"),
    "pdm": ("pyproject.toml", "pdm.lock", "pdm.toml", ".pdm-python"),
    "pipenv": ("Pipfile", "Pipfile.lock"),
    "pixi": ("pixi.toml", "pyproject.toml", "pixi.lock"),
}
"""The files in a project's folder that each manager writes, whether they are there yet or not."""
EXPLICIT = "xpu-doctor writes `explicit = true` into its [[tool.uv.index]] table"
MODULE = "xpu_doctor.treatment.explicit_index"
SECOND_INDEX = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL")
"""Variables beside which `uv add` would not tie packages to the index that it is given; one that is `--frozen` asks no index at all."""
KEPT_BY_LOCK = ("--project", "--no-cache", "--prerelease")


def folder_of(project: str) -> Path:
    """Return the folder of a project; pixi's is named by its manifest."""
    path = Path(project)
    return path.parent if path.suffix == ".toml" else path


def project_files(manager: str, project: str) -> tuple[Path, ...]:
    """Return the files of a project that its manager may write."""
    folder = folder_of(project)
    members = manifests(folder) if manager == "uv-project" else ()
    return tuple(dict.fromkeys((*(folder / name for name in FILES.get(manager, ())), *members)))


def with_explicit_index(plan: TreatmentPlan, python: str) -> TreatmentPlan:
    """Return a plan whose steps for uv projects write an explicit index, by this doctor's interpreter `python`."""
    return TreatmentPlan(
        tuple(
            replace(step, remedy=_explicit(step.remedy, python))
            if step.runs and step.remedy.manager == "uv-project"
            else step
            for step in plan.steps
        )
    )


def _explicit(remedy: Remedy, python: str) -> Remedy:
    commands = tuple(new for command in remedy.steps for new in _commands(command, python))
    if commands == remedy.steps:
        return remedy
    return printed(replace(remedy, why=remedy.why.replace(EXPLICIT_ADVICE, EXPLICIT)), commands)


def _commands(command: Command, python: str) -> tuple[Command, ...]:
    """Return what takes the place of a command: `uv add` in parts, between which the index becomes explicit before anything is locked.

    As uv takes an index of the command line for one of all packages, whatever the project says of it, a lock made at once would have others from there.
    """
    argv = command.argv
    own = own_words(argv)
    if not own or argv[own : own + 1] != ("add",):
        return (command,)
    words = uv_words(argv[own + 1 :])
    project, index = words.value("--project"), words.value("--index").partition("=")[0]
    if not project or not index:
        return (command,)
    uv = argv[:own]
    common = words.only(KEPT_BY_LOCK)
    add = (
        *uv,
        "add",
        *words.without("--reinstall-package", "--no-sync")[: -len(words.plain)],
        "--frozen",
        *words.plain,
    )
    made = [
        replace(command, argv=add, unset=tuple(dict.fromkeys((*command.unset, *SECOND_INDEX)))),
        Command((python, "-m", MODULE, project, index)),
        replace(command, argv=(*uv, "lock", *common)),
    ]
    if not words.has("--no-sync"):
        again = words.only(("--package", "--reinstall-package"))
        made.append(replace(command, argv=(*uv, "sync", *common, "--inexact", *again)))
    return tuple(made)
