"""Wheels in a folder, for machines without network: fetched, and looked at before they are used."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from xpu_doctor.api import snapshot_of
from xpu_doctor.cli.fix_talk import Refused, Wishes, echo, print_json, say
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.unknown import denied
from xpu_doctor.report.fix_json import fetched_json
from xpu_doctor.treatment.apply import carry_out
from xpu_doctor.treatment.bundle import SUMS, faults, fetching, is_sealed, seal, wheels
from xpu_doctor.treatment.errors import TreatmentError
from xpu_doctor.treatment.readiness import of_download

if TYPE_CHECKING:
    from xpu_doctor.target.find import Choice
    from xpu_doctor.treatment.apply import Outcome
    from xpu_doctor.treatment.sources import Source


def check_folder(source: Source) -> None:
    """Refuse a folder of wheels that is not as it was downloaded."""
    if not source.folder:
        return
    try:
        wrong = faults(Path(source.folder))
    except TreatmentError as error:
        raise Refused(f"--find-links {error}") from error
    if wrong:
        raise Refused(f"--find-links {source.folder}: {'; '.join(wrong[:5])}. Copy it again from where it was made")
    if not is_sealed(Path(source.folder)):
        say(f"{source.folder} has no {SUMS}: its wheels are taken as they are, unchecked.")


def download(choice: Choice, source: Source, folder: Path, wishes: Wishes) -> int:
    """Fetch what an interpreter needs, and list the hashes."""
    found = snapshot_of(choice, os.environ)
    if denied(found.installer.has_pip):
        raise Refused(f"{choice.python} has no pip, which --download needs: {choice.python} -m ensurepip brings it")
    step = fetching(found.python, found.torch, found.installer, source, folder)
    count = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        outcome = carry_out(step, os.environ, folder, echo)
        if outcome.succeeded:
            count = seal(folder)
            say(
                f"{count} wheels are in {folder}, their hashes in {SUMS}. On the other machine, with PATH for the "
                "environment and DIR for this folder: xpu-doctor fix --python PATH --apply --find-links DIR"
            )
        else:
            say(_not_fetched(outcome, source.address, folder))
    except (TreatmentError, OSError) as error:
        raise Refused(f"--download {folder}: {error}") from error
    if wishes.as_json:
        print_json(fetched_json(count, folder, outcome.reason))
    return int(ExitCode.OK if outcome.succeeded else ExitCode.FINDINGS)


def _not_fetched(outcome: Outcome, index: str, folder: Path) -> str:
    """Say why a download failed, the way out, and what is left of it."""
    known = of_download(outcome.output, index, "what torch needs")
    parts = [f"Failed: {outcome.reason}."]
    if known is not None:
        parts = [f"Failed: {known.what}: {known.why}. {known.way_out}"]
    if wheels(folder):
        parts.append(f"What was fetched so far stays in {folder}.")
    elif not any(folder.iterdir()):
        folder.rmdir()
    return " ".join(parts)
