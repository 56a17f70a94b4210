"""Breakages of a Windows environment: what the loader says of each, in a Python for Windows, and what the walk predicts."""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath
from typing import Any

from tests.closure.windows_world import stub
from tests.support.environments import StubEnvironment
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE
from tests.windows import intel_runtime
from tests.windows.intel_runtime import BIN, LIB
from xpu_doctor.shared_libraries.windows import BAD_FORMAT, MODULE_NOT_FOUND, PROCEDURE_NOT_FOUND
from xpu_doctor.text.sycl_loader_log import log_variables, parse_ur_loader

SRC = Path(__file__).parent / "src"
OWN = tuple(f"{LIB}/{name}" for name in intel_runtime.OWN)
NEEDED = tuple(f"{BIN}/{name}.dll" for name in ("sycl9", "ur_win_proxy_loader", "libmmd", "svml_dispmd"))
NEEDED_OF_MKL = tuple(
    f"{BIN}/{name}.dll" for name in ("mkl_sycl_blas.6", "mkl_sycl_dft.6", "mkl_sycl_lapack.6", "mkl_core.3")
)
OPENED = tuple(
    f"{BIN}/{name}.dll"
    for name in ("ur_loader", "ur_adapter_level_zero", "ur_adapter_level_zero_v2", "umf", "libhwloc-15")
)
KINDS = ("gone", "empty", "cut512", "half", "text", "32-bit", "arm64", "no exports")
MACHINES = {"32-bit": 0x14C, "arm64": 0xAA64}
ADAPTERS = ("ur_adapter_level_zero.dll", "ur_adapter_level_zero_v2.dll")


@dataclass(frozen=True)
class Breakage:
    """What is done to files, and what stands on PATH."""

    kind: str
    changes: tuple[tuple[str, str], ...] = ()
    """Kind of damage, and the file below the environment."""
    path: str = ""
    """`older`: a folder with the DLLs of the release before; `spoilt`: one with damaged copies."""

    @property
    def name(self) -> str:
        """Return what happens in words."""
        what = ", ".join(f"{kind} {Path(file).name}" for kind, file in self.changes)
        return f"{self.kind}: {what}" if what else self.kind


def breakages(mkl: bool) -> list[Breakage]:
    """Return every breakage: each damage alone, copies on PATH, and mixtures, the same ones each time."""
    needed = (*NEEDED, *(NEEDED_OF_MKL if mkl else ()))
    files = (*OWN, *needed, *OPENED)
    found = [Breakage("whole"), Breakage("whole, older release on PATH", path="older")]
    found += [Breakage(kind, ((kind, file),)) for kind in KINDS for file in files]
    found += [Breakage("gone, older on PATH", (("gone", file),), "older") for file in (*NEEDED, *OPENED)]
    found += [Breakage("gone, damaged on PATH", (("gone", file),), "spoilt") for file in (*NEEDED, *OPENED)]
    if not NATIVE:  # of Wine's System32 only
        found += [Breakage("no runtime of Visual C++", (("gone", "system32/msvcp140.dll"),))]
    chance = random.Random(20261126)
    for _ in range(60):
        chosen = chance.sample(list(files), 2)
        changes = tuple((chance.choice((*KINDS, "gone", "gone", "gone")), file) for file in chosen)
        found.append(Breakage("mixed", changes, chance.choice(("", "", "older", "spoilt"))))
    return found


@dataclass(frozen=True)
class Answer:
    """How loading ended, for the loader or for the walk."""

    error: int
    library: str = ""
    modules: frozenset[str] = frozenset()
    opened: dict[str, str] = field(default_factory=dict)
    """Adapter to `loads`, or how it failed."""
    faults: tuple[tuple[str, str, int, str], ...] = ()


@dataclass(frozen=True)
class Compared:
    """One breakage, both answers, and what differs."""

    breakage: Breakage
    real: Answer
    walk: Answer

    @property
    def beyond_wine(self) -> bool:
        """Return whether Wine cannot tell: it gives 126 where a dependency is damaged, and stubs for symbols that are missing."""
        if NATIVE or self.real == self.walk:
            return False
        if any(number == PROCEDURE_NOT_FOUND for _, _, number, _ in self.walk.faults):
            return True
        numbers = (self.real.error, self.walk.error) == (MODULE_NOT_FOUND, BAD_FORMAT)
        return numbers and self.real.library == self.walk.library

    @property
    def differences(self) -> tuple[str, ...]:
        """Return in words what the two do not agree on; empty where they do."""
        real, walk = self.real, self.walk
        if (real.error, real.library) != (walk.error, walk.library):
            return (f"loader {_told(real)}, walk {_told(walk)}",)
        found = [
            f"{name}: loader {said}, walk {walk.opened.get(name, '')}"
            for name, said in sorted(real.opened.items())
            if (said == "loads") != (walk.opened.get(name) == "loads")
        ]
        return (*found, *(f"{path}: only the walk takes it" for path in sorted(walk.modules - real.modules)))


def _told(answer: Answer) -> str:
    return f"{answer.error} at {PureWindowsPath(answer.library).name}" if answer.error else "loads all"


class Trial:
    """A patient with Intel's runtime that is broken in one way after the other, and asked."""

    def __init__(self, bench: WindowsBench, folder: Path, mkl: bool) -> None:
        self.bench, self.folder = bench, folder
        self.patient: StubEnvironment = bench.new_patient(folder / "patient", "full")
        wheels = (*intel_runtime.RUNTIME, *(intel_runtime.MKL if mkl else ()))
        intel_runtime.install(self.patient, wheels)
        intel_runtime.add_torch(self.patient, folder / "work", mkl)
        self.paths = {"older": intel_runtime.older_copies(folder / "older"), "spoilt": folder / "spoilt"}
        self.paths["spoilt"].mkdir()
        for file in (*NEEDED, *OPENED):
            (self.paths["spoilt"] / Path(file).name).write_bytes(b"MZ" + bytes(300))
        self.program = stub(folder / "work" / "hollow.dll", "nothing", {}, folder / "work")
        self._walker = self._start_walker()

    def __enter__(self) -> Trial:
        return self

    def __exit__(self, *error: object) -> None:
        self._walker.communicate(timeout=20)

    def compare(self, breakage: Breakage) -> Compared:
        """Break the patient, ask both, and mend it."""
        with self.broken(breakage):
            return Compared(breakage, self.ask(breakage), self.predict(breakage))

    def ask(self, breakage: Breakage) -> Answer:
        """Ask the real loader, in the patient's own Python."""
        env = {**log_variables("windows"), **self.variables(breakage)}
        run = self.bench.machine.win([self.patient.python, "-B", SRC / "ask_loader.py"], env=env, timeout=120)
        text = run.stdout.decode("utf-8", "replace")
        said = next((line[7:] for line in text.splitlines() if line.startswith("ANSWER ")), "")
        if not said:
            raise AssertionError(f"{breakage.name}: {text}{run.stderr.decode('utf-8', 'replace')}")
        answer = json.loads(said)
        modules = _plain(answer["modules"])
        names = {PureWindowsPath(path).name for path in modules}
        failed = {row.name: row.error for row in parse_ur_loader(run.stderr.decode("utf-8", "replace")) if row.error}
        # The proxy of the loader opens adapters, too, so they may be there although the loader itself is not.
        opened = {name: "loads" if name in names else failed.get(name, "not there") for name in ADAPTERS}
        return Answer(answer["error"], answer["library"].lower(), modules, {} if answer["error"] else opened)

    def predict(self, breakage: Breakage) -> Answer:
        """Ask the walk, in the doctor's Python."""
        path = self.variables(breakage).get("PATH", "")
        request = {"folder": self.bench.machine.spelled(self.patient.folder), "path": path}
        reader, writer = self._walker.stdout, self._walker.stdin
        assert reader is not None and writer is not None
        writer.write(json.dumps(request).encode("ascii") + b"\n")
        writer.flush()
        answer: dict[str, Any] = json.loads(reader.readline())
        faults = tuple((kind, name, error, stage) for kind, name, error, stage in answer["faults"])
        opened = {} if answer["error"] else {name: answer["opened"].get(name, "missing") for name in ADAPTERS}
        # What was loaded on the way to a fault may be gone again.
        modules = frozenset() if faults else _plain(answer["modules"])
        return Answer(answer["error"], answer["library"].lower(), modules, opened, faults)

    def variables(self, breakage: Breakage) -> dict[str, str]:
        """Return what a breakage puts into the environment."""
        return {"PATH": self.bench.machine.spelled(self.paths[breakage.path])} if breakage.path else {}

    def _start_walker(self) -> subprocess.Popen[bytes]:
        machine = self.bench.machine
        command = machine.command([self.bench.doctor_python, "-B", SRC / "walk_libraries.py"])
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=machine.environment()
        )

    @contextlib.contextmanager
    def broken(self, breakage: Breakage) -> Iterator[None]:
        """Break the patient, and mend it afterwards."""
        kept: list[tuple[Path, Path]] = []
        try:
            for kind, file in breakage.changes:
                path = self._file(file)
                aside = path.with_name(path.name + ".kept")
                path.rename(aside)
                kept.append((aside, path))
                self._spoil(kind, aside, path)
            yield
        finally:
            for aside, path in reversed(kept):
                path.unlink(missing_ok=True)
                aside.rename(path)

    def _file(self, file: str) -> Path:
        if file.startswith("system32/"):
            assert not NATIVE, "nobody's Windows is broken"
            return self.bench.machine.prefix / "drive_c" / "windows" / file
        return self.patient.folder / file

    def _spoil(self, kind: str, source: Path, target: Path) -> None:
        """Write a damaged copy of a library, or none."""
        size = source.stat().st_size
        if kind == "text":
            target.write_text("This is no library.\n" * 40, encoding="ascii")
        elif kind == "no exports":
            shutil.copyfile(self.program, target)
        elif kind in ("empty", "cut512", "half"):
            with source.open("rb") as whole:
                target.write_bytes(whole.read({"empty": 0, "cut512": 512, "half": size // 2}[kind]))
        elif kind in MACHINES:
            shutil.copyfile(source, target)
            with target.open("r+b") as copy:
                copy.seek(0x3C)
                copy.seek(int.from_bytes(copy.read(4), "little") + 4)
                copy.write(MACHINES[kind].to_bytes(2, "little"))


def _plain(paths: list[str]) -> frozenset[str]:
    """Return the paths outside of Windows' own folders as they compare."""
    return frozenset(os.fspath(PureWindowsPath(path)).lower() for path in paths if "\\windows\\" not in path.lower())
