"""Environments of a genuine Python for Windows, in the states that need mending, which the doctor there mends and takes back."""

from __future__ import annotations

import hashlib
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from tests.hosts.test_recorded_hosts import HOSTS, recording
from tests.install.states import INDEXES, STATES, Place
from tests.support.environments import StubEnvironment
from tests.support.fake_index import Wheel
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import WindowsMachine
from tests.support.windows_registry import copied, write
from tests.treatment.worlds import working
from xpu_doctor.treatment.place import KEPT

HOST = "arc-b580-windows-11"
"""The recorded machine: with an Intel GPU and its driver."""
TAG = "cp313-cp313-win_amd64"
LISTED = "import importlib.metadata as m; print(sorted((d.metadata['Name'] or '', d.version or '') for d in m.distributions()))"
TORCH = "import torch; print(torch.__version__)"
KILL = """
import subprocess, sys, threading
doctor = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
last = b""
for line in doctor.stderr:
    last = line.strip() or last
    if line.startswith(b"Keeping"):
        threading.Timer(float(sys.argv[1]), doctor.kill).start()
sys.stdout.buffer.write(last)
"""
"""TerminateProcess; what the doctor has started must end with it, or its pipe would stay open."""
SECONDS = 600.0


def for_windows(wheel: Wheel, library: bytes) -> Wheel:
    """Return a wheel as it is for Windows: libraries are DLLs, and torch has a tag of its own."""
    files: dict[str, str | bytes] = {}
    for name, content in wheel.files.items():
        dll = name.replace("lib/libtorch_", "lib/torch_").replace("data/lib/libsycl", "data/Library/bin/sycl")
        found = ".so" in name
        files[dll.partition(".so")[0] + ".dll" if found else name] = library if found else content
    return working(replace(wheel, files=files, tag=TAG if wheel.name == "torch" else wheel.tag))


def channels(bench: WindowsBench) -> dict[str, list[Wheel]]:
    """Return what the indexes offer."""
    library = library_of(bench)
    return {name: [for_windows(wheel, library) for wheel in wheels] for name, wheels in INDEXES.items()}


def library_of(bench: WindowsBench) -> bytes:
    """Return a real DLL that needs nothing but the system."""
    return next((bench.patient.parent / "DLLs").glob("libffi*.dll")).read_bytes()


def machine_with_gpu(bench: WindowsBench, folder: Path) -> WindowsMachine:
    """Return a machine of its own, in whose registry there is an Intel GPU."""
    bench.machine.win(["reg.exe", "query", "HKLM"])  # the prefix's files are whole once its server has answered
    machine = copied(bench.machine, folder)
    machine.serve()
    [path] = [path for path in HOSTS if path.stem == HOST]
    write(machine, bench.patient, recording(path)["registry"])
    return machine


@dataclass(frozen=True)
class Fixing:
    """An environment, the machine that it is on, and the index that the doctor is told of."""

    bench: WindowsBench
    machine: WindowsMachine
    environment: StubEnvironment
    index: str

    def words(self, *options: str | Path) -> list[str | Path]:
        """Return the doctor's command."""
        own = {"--undo", "--forget", "--history", "--find-links"} & set(map(str, options))
        where: tuple[str | Path, ...] = () if own else ("--index-url", self.index)
        return [
            self.bench.doctor_python,
            "-m",
            "xpu_doctor",
            "fix",
            "--python",
            self.environment.python,
            *where,
            *options,
        ]

    def doctor(self, *options: str | Path) -> tuple[int, str, str]:
        """Run the doctor; return its exit code and what it printed."""
        done = self.machine.win(self.words(*options), timeout=SECONDS)
        return done.returncode, decoded(done.stdout), decoded(done.stderr)

    def asked(self, code: str) -> str:
        """Return what a line of code prints in the environment."""
        done = self.machine.win([self.environment.python, "-I", "-B", "-c", code])
        return decoded(done.stdout).strip() or decoded(done.stderr).strip()[-300:]

    def files(self) -> dict[str, str]:
        """Return every file and its content; the kept way back, compiled code and the list of programs in use left out."""
        return pictured(self.environment.folder)

    def killed_after(self, moment: float) -> str:
        """Start `--apply`, end the doctor so many seconds after it has begun to keep a way back; return the last line before."""
        words = self.words("--apply", "--yes")
        done = self.machine.win([self.bench.patient, "-c", KILL, str(moment), *words], timeout=SECONDS)
        return decoded(done.stdout).strip()


def decoded(data: bytes) -> str:
    """Return what a program has printed."""
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def pictured(folder: Path) -> dict[str, str]:
    """Return each file below a folder with its SHA-256."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and KEPT not in name.split("/") and "__pycache__" not in name:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def environment(bench: WindowsBench, folder: Path, state: str) -> StubEnvironment:
    """Make a virtual environment with pip, and a torch in one of the states."""
    made = bench.new_patient(folder)
    source = bench.patient.parent / "Lib" / "site-packages"
    for path in source.glob("pip*"):
        subprocess.run(["cp", "-a", path, made.site], check=True)
    library = library_of(bench)
    place = Place(made.site, folder, "pip", lambda wheel: for_windows(wheel, library))
    next(item for item in STATES if item.name == state).make(place)
    return made
