"""What a watched command finds in its environment besides, and the private folder that records go to."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from xpu_doctor.text.packaged import packaged_text

VARIABLE = "XPU_DOCTOR_WATCH"
"""Names the folder of the records; also by this a process is known to belong to the command."""
PRINT_FALLBACKS = "PYTORCH_DEBUG_XPU_FALLBACK"
HOOK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "inside")
HOOK_FILES = ("sitecustomize.py", "recorder.py")
PYTHONS = "pythons"
SETTINGS = "settings"
APPLICATIONS = "applications"


@dataclass(frozen=True)
class Records:
    """The private folder."""

    folder: str

    @property
    def marker(self) -> str:
        """What the environment of each of the command's processes holds."""
        return f"{VARIABLE}={self.folder}"

    def remove(self) -> None:
        """Remove the folder; processes that go on then leave no more records."""
        shutil.rmtree(self.folder, ignore_errors=True)


def new_records(device_type: str) -> Records:
    """Make a folder that only this user can read.

    Raises:
        OSError: there is no place for temporary files.
    """
    import tempfile

    records = Records(tempfile.mkdtemp(prefix="xpu-doctor-watch-"))
    with open(os.path.join(records.folder, PYTHONS), "x", encoding="utf-8"):
        pass
    with open(os.path.join(records.folder, SETTINGS), "x", encoding="utf-8") as stream:
        json.dump({"device_type": device_type}, stream)
    return records


def name_applications(records: Records, applications: Iterable[tuple[str, str]]) -> None:
    """Tell the hook which modules to look for, as pairs of module and distribution; it asks when it writes a record.

    Raises:
        OSError: the folder cannot be written to any more.
    """
    part = os.path.join(records.folder, APPLICATIONS + ".part")
    with open(part, "x", encoding="utf-8") as stream:
        json.dump([list(pair) for pair in applications], stream)
    os.replace(part, os.path.join(records.folder, APPLICATIONS))


def with_hook(environment: Mapping[str, str], records: Records) -> dict[str, str]:
    """Return the command's environment: this process's own, with the hook's folder first on PYTHONPATH and two variables more."""
    paths = [_hook_folder(records), *filter(None, (environment.get("PYTHONPATH"),))]
    added = {"PYTHONPATH": os.pathsep.join(paths), VARIABLE: records.folder}
    if PRINT_FALLBACKS not in environment:
        added[PRINT_FALLBACKS] = "1"
    return {**environment, **added}


def _hook_folder(records: Records) -> str:
    """Return the folder with the hook; where the package is no folder, a copy is made first."""
    if os.path.isfile(os.path.join(HOOK, HOOK_FILES[0])):
        return HOOK
    folder = os.path.join(records.folder, "hook")
    os.mkdir(folder)
    for name in HOOK_FILES:
        with open(os.path.join(folder, name), "x", encoding="utf-8") as stream:
            stream.write(packaged_text("watching", "inside", name))
    return folder
