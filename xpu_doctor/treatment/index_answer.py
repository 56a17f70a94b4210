"""Asks a package index, through the installer that a step uses, whether it has what the step wants."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.unknown import Maybe, Unknown
from xpu_doctor.process.run import Ended, run
from xpu_doctor.treatment.index_pages import best, offers
from xpu_doctor.treatment.installer_words import (
    Fault,
    Said,
    failed_page,
    listed_by_pip,
    one_line,
    said_by_pip,
    said_by_uv,
)
from xpu_doctor.treatment.trial import OF_A_PROJECT, Trial, name_of
from xpu_doctor.treatment.wanted_files import WantedFiles, wanted_files

SECONDS = 180.0
PATIENCE = 8
"""Seconds of silence after which a server is given up; it is asked once by the doctor and twice by the installer, which would go on for minutes else."""
UV_PATIENCE = "UV_HTTP_TIMEOUT"
PIP_PATIENCE = ("PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT")
LIGHT = Version("25.3")
"""The first pip whose dry run takes metadata where the index serves it; older ones download whole wheels (tried with 22.2 to 26.3, 2026-11-26)."""
LISTING = Version("21.2")
"""The first pip that has `pip index versions`."""
SOURCES = (".tar.gz", ".zip")
NOT_THERE = ("PackagesNotFoundError", "nothing provides", "does not exist", "Could not find")
"""Words of conda, mamba and micromamba where their channels lack a package."""
LOG_LIMIT = 4 << 20
REPORT_LIMIT = 64 << 20


@dataclass(frozen=True)
class Download:
    """One file that an install would fetch."""

    name: str
    version: str = ""
    url: str = ""
    """Its address, where the installer or the index told it."""
    size: int | None = None
    """In bytes, where the index told it."""


@dataclass(frozen=True)
class Answer:
    """What an index says to one command."""

    trial: Trial
    offered: Maybe[bool]
    """Whether it has what the command wants."""
    fault: Fault | None = None
    line: str = ""
    """The installer's own line, where it is not offered."""
    downloads: tuple[Download, ...] = ()
    complete: bool = False
    """Whether these are all files, with those that the wanted packages require."""


@dataclass(frozen=True)
class Asker:
    """Who asks: the interpreter, the variables and the folder of the commands."""

    python: Python
    environment: Mapping[str, str]
    folder: str
    seconds: float = SECONDS
    patience: int = PATIENCE
    variables: Mapping[str, str] = field(
        default_factory=lambda: {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1"}
    )
    """What makes an installer's output plain."""

    def run(self, command: Command, further: tuple[str, ...] = ()) -> Maybe[Ended]:
        """Run a command that changes nothing, with further words at its end."""
        brief = {UV_PATIENCE: str(self.patience), "UV_HTTP_RETRIES": "1"}
        variables = {**brief, **command.environment(self.environment), **self.variables}
        try:
            ended = run((*command.argv, *further), self.seconds, variables, folder=self.folder)
        except OSError as error:
            return Unknown(f"{command.argv[0]}: {error.strerror or error}")
        if ended.code is None:
            return Unknown(f"no answer within {self.seconds:.0f} seconds")
        return ended

    def run_pip(self, command: Command, log: Path, further: tuple[str, ...] = ()) -> Maybe[Ended]:
        """Run a command of pip that asks an index; a timeout of the user's own stays."""
        words: tuple[str, ...] = ("--retries", "1")
        if "--timeout" not in command.argv and not any(name in self.environment for name in PIP_PATIENCE):
            words = (*words, "--timeout", str(self.patience))
        return self.run(command, (*words, *further, "--log", str(log)))


def ask(trial: Trial, asker: Asker) -> Answer:
    """Return what the index of a command says: to the installer itself, or to the doctor where the installer cannot be asked."""
    answer = _ask_installer(trial, asker)
    if isinstance(answer.offered, Unknown) and trial.manager in ("pip", *OF_A_PROJECT):
        return _read_pages(trial, answer, asker)
    return answer


def _ask_installer(trial: Trial, asker: Asker) -> Answer:
    if trial.waits:
        first = "the first" if trial.waits == 1 else f"the first {trial.waits}"
        return Answer(trial, Unknown(f"{trial.manager} can ask its index only after {first} of these commands"))
    if trial.manager == "pip":
        return _ask_pip(trial, asker)
    if trial.manager == "uv" and trial.dry is not None:
        return _ask_uv(trial, trial.dry, asker)
    if trial.manager == "conda" and trial.dry is not None:
        return _ask_conda(trial, trial.dry, asker)
    return Answer(trial, Unknown(f"{trial.manager} has no command that asks its index and changes nothing"))


def _read_pages(trial: Trial, answer: Answer, asker: Asker) -> Answer:
    """Look at the pages of the wanted packages; pages that cannot be read prove nothing, since an installer may have another way there."""
    python = asker.python
    if not trial.index or not isinstance(python.version, str):
        return answer
    downloads = []
    for spec in trial.requirements:
        if trial.manager == "pdm" and "+" not in spec:
            continue  # pdm takes it from any of its indexes
        found = offers(trial.index, name_of(spec), asker.patience)
        if isinstance(found, Unknown):
            return answer
        offer = best(found, specifier_of(spec), python)
        if offer is None and any(item.file.endswith(SOURCES) for item in found):
            return answer  # an installer might build it
        if offer is None:
            files = ", ".join(offer.file for offer in found[-3:]) or "nothing"
            line = f"{trial.index} lists no {spec} for Python {python.version}; its last files: {files}"
            return Answer(trial, False, Fault.MISSING, one_line(line))
        downloads.append(Download(name_of(spec), offer.version, offer.url, offer.size))
    return Answer(trial, True, downloads=tuple(downloads)) if downloads else answer


def _ask_uv(trial: Trial, dry: Command, asker: Asker) -> Answer:
    ended = asker.run(dry)
    if isinstance(ended, Unknown):
        return Answer(trial, ended)
    text = f"{ended.stdout}\n{ended.stderr}"
    if ended.code:
        return _refused(trial, said_by_uv(text))
    added = re.findall(r"^ [+~] ([A-Za-z0-9._-]+)==(\S+)", text, re.MULTILINE)
    return Answer(trial, True, downloads=tuple(Download(name, version) for name, version in added), complete=True)


def _ask_conda(trial: Trial, dry: Command, asker: Asker) -> Answer:
    ended = asker.run(dry)
    if isinstance(ended, Unknown):
        return Answer(trial, ended)
    if ended.code == 0:
        return Answer(trial, True)
    text = f"{ended.stdout}\n{ended.stderr}"
    missing = next((line for line in text.splitlines() if any(words in line for words in NOT_THERE)), "")
    if missing:
        return Answer(trial, False, Fault.MISSING, one_line(missing))
    return Answer(
        trial, Unknown(one_line(ended.stderr.strip().rpartition("\n")[2]) or f"{trial.manager} ended with {ended.code}")
    )


def _ask_pip(trial: Trial, asker: Asker) -> Answer:
    version = _version_of_pip(trial, asker)
    if isinstance(version, Unknown):
        return Answer(trial, version)
    if version < LISTING:
        return Answer(
            trial,
            Unknown(f"pip {version} has no command that asks its index and changes nothing; pip 21.2 and later have"),
        )
    try:
        with tempfile.TemporaryDirectory(prefix="xpu-doctor-") as folder:
            files = _files(trial, asker) if _by_address(trial) else None
            if version >= LIGHT and (files is None or files.light):
                return _dry_run(trial, asker, Path(folder))
            return _listings(trial, asker, Path(folder), files)
    except OSError as error:
        return Answer(trial, Unknown(f"the temporary folder cannot be used: {error.strerror or error}"))


def _files(trial: Trial, asker: Asker) -> WantedFiles:
    return wanted_files(trial.index, trial.requirements, asker.python, asker.patience)


def _version_of_pip(trial: Trial, asker: Asker) -> Maybe[Version]:
    if trial.dry is None:
        return Unknown("pip is not asked here")
    ended = asker.run(replace(trial.dry, argv=(*trial.dry.argv[:3], "--version")))
    if isinstance(ended, Unknown):
        return ended
    found = re.match(r"pip (\S+) from ", ended.stdout)
    try:
        return (
            Version(found[1])
            if found and ended.code == 0
            else Unknown(one_line(ended.stderr) or "pip does not tell its version")
        )
    except InvalidVersion:
        return Unknown(f"pip says a version that is none: {one_line(ended.stdout)}")


def _by_address(trial: Trial) -> bool:
    """Return whether the command names an index whose pages the doctor can read; else pip's settings name it, or a folder of wheels."""
    return trial.index.startswith(("http://", "https://"))


def _dry_run(trial: Trial, asker: Asker, folder: Path) -> Answer:
    report, log = folder / "report.json", folder / "log.txt"
    assert trial.dry is not None
    ended = asker.run_pip(trial.dry, log, ("--report", str(report)))
    if isinstance(ended, Unknown):
        return Answer(trial, ended)
    if ended.code:
        return _refused(trial, said_by_pip(_text(ended, log)))
    return Answer(trial, True, downloads=_reported(report), complete=True)


def _listings(trial: Trial, asker: Asker, folder: Path, files: WantedFiles | None) -> Answer:
    downloads = []
    for number, (spec, listing) in enumerate(zip(trial.requirements, trial.listings, strict=True)):
        log = folder / f"{number}.txt"
        ended = asker.run_pip(listing, log)
        if isinstance(ended, Unknown):
            return Answer(trial, ended)
        if ended.code:
            return _refused(trial, said_by_pip(_text(ended, log)))
        listed = listed_by_pip(ended.stdout)
        chosen = _chosen(spec, listed, trial.pre)
        if isinstance(chosen, Unknown):
            return Answer(trial, chosen)
        if not chosen:
            said = failed_page(_text(ended, log), trial.index) or Said(Fault.MISSING, _available(spec, listed))
            return _refused(trial, said)
        downloads.append(Download(name_of(spec), chosen))
    if files is None or trial.dry is None or "--ignore-installed" not in trial.dry.argv:
        return Answer(trial, True, downloads=tuple(downloads))  # what these require may be installed already
    every: dict[str, Download] = {canonicalize_name(item.name): item for item in downloads}
    every |= {name: Download(name, offer.version, offer.url, offer.size) for name, offer in files.offers.items()}
    return Answer(trial, True, downloads=tuple(every.values()), complete=not files.gaps)


def _available(spec: str, listed: tuple[str, ...]) -> str:
    return one_line(f"{name_of(spec)}, available versions: {', '.join(listed)}")


def _chosen(spec: str, listed: tuple[str, ...], pre: bool) -> Maybe[str]:
    """Return the newest listed version that a requirement allows, empty where none does."""
    try:
        versions = sorted((Version(item) for item in listed), reverse=True)
    except InvalidVersion as error:
        return Unknown(one_line(str(error)))
    allowed = specifier_of(spec)
    # A requirement that names a pre-release takes it without being asked to.
    return next((str(version) for version in versions if allowed.contains(version, prereleases=pre or None)), "")


def _refused(trial: Trial, said: Said) -> Answer:
    if said.fault is None:
        return Answer(trial, Unknown(said.line or f"{trial.manager} failed without a word"), line=said.line)
    return Answer(trial, False, said.fault, said.line)


def _text(ended: Ended, log: Path) -> str:
    try:
        with open(log, "rb") as stream:
            return f"{ended.stdout}\n{ended.stderr}\n{stream.read(LOG_LIMIT).decode('utf-8', 'replace')}"
    except OSError:
        return f"{ended.stdout}\n{ended.stderr}"


def _reported(report: Path) -> tuple[Download, ...]:
    """Return what pip's report names; nothing where it cannot be read."""
    try:
        if os.stat(report).st_size > REPORT_LIMIT:
            return ()
        rows = json.loads(report.read_text(encoding="utf-8"))["install"]
        return tuple(_of_row(row) for row in rows)
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return ()


def _of_row(row: Mapping[str, Any]) -> Download:
    return Download(str(row["metadata"]["name"]), str(row["metadata"]["version"]), str(row["download_info"]["url"]))


def specifier_of(requirement: str) -> SpecifierSet:
    """Return the versions that a requirement allows; all of them where it cannot be read."""
    try:
        return Requirement(requirement).specifier
    except InvalidRequirement:
        return SpecifierSet()
