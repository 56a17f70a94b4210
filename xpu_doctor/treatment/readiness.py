"""What must hold before a step of `fix` changes anything: the index, the disk, the rights, and nobody else at work."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Unknown, denied
from xpu_doctor.treatment.disk_room import needs, rooms
from xpu_doctor.treatment.download_size import size_of
from xpu_doctor.treatment.index_answer import Answer, Asker, ask
from xpu_doctor.treatment.installer_words import Fault, one_line, said_by_pip
from xpu_doctor.treatment.obstacle import DownloadSize, Obstacle, Readiness, in_words
from xpu_doctor.treatment.other_users import other_users
from xpu_doctor.treatment.place import Place
from xpu_doctor.treatment.trial import trials
from xpu_doctor.treatment.writable import refusals

__all__ = ["Obstacle", "Readiness", "Situation", "in_words", "obstacles", "of_download", "readiness"]
NAMED = 5
"""Processes and folders that one obstacle names."""
WORDS: Mapping[Fault, tuple[str, str]] = {
    Fault.MISSING: (
        "{index} does not have {wanted} for this Python and system",
        "Name another index, or use an environment whose Python that release has wheels for.",
    ),
    Fault.CONFLICT: (
        "{wanted}: the packages of {index} exclude each other",
        "Name another index or channel; nothing can be installed from this one as it is today.",
    ),
    Fault.REFUSED: (
        "{index} refuses to answer",
        "Check its address and the credentials that it wants, then try again.",
    ),
    Fault.UNREACHABLE: ("{index} cannot be reached", "Check the network, the proxy and the address, then try again."),
    Fault.RUBBISH: (
        "what answers for {index} is no package index",
        "Check the address; the login page of a network or a proxy can stand in between.",
    ),
}
"""What an index that is of no use is called, and the way out."""
ANOTHER_FOLDER = (
    "Fetch the wheels with `fix --download` for this Python and system, or name another folder with --find-links."
)
"""The way out where a folder of wheels is of no use."""


@dataclass(frozen=True)
class Situation:
    """Where the commands of a step will run."""

    place: Place
    python: Python
    environment: Mapping[str, str]
    folder: str
    """Where the commands are run, so that a relative folder of theirs lies below it."""
    seconds: float = 180.0
    """How long one question to an index may take."""


def obstacles(commands: Sequence[Command], situation: Situation) -> tuple[Obstacle, ...]:
    """Return why the commands of a step must not be begun; empty where nothing is known that is in the way."""
    return readiness(commands, situation).obstacles


def readiness(
    commands: Sequence[Command], situation: Situation, tell: Callable[[str], None] = lambda line: None
) -> Readiness:
    """Return what is in the way of a step and what could not be found out; `tell` gets a line before what takes time."""
    found = [
        *_of_programs(commands, situation),
        *_of_ensurepip(commands, situation.python),
        *_of_permission(situation.place),
    ]
    users, unseen = _of_other_users(situation.place)
    found += users
    asker = Asker(situation.python, situation.environment, situation.folder, situation.seconds)
    tried = trials(commands, str(situation.place.python))
    if tried:
        folder = next((trial.source for trial in tried if trial.source), "")
        tell(f"looking into {one_line(folder)}" if folder else "asking the package index")
    with _without_a_new_lock(situation.place):
        answers = tuple(ask(trial, asker) for trial in tried)
    found += [_of_answer(answer) for answer in answers if answer.offered is False]
    sizes = [size_of(answer, situation.python) for answer in answers if answer.offered is True]
    download = sum(sizes, DownloadSize(complete=bool(answers) and len(sizes) == len(answers)))
    full, untold = _of_disk(answers, sizes, situation)
    unknown = [
        Unknown(f"whether {_index(answer)} has {_wanted(answer)}: {answer.offered.reason}")
        for answer in answers
        if isinstance(answer.offered, Unknown)
    ]
    unknown += _of_size(download, answers)
    return Readiness((*found, *full), (*unknown, *unseen, *untold), download)


def _of_programs(commands: Sequence[Command], situation: Situation) -> list[Obstacle]:
    """Return an obstacle for each program that is not there: better now than in the middle."""
    missing = dict.fromkeys(
        command.argv[0]
        for command in commands
        if shutil.which(command.argv[0], path=command.environment(situation.environment).get("PATH")) is None
    )
    return [
        Obstacle(
            f"{name} is not on PATH", "the commands of this step call it", f"Install {name}, or add its folder to PATH."
        )
        for name in missing
    ]


def _of_ensurepip(commands: Sequence[Command], python: Python) -> list[Obstacle]:
    """Return an obstacle where a step begins with bringing pip, and the standard library has none to bring."""
    if not denied(python.ensurepip) or not any(command.argv[1:3] == ("-m", "ensurepip") for command in commands):
        return []
    way = "Install the package of your system that holds ensurepip (Debian: python3-venv), or make an environment that has pip."
    return [Obstacle("this Python has no ensurepip", "the environment has no pip, and the step begins with it", way)]


@contextlib.contextmanager
def _without_a_new_lock(place: Place) -> Iterator[None]:
    """Take away the empty file by which uv locks an environment even for a dry run, where there was none: a plan leaves nothing behind."""
    lock = place.prefix / ".lock"
    was_there = os.path.lexists(lock)
    try:
        yield
    finally:
        if not was_there:
            with contextlib.suppress(OSError):
                lock.unlink()


def _of_permission(place: Place) -> list[Obstacle]:
    refused = refusals(place)
    if not refused:
        return []
    why = "; ".join(f"{item.folder}: {item.reason}" for item in refused[:NAMED])
    way = "Run this as the user whom the environment belongs to, make room, or make an environment of your own."
    return [Obstacle("parts of this environment cannot be written to", why + _more(len(refused)), way)]


def _of_other_users(place: Place) -> tuple[list[Obstacle], list[Unknown]]:
    users = other_users(place)
    unknown = [
        Unknown(f"whether process {user.pid} ({user.name}), which {user.how}, will load torch meanwhile")
        for user in users.idle[:NAMED]
    ]
    unknown += [Unknown(users.unseen)] if users.unseen else []
    if not users.found:
        return [], unknown
    why = "; ".join(map(str, users.found[:NAMED])) + _more(len(users.found))
    one = len(users.found) == 1
    what = (
        "another process uses the torch of this environment"
        if one
        else "other processes use the torch of this environment"
    )
    way_out = "End it, or wait until it has ended: what it has loaded would change under it."
    return [Obstacle(what, why, way_out)], unknown


def of_download(output: str, index: str, wanted: str) -> Obstacle | None:
    """Return what was in the way of a download by what pip printed; None where its words are not known."""
    said = said_by_pip(output)
    if said.fault is None:
        return None
    what, way_out = WORDS[said.fault]
    return Obstacle(what.format(index=one_line(index), wanted=wanted), said.line, way_out)


def _of_answer(answer: Answer) -> Obstacle:
    what, way_out = WORDS[answer.fault or Fault.MISSING]
    way_out = ANOTHER_FOLDER if answer.trial.source else way_out
    return Obstacle(what.format(index=_index(answer), wanted=_wanted(answer)), answer.line, way_out)


def _index(answer: Answer) -> str:
    named = one_line(answer.trial.index or answer.trial.source)
    return named or f"the index that {answer.trial.manager} is set to"


def _wanted(answer: Answer) -> str:
    return ", ".join(answer.trial.requirements) or "what the project asks for"


def _of_disk(
    answers: Sequence[Answer], sizes: Sequence[DownloadSize], situation: Situation
) -> tuple[list[Obstacle], list[Unknown]]:
    """Hold what is free against what is known to be needed; a size that is not known adds nothing."""
    site = str(situation.place.sites[0])
    wanted: dict[str, int] = {}
    asked = [answer for answer in answers if answer.offered is True]
    for answer, size in zip(asked, sizes, strict=True):
        wheels = os.path.join(situation.folder, answer.trial.folder) if answer.trial.folder else ""
        for folder, needed in needs(site, size.known, answer.trial, situation.environment, wheels).items():
            wanted[folder] = wanted.get(folder, 0) + needed
    found, unknown = [], []
    for room in rooms(wanted):
        if isinstance(room.free, Unknown):
            unknown.append(Unknown(f"how much room is free: {room.free.reason}"))
        elif room.short:
            why = f"{', '.join(room.folders)}: {in_words(room.needed)} are needed, {in_words(room.free)} are free"
            way = f"Free {in_words(room.short)}, or let the variable TMPDIR name a folder on another disk."
            found.append(Obstacle("the disk has too little room", why, way))
    return found, unknown


def _of_size(download: DownloadSize, answers: Sequence[Answer]) -> list[Unknown]:
    asked = [answer for answer in answers if answer.offered is True and not answer.trial.source]
    if not asked or download.whole:
        return []
    if download.unknown:
        return [Unknown(f"the size of {', '.join(download.unknown)}: the index does not tell it")]
    return [Unknown("the size of what these packages require: the index does not tell it before they are downloaded")]


def _more(count: int) -> str:
    return f"; and {count - NAMED} more" if count > NAMED else ""
