"""Builds `xpu-doctor.pyz`, once for all workers of a run, and runs it as a user does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BUILD_SECONDS = 600
BARE = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
"""What a process needs of its environment; HOME and the cache are the test's own."""


def build(folder: Path, wheels: Path) -> subprocess.CompletedProcess[str]:
    """Run the documented command; downloads are kept in $XPU_DOCTOR_TEST_CACHE, or for this run."""
    named = os.environ.get("XPU_DOCTOR_TEST_CACHE", "")
    wheels = Path(named, "one-file") if named else wheels
    command = [sys.executable, "tools/build_pyz.py", "-o", str(folder), "--wheels", str(wheels)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)


def at_home(home: Path, **variables: str) -> dict[str, str]:
    """Return an environment whose home folder, and with it the cache, is the test's own."""
    system = {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if os.name == "nt" and name in os.environ}
    return {**BARE, **system, "HOME": str(home), "LOCALAPPDATA": str(home / ".cache"), **variables}


def run_file(
    file: Path, home: Path, *arguments: str, python: str = sys.executable, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run the file with a home folder of the test's own, and nothing of the developer's environment."""
    given = at_home(home, **variables)
    command = [python, "-I", "-S", str(file), *arguments]
    return subprocess.run(command, env=given, cwd=home, capture_output=True, text=True, timeout=120, check=False)


def unpacked_folders(home: Path) -> list[Path]:
    """Return what lies in the cache of a home folder."""
    folder = home / ".cache" / "xpu-doctor"
    return sorted(folder.iterdir()) if folder.is_dir() else []
