"""What asks an installer's index while nothing is changed yet: derived from the command that will install. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from xpu_doctor.model.commands import Command

NETWORK = (
    "--cert",
    "--client-cert",
    "--default-timeout",
    "--keyring-provider",
    "--proxy",
    "--retries",
    "--timeout",
    "--trusted-host",
    "--use-feature",
)
"""Options of pip that reach the network; every subcommand takes them."""
INDEXES = ("--index-url", "--extra-index-url", "--find-links")
PIP_VALUED = frozenset(
    {*NETWORK, *INDEXES, "--dest", "--constraint", "--requirement", "--target", "--prefix", "--root"}
)
UV_VALUED = frozenset(
    {
        "--python", "--default-index", "--index", "--index-url", "--extra-index-url", "--find-links", "--prerelease", "--reinstall-package", "--project",
        "--package", "--allow-insecure-host", "--directory", "--config-file",
    }
)  # fmt: skip
POETRY_VALUED = frozenset({"--source", "--directory", "--priority", "--group"})
PDM_VALUED = frozenset({"--project", "--group"})
CONDA_VALUED = frozenset({"--prefix", "--channel", "--name"})
CONDAS = ("conda", "mamba", "micromamba")
OF_A_PROJECT = ("poetry", "pdm")
"""Managers that read the index from the project's files, which an earlier command of the plan has to write."""


@dataclass(frozen=True)
class Trial:
    """How the index of one installing command is asked."""

    manager: str
    """`pip`, `uv`, `poetry`, `pdm`, `conda`; else what has no trial."""
    number: int
    """Which command of the plan it stands for, counted from 0."""
    requirements: tuple[str, ...]
    index: str = ""
    """The address that the command names; empty where the settings or a project's file say it."""
    dry: Command | None = None
    """The dry run; None where the manager has none."""
    listings: tuple[Command, ...] = ()
    """Where pip's dry run would download whole wheels: commands that list the versions on offer, one for each requirement."""
    pre: bool = False
    waits: int = 0
    """How many commands of the plan have to be done before; 0 where it can be asked at once."""
    folder: str = ""
    """Where the command puts whole wheels, as it names it."""
    source: str = ""
    """The folder of wheels from which the command takes everything; empty where an index is asked."""


@dataclass(frozen=True)
class Words:
    """The words after a subcommand: options with their values, and what is neither."""

    options: tuple[tuple[str, ...], ...]
    plain: tuple[str, ...]

    def value(self, *names: str) -> str:
        """Return the last value of the first of these options that is given, or empty."""
        for name in names:
            found = [option[1] for option in self.options if option[0] == name and len(option) > 1]
            if found:
                return found[-1]
        return ""

    def has(self, name: str) -> bool:
        """Return whether an option is given."""
        return any(option[0] == name for option in self.options)

    def only(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the words of these options alone."""
        return tuple(word for option in self.options if option[0] in names for word in option)

    def without(self, *names: str) -> tuple[str, ...]:
        """Return all words but those of some options; plain ones come last."""
        return (*(word for option in self.options if option[0] not in names for word in option), *self.plain)


def trials(commands: Sequence[Command], python: str) -> tuple[Trial, ...]:
    """Return how each command of a plan that fetches something is tried; `python` is the environment's interpreter."""
    found: list[Trial] = []
    for number, command in enumerate(commands):
        trial = _trial(command, number, tuple(commands[:number]), python)
        if trial is not None and not any(_same(trial, other) for other in found):
            found.append(trial)
    return tuple(found)


def own_words(argv: tuple[str, ...]) -> int:
    """Return how many words name uv itself, 0 where the command is another program's."""
    return 3 if argv[1:3] == ("-m", "uv") else 1 if argv[0] == "uv" else 0


def uv_words(words: Sequence[str]) -> Words:
    """Return the words after a subcommand of uv."""
    return _words(words, UV_VALUED)


def _same(one: Trial, other: Trial) -> bool:
    return one.dry is not None and replace(one, number=0, folder="") == replace(other, number=0, folder="")


def _trial(command: Command, number: int, before: tuple[Command, ...], python: str) -> Trial | None:
    argv = command.argv
    if argv[1:3] == ("-m", "pip"):
        return _of_pip(command, number, before)
    own = own_words(argv)
    if own:
        return _of_uv(command, number, own, python)
    if argv[0] == "poetry":
        return _of_poetry(command, number, before)
    if argv[0] == "pdm":
        return _of_pdm(command, number, before)
    if argv[0] in CONDAS and argv[1:2] == ("install",):
        words = _words(argv[2:], CONDA_VALUED)
        dry = replace(command, argv=(argv[0], "install", "--dry-run", *argv[2:]))
        return Trial("conda", number, words.plain, dry=dry)
    if argv[:2] in (("pipenv", "install"), ("pixi", "add"), ("pixi", "install"), ("pixi", "reinstall")):
        return Trial(argv[0], number, ())
    return None


def _of_pip(command: Command, number: int, before: tuple[Command, ...]) -> Trial | None:
    argv = command.argv
    place = next((at for at, word in enumerate(argv) if at > 2 and not word.startswith("-")), 0)
    if not place or argv[place] not in ("install", "download"):
        return None
    words = _words(argv[place + 1 :], PIP_VALUED)
    folder, source = words.value("--dest"), words.value("--find-links")
    if words.has("--dry-run") or (words.has("--no-index") and source and source in _folders(before)):
        return None
    start = argv[:place]
    rest = words.without("--dest")
    # `pip download` fetches what is installed, too; an install keeps it, so that no index has to have it.
    whole = ("--ignore-installed",) if argv[place] == "download" else ()
    kept = (*words.only((*INDEXES, *NETWORK, "--no-index", "--pre")), *words.only(("--no-cache-dir",)))
    return Trial(
        "pip",
        number,
        words.plain,
        words.value("--index-url"),
        replace(command, argv=(*start, "install", "--dry-run", *whole, *rest)),
        tuple(replace(command, argv=(*start, "index", "versions", name_of(spec), *kept)) for spec in words.plain),
        words.has("--pre"),
        _done_before(before, lambda argv: argv[1:3] == ("-m", "ensurepip")),
        folder,
        source if words.has("--no-index") else "",
    )


def _of_uv(command: Command, number: int, own: int, python: str) -> Trial | None:
    argv = command.argv
    words = _words(argv[own + (2 if argv[own : own + 1] == ("pip",) else 1) :], UV_VALUED)
    index = words.value("--default-index", "--index", "--index-url")
    index = re.sub(r"^[A-Za-z0-9._-]+=(?=https?://|file:)", "", index)
    pre = words.value("--prerelease") == "allow"
    if argv[own : own + 2] == ("pip", "install"):
        rest = argv[own + 2 :]
        dry = argv if words.has("--dry-run") else (*argv[: own + 2], "--dry-run", *rest)
    elif argv[own : own + 1] == ("add",):
        # `uv add` knows no dry run: the same requirements are resolved from the same indexes for the same interpreter.
        rest = words.without("--package", "--no-sync", "--frozen", "--python")
        dry = (*argv[:own], "pip", "install", "--dry-run", "--python", python, *rest)
    else:
        return None
    source = words.value("--find-links") if words.has("--no-index") else ""
    return Trial("uv", number, words.plain, index, replace(command, argv=dry), pre=pre, source=source)


def _of_poetry(command: Command, number: int, before: tuple[Command, ...]) -> Trial | None:
    argv = command.argv
    if "add" not in argv or "source" in argv:
        return None
    place = argv.index("add")
    words = _words(argv[place + 1 :], POETRY_VALUED)
    sources = [item.argv for item in before if item.argv[0] == "poetry" and "source" in item.argv]
    index = next((item[-1] for item in reversed(sources) if item[-2] == words.value("--source")), "")
    dry = argv if words.has("--dry-run") else (*argv[: place + 1], "--dry-run", *argv[place + 1 :])
    waits = _done_before(before, lambda argv: argv[0] == "poetry" and "source" in argv)
    return Trial(
        "poetry",
        number,
        words.plain,
        index,
        replace(command, argv=dry),
        pre=words.has("--allow-prereleases"),
        waits=waits,
    )


def _of_pdm(command: Command, number: int, before: tuple[Command, ...]) -> Trial | None:
    argv = command.argv
    if argv[1:2] != ("add",):
        return None
    words = _words(argv[2:], PDM_VALUED)
    settings = [item.argv[-1] for item in before if item.argv[:2] == ("pdm", "config")]
    dry = replace(command, argv=("pdm", "add", "--dry-run", *argv[2:]))
    waits = _done_before(before, lambda argv: argv[:2] == ("pdm", "config"))
    return Trial(
        "pdm", number, words.plain, settings[-1] if settings else "", dry, pre=words.has("--prerelease"), waits=waits
    )


def name_of(requirement: str) -> str:
    """Return the name of a requirement, without extras, version and marker."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}", requirement.strip())
    return match[0].rstrip("._-") if match else requirement


def _done_before(before: tuple[Command, ...], needed: Callable[[tuple[str, ...]], bool]) -> int:
    """Return how many commands have to be done until the last that is needed is, 0 where none is."""
    return max((number + 1 for number, command in enumerate(before) if needed(command.argv)), default=0)


def _folders(before: tuple[Command, ...]) -> tuple[str, ...]:
    """Return the folders that earlier commands of pip fill with wheels."""
    found = (_words(command.argv, PIP_VALUED).value("--dest") for command in before)
    return tuple(folder for folder in found if folder)


def _words(words: Sequence[str], valued: frozenset[str]) -> Words:
    """Split the words after a subcommand; `--option=value` is one word and stays one."""
    options: list[tuple[str, ...]] = []
    plain: list[str] = []
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("-"):
            plain.append(word)
        elif word in valued and left:
            options.append((word, left.pop(0)))
        else:
            options.append((word,))
    return Words(tuple(options), tuple(plain))
