"""Real environments that pip, uv and poetry change, and the real commands that the doctor prints for them."""

from __future__ import annotations

import atexit
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.fake_index import Wheel, package, torch, xpu_set
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.probes.installer import installer_facts
from xpu_doctor.remedies.install import Indexes, reinstall, remains
from xpu_doctor.target.agent_run import AgentRun, Patient
from xpu_doctor.target.stage_facts import groups_of
from xpu_doctor.target.stages import STATIC_STAGES

UV = str(Path(sys.executable).with_name("uv"))
DROPPED = (
    "PIP_",
    "UV_",
    "POETRY_",
    "VIRTUAL_ENV",
    "CONDA",
    "PYTHON",
    "XDG_",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)
SECONDS = 180

XPU = (
    *xpu_set("2.14.0", "0.29.0", "2.11.0", "3.8.0"),
    *xpu_set("2.14.1", "0.29.1", "2.11.0", "3.8.0"),
)
CPU = (
    torch("2.14.0+cpu"),
    torch("2.15.0+cpu"),
    package("torchvision", "0.29.0", ("torch==2.14.0",)),
    package("torchaudio", "2.11.0"),
    package("triton", "3.8.0"),
    package("numpy", "2.0"),
    Wheel("intel-sycl-rt", "2026.1.0", {"intel_sycl_rt-2026.1.0.data/data/lib/libsycl.so.9": "\x7fELF"}),
)
NIGHTLY = (
    torch("2.16.0.dev20261101+xpu", ("triton-xpu==3.9.0",), xpu="20260100"),
    package("torchvision", "0.31.0.dev20261101+xpu", ("torch==2.16.0.dev20261101",)),
    package("torchaudio", "2.11.0.dev20261101+xpu"),
    package("triton-xpu", "3.9.0", folder="triton"),
)
CHANNELS: Mapping[str, Iterable[Wheel]] = {"xpu": XPU, "cpu": CPU, "nightly": NIGHTLY}


@cache
def template() -> Path:
    """A virtual environment with pip, made once: a copy of it is as good, since no test runs its scripts by name."""
    folder = Path(tempfile.mkdtemp(prefix="template-")) / "env"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    atexit.register(shutil.rmtree, folder.parent, ignore_errors=True)
    return folder


def copied(source: str | Path, target: Path) -> None:
    """Copy a folder with all that it holds; `cp` takes a third of the time that Python needs for it."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


@cache
def _installed() -> Path:
    """A folder for what installers have added to new environments, by what they were told."""
    folder = Path(tempfile.mkdtemp(prefix="installed-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _files(folder: Path) -> set[str]:
    return {os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names}


@dataclass
class World:
    """One home folder, one environment, and the variables of the person who types the commands."""

    home: Path
    urls: Mapping[str, str]
    python: Path = Path()
    variables: dict[str, str] = field(default_factory=dict)
    made: tuple[Path, frozenset[str]] | None = None
    """The interpreter of the newest environment, and what lay in its folder of packages when it was made."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables of this machine without any setting of a package manager, plus this world's own."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        path = os.pathsep.join((str(Path(UV).parent), kept.get("PATH", "")))
        return {
            **kept,
            "PATH": path,
            "HOME": str(self.home),
            "NO_PROXY": "127.0.0.1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            **self.variables,
        }

    def run(self, *argv: str | Path, check: bool = True, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a program in this world."""
        done = subprocess.run(
            [str(word) for word in argv],
            env=self.environment,
            cwd=cwd or self.home,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{argv}\n{done.stdout}\n{done.stderr}"
        return done

    def venv(self, folder: Path, *, uv: bool = False) -> None:
        """Make the environment, with pip inside or by uv without."""
        if uv:
            self.run(UV, "--no-config", "venv", "--quiet", "--python", sys.executable, folder)
        else:
            copied(template(), folder)
        self.python = folder / "bin" / "python"
        self.made = (self.python, self._packages())

    def _packages(self) -> frozenset[str]:
        return frozenset(os.listdir(next((self.python.parents[1] / "lib").glob("python*")) / "site-packages"))

    def _is_new(self) -> bool:
        return self.made is not None and self.made[0] == self.python and self.made[1] == self._packages()

    def put(self, channel: str, *names: str) -> None:
        """Install packages from one channel, whatever this world's settings are.

        What a real installer has added to a new environment is kept: the next new one that is to hold the same gets a copy of these files.
        """
        prefix, by = self.python.parents[1], "pip" if self.python.with_name("pip").exists() else "uv"
        told = "\n".join((by, self.urls[channel], *names)).encode()
        kept, new = _installed() / hashlib.sha256(told).hexdigest(), self._is_new()
        if new and kept.exists():
            copied(f"{kept}/.", prefix)
            return
        before = _files(prefix) if new else set()
        self._install(channel, *names)
        for name in sorted(_files(prefix) - before) if new else ():
            (kept / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(prefix / name, kept / name, follow_symlinks=False)

    def _install(self, channel: str, *names: str) -> None:
        quiet = World(self.home, self.urls, self.python, {"PIP_CONFIG_FILE": "/dev/null"})
        if self.python.with_name("pip").exists():
            quiet.run(
                self.python,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--no-cache-dir",
                "--index-url",
                self.urls[channel],
                *names,
            )
        else:
            where = ("--no-config", "--python", self.python, "--default-index", self.urls[channel])
            quiet.run(UV, "pip", "install", "--quiet", "--no-cache", *where, *names)

    def snapshot(self, folder: Path | None = None) -> Snapshot:
        """What the doctor sees of the environment without importing torch."""
        examination = AgentRun(Patient(str(self.python), self.environment, str(folder or self.home)), STATIC_STAGES)
        try:
            groups = groups_of(examination.results(), STATIC_STAGES)
        finally:
            examination.close()
        installer = installer_facts(
            groups["python"], groups["distributions"], self.environment, str(folder or self.home)
        )
        return Snapshot(installer=installer, **{name: groups[name] for name in ("python", "distributions", "torch")})

    def remedies(self, folder: Path | None = None, *, broken: bool = False) -> tuple[Remedy, ...]:
        """The remedies for this environment; only the indexes are the loopback ones."""
        facts = self.snapshot(folder)
        indexes = Indexes(stable=self.urls["xpu"], nightly=self.urls["nightly"])
        folders = remains(facts.distributions, facts.torch, facts.python) if broken else ()
        return reinstall(
            Installation(facts.python, facts.distributions, facts.installer, facts.torch),
            indexes=indexes,
            folders=folders,
        )

    def obey(self, remedy: Remedy, cwd: Path | None = None) -> None:
        """Paste the commands into a shell."""
        self.run("sh", "-c", "\n".join(remedy.commands), cwd=cwd)

    def version(self, module: str = "torch") -> str:
        """The version that the environment imports, or empty where it cannot."""
        code = f"import {module} as m; print(getattr(m, 'owner', ''), m.__version__)"
        return self.run(self.python, "-c", code, check=False).stdout.strip()

    def names(self) -> dict[str, str]:
        """What is installed: name to version."""
        code = "import importlib.metadata as m; [print(d.metadata['Name'], d.version) for d in m.distributions()]"
        return dict(line.split() for line in self.run(self.python, "-c", code).stdout.splitlines())
