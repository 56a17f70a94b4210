"""Real parts of the stack for these tests: loaders of three ages, a driver library of our own, and Intel's own driver."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
FAKE_DRIVER_SOURCE = HERE / "fake_ze_driver.c"
SYSTEM_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
BASE = ("libc6", "libstdc++6", "libgcc-s1", "libze1")
NEWEST = (*BASE, "libze-intel-gpu1", "libigdgmm12")
APT_SECONDS = 240


class Missing(Exception):
    """A part that cannot be had on this machine, with the reason."""


@dataclass(frozen=True)
class Interpreter:
    """A Python that finds a certain Level Zero loader, and the environment that it needs for that."""

    python: str
    libraries: Path
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Return this process's environment without what may disturb, plus the given variables."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("ZE_", "NEO", "SYCL", "ONEAPI", "UR_", "FAKE_ZE"))
        }
        return {**kept, **self.variables, **more}


def system_interpreter() -> Interpreter:
    """Return this Python, which finds the loader that the system has.

    Raises:
        Missing: the system has none.
    """
    if not (SYSTEM_LIBRARIES / "libze_loader.so.1").exists():
        raise Missing("libze1 is not installed (apt-get install libze1)")
    return Interpreter(sys.executable, SYSTEM_LIBRARIES)


def build_fake_driver(folder: Path) -> Path:
    """Compile our own Level Zero driver.

    Raises:
        Missing: there is no compiler, or no headers.
    """
    compiler = shutil.which("gcc")
    if compiler is None:
        raise Missing("there is no gcc")
    library = folder / "libze_fake.so.1"
    command = [compiler, "-shared", "-fPIC", "-O1", "-w", "-o", str(library), str(FAKE_DRIVER_SOURCE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"the fake driver does not compile (apt-get install libze-dev): {done.stderr.splitlines()[:1]}")
    return library


def overlay(folder: Path, suite: str, packages: tuple[str, ...]) -> Interpreter:
    """Unpack newer Debian packages beside the system, and return a Python that runs under their dynamic linker.

    Raises:
        Missing: apt-get is not here, or cannot download.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg") is None:
        raise Missing("apt-get or dpkg is not here")
    done = folder / "done"
    if not done.exists():
        _download(folder, suite, packages)
        done.write_text("yes")
    libraries = folder / "root" / "usr" / "lib" / "x86_64-linux-gnu"
    wrapper = folder / "python3"
    real = os.path.realpath(sys.executable)
    wrapper.write_text(
        f'#!/bin/sh\nexec "{libraries}/ld-linux-x86-64.so.2" --library-path "{libraries}" "{real}" "$@"\n'
    )
    wrapper.chmod(0o755)
    return Interpreter(str(wrapper), libraries)


def _download(folder: Path, suite: str, packages: tuple[str, ...]) -> None:
    for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(f"deb [signed-by={KEYRING}] {_mirror()} {suite} main\n")
    options = [
        "-o",
        f"Dir::Etc::sourcelist={folder}/sources.list",
        "-o",
        "Dir::Etc::sourceparts=-",
        "-o",
        f"Dir::State::lists={folder}/lists",
    ]
    options += ["-o", f"Dir::Cache={folder}/cache", "-o", "APT::Sandbox::User=root"]
    wanted = [f"{package}/{suite}" for package in packages]
    for command, place in (
        (["apt-get", *options, "update", "-qq"], folder),
        (["apt-get", *options, "download", "-qq", *wanted], folder / "debs"),
    ):
        try:
            said = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=APT_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise Missing(f"apt-get gave no answer in {APT_SECONDS} s") from error
        if said.returncode:
            raise Missing(f"apt-get cannot have the packages of {suite}: {said.stderr.strip().splitlines()[-1:]}")
    for archive in (folder / "debs").glob("*.deb"):
        subprocess.run(["dpkg", "-x", str(archive), str(folder / "root")], check=True)


def _mirror() -> str:
    """Return the Debian mirror that this machine already uses.

    Raises:
        Missing: it uses none.
    """
    for path in (*Path("/etc/apt/sources.list.d").glob("*.sources"), Path("/etc/apt/sources.list")):
        if path.exists():
            found = re.search(
                r"^(?:URIs:|deb\s(?:\[.*\]\s)?)\s*(http\S+)", path.read_text(encoding="utf-8"), re.MULTILINE
            )
            if found and "security" not in found[1]:
                return found[1]
    raise Missing("apt has no Debian mirror here")


def simulated(product: str, device_id: int, shape: str, name: str, driver: str = "") -> dict[str, str]:
    """Return the variables by which Intel's real driver simulates a GPU; it writes small files into its working folder."""
    keys = {
        "NEOReadDebugKeys": "1",
        "SetCommandStreamReceiver": "1",
        "UseAubStream": "0",
        "EnableLocalMemory": "0",
        "UseBindlessMode": "0",
        "ProductFamilyOverride": product,
        "ForceDeviceId": f"{device_id:04x}",
        "HardwareInfoOverride": shape,
        "OverrideDeviceName": name,
    }
    return {**keys, "ZE_ENABLE_ALT_DRIVERS": driver} if driver else keys
