"""A folder with all wheels for a machine without network: fetched where there is one, with their hashes, and checked where they are used."""

from __future__ import annotations

import os
import re
from pathlib import Path

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Installer, Python, Torch
from xpu_doctor.model.findings import Remedy
from xpu_doctor.remedies.commands import interpreter
from xpu_doctor.remedies.install import wanted
from xpu_doctor.remedies.settings import pip_isolation
from xpu_doctor.treatment.errors import TreatmentError, reason_of
from xpu_doctor.treatment.plan import Step
from xpu_doctor.treatment.sources import Source, from_source
from xpu_doctor.treatment.tree import sha256_of

SUMS = "SHA256SUMS"
"""The list of hashes in such a folder, as `sha256sum --check` reads it."""
LINE = re.compile(r"([0-9a-f]{64}) [ *]([^/\\]+)")


def fetching(python: Python, torch: Torch, installer: Installer, source: Source, folder: Path) -> Step:
    """Return the step that fetches the XPU build of torch and all that it needs, for one interpreter, into a folder."""
    target, shut = wanted(python, torch), pip_isolation(installer, os.name)
    pre = ("--pre",) if target.pre else ()
    argv = (
        interpreter(python), "-m", "pip", *shut.options, "download", "--no-cache-dir", "--dest", str(folder), *pre,
        *target.specs, "--index-url", target.index, *shut.kept,
    )  # fmt: skip
    command = Command(argv, variables={**shut.variables, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    return from_source(Step("", "", Remedy(f"Download {' '.join(target.specs)}", target.why, steps=(command,))), source)


def seal(folder: Path) -> int:
    """Write the hashes of all wheels beside them; return how many there are.

    Raises:
        TreatmentError: they cannot be read or written; the message is one line.
    """
    try:
        lines = [f"{sha256_of(str(path))}  {path.name}\n" for path in wheels(folder)]
        part = folder / f"{SUMS}.part"
        part.write_text("".join(lines), encoding="utf-8", newline="\n")
        os.replace(part, folder / SUMS)
    except OSError as error:
        raise TreatmentError(f"{folder}: {reason_of(error)}") from error
    return len(lines)


def faults(folder: Path) -> tuple[str, ...]:
    """Return what is wrong with a folder of wheels by its list of hashes; nothing where it has no such list.

    Raises:
        TreatmentError: it cannot be read; the message is one line.
    """
    try:
        listed = _listed(folder)
        if listed is None:
            return ()
        found = {path.name: path for path in wheels(folder)}
        missing = [f"{name} is missing" for name in listed if name not in found]
        strange = [f"{name} is not in {SUMS}" for name in found if name not in listed]
        wrong = [
            f"{name} is not the file that was downloaded"
            for name, path in found.items()
            if name in listed and sha256_of(str(path)) != listed[name]
        ]
    except OSError as error:
        raise TreatmentError(f"{folder}: {reason_of(error)}") from error
    return (*missing, *strange, *wrong)


def is_sealed(folder: Path) -> bool:
    """Return whether a folder of wheels has a list of hashes."""
    return (folder / SUMS).is_file()


def _listed(folder: Path) -> dict[str, str] | None:
    try:
        text = (folder / SUMS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    matches = (LINE.fullmatch(line) for line in text.splitlines())
    return {match[2]: match[1] for match in matches if match}


def wheels(folder: Path) -> list[Path]:
    """Return what a folder holds that can be installed."""
    return sorted(path for path in folder.iterdir() if path.suffix == ".whl" or path.name.endswith(".tar.gz"))
