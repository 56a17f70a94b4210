"""The real Intel runtime wheels that the closure tests stand on, fetched and installed by pip once per machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XPU_DOCTOR_TEST_CACHE", Path.home() / ".cache" / "xpu-doctor-tests"))
LINUX = (
    "intel-sycl-rt==2025.0.4",
    "intel-cmplr-lib-ur==2025.0.4",
    "intel-cmplr-lib-rt==2025.0.4",
    "umf==0.9.1",
    "tcmlib==1.2.0",
)
NEWER_UR = ("intel-cmplr-lib-ur==2025.1.1",)
WINDOWS = LINUX
WHERE = {"linux": ("--ignore-installed", "--prefix"), "windows": ("--platform", "win_amd64", "--target")}
"""pip's own way to lay a wheel out elsewhere: --target drops a wheel's lib folder, --prefix takes this platform's wheels only."""


class NotAvailable(Exception):
    """The wheels could not be fetched."""


def installed(name: str, system: str, requirements: tuple[str, ...]) -> Path:
    """Return a folder into which pip installed these wheels, as it lays them out below an environment's prefix."""
    folder = CACHE / f"{name}-{system}"
    done = folder / "done"
    if done.exists() and done.read_text(encoding="utf-8").split() == sorted(requirements):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_suffix(f".{os.getpid()}")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", *WHERE[system], str(partial), *requirements]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotAvailable(str(error)) from error
    if run.returncode:
        raise NotAvailable(f"pip could not install {' '.join(requirements)}: {run.stderr.strip().splitlines()[-1:]}")
    (partial / "done").write_text("\n".join(sorted(requirements)), encoding="utf-8")
    try:
        partial.rename(folder)
    except OSError:  # another test process was faster
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def downloaded(system: str, requirements: tuple[str, ...]) -> tuple[Path, ...]:
    """Return the wheels themselves.

    Raises:
        NotAvailable: they cannot be fetched.
    """
    folder = CACHE / f"wheels-{system}"
    folder.mkdir(parents=True, exist_ok=True)
    missing = [item for item in requirements if not _kept(folder, item)]
    if missing:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        command += ["--disable-pip-version-check", "--platform", "win_amd64", "--python-version", "3.13"]
        command += ["--dest", str(folder), *missing]
        run = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if run.returncode:
            last = run.stderr.strip().splitlines()[-1:]
            raise NotAvailable(f"pip could not download {' '.join(missing)}: {last}")
    return tuple(_kept(folder, item)[0] for item in requirements)


def _kept(folder: Path, requirement: str) -> list[Path]:
    name, _, version = requirement.partition("==")
    return list(folder.glob(f"{name.replace('-', '_')}-{version}-*.whl"))
