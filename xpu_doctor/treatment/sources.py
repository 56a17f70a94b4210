"""Where wheels come from: another channel, a mirror or a folder, put into the commands of a remedy. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from xpu_doctor.model.commands import Command
from xpu_doctor.model.findings import Remedy, Shell
from xpu_doctor.remedies.commands import Unprintable, sequence, shells
from xpu_doctor.tables.releases import NIGHTLY, STABLE, TEST
from xpu_doctor.treatment.plan import Step, TreatmentPlan

CHANNELS = {"stable": STABLE, "test": TEST, "nightly": NIGHTLY}
"""The channels that PyTorch publishes XPU wheels in, and their indexes."""
INDEX_OPTIONS = ("--index-url", "--default-index")
PINNED = re.compile(r"(torch|torchvision|torchaudio|triton-xpu|pytorch-triton-xpu)==\S+")
PRE = {"pip": ("--pre",), "uv": ("--prerelease", "allow")}


class SourceError(ValueError):
    """A source that a step cannot use; the message is one line with the way out."""


@dataclass(frozen=True)
class Source:
    """Where the wheels are to come from."""

    channel: str = "stable"
    index: str = ""
    """A mirror of the channel's index."""
    folder: str = ""
    """A folder with all wheels, for a machine without network; absolute."""

    @property
    def changes(self) -> bool:
        """Whether it differs from what remedies print anyway."""
        return bool(self.index or self.folder) or self.channel != "stable"

    @property
    def address(self) -> str:
        """The index to ask."""
        return self.index or CHANNELS[self.channel]

    @property
    def options(self) -> tuple[str, ...]:
        """The options of the command line that name it; an address with credentials is not repeated."""
        index = "URL" if "@" in self.index else self.index
        named = (("--channel", self.channel), ("--index-url", index), ("--find-links", self.folder))
        return tuple(word for option in named if option[1] not in ("", "stable") for word in option)


def planned_from(plan: TreatmentPlan, source: Source) -> TreatmentPlan:
    """Return a plan whose steps take their wheels from a source.

    Raises:
        SourceError: the manager of a step cannot install from there.
    """
    return TreatmentPlan(tuple(from_source(step, source) for step in plan.steps)) if source.changes else plan


def from_source(step: Step, source: Source) -> Step:
    """Return a step whose commands, and the lines that are printed for them, take the wheels from another source.

    Raises:
        SourceError: its manager cannot install from there.
    """
    remedy = step.remedy
    if not source.changes or not any(_names_an_index(command) for command in remedy.steps):
        return step
    if step.changes_project and source.folder:
        raise SourceError(
            f"--find-links works with pip and uv pip; a project of {remedy.manager} needs an index: name one with --index-url"
        )
    commands = tuple(_redirected(command, source) for command in remedy.steps)
    return replace(step, remedy=printed(remedy, commands))


def _names_an_index(command: Command) -> bool:
    return any(_is_index(word) for word in command.argv)


def _is_index(word: str) -> bool:
    """Return whether a word is one of PyTorch's indexes, or names one, as in `NAME=https://...`."""
    return word.split("=", 1)[-1] in (STABLE, NIGHTLY)


def _redirected(command: Command, source: Source) -> Command:
    words: list[str] = []
    for word in command.argv:
        if not _is_index(word):
            words.append(_unpinned(word) if source.channel != "stable" else word)
        elif source.folder and words[-1] in INDEX_OPTIONS:
            words[-1:] = ["--no-index", "--find-links", source.folder]
        else:
            words.append(word[: word.rfind("https://")] + source.address)
    if source.channel != "stable" and "--no-index" not in command.argv:
        words = _with_previews(words)
    return replace(command, argv=tuple(words))


def _unpinned(word: str) -> str:
    """Return a requirement without its version: another channel has its own."""
    found = PINNED.fullmatch(word)
    return found[1] if found else word


def _with_previews(words: list[str]) -> list[str]:
    """Return an install of pip or uv that takes previews too, which is what the other channels hold."""
    if "pip" not in words:
        return words
    pip = words.index("pip")
    option = PRE["pip" if words[pip - 1] == "-m" else "uv"]
    verb = next((place for place in range(pip, len(words)) if words[place] in ("install", "download")), 0)
    return words if option[0] in words or not verb else [*words[: verb + 1], *option, *words[verb + 1 :]]


def printed(remedy: Remedy, commands: tuple[Command, ...]) -> Remedy:
    """Return a remedy with other commands, and the lines that are printed for them."""
    shell: Shell = remedy.shell or shells(remedy.os)[0]
    try:
        lines = sequence(commands, shell)
    except Unprintable as reason:
        lines = (f"# no command is printed here: {reason}",)
    return replace(remedy, steps=commands, commands=lines)
