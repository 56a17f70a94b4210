"""Printed lines run for real: by cmd.exe, with programs that write down what they were started with."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import pytest

from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE
from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Distribution, Distributions, Installer, Python, Torch
from xpu_doctor.model.facts.combined import Installation
from xpu_doctor.model.findings import Remedy, Shell
from xpu_doctor.remedies.commands import sequence
from xpu_doctor.remedies.embedded import pip_for_embedded
from xpu_doctor.remedies.install import reinstall

SOURCE = Path(__file__).parent / "src" / "show_arguments.c"
COMPILER = "x86_64-w64-mingw32-gcc"
FOLDERS = ("venv", "my env", "Grüße an 東京 & Co", "it's", "a ^b (x86)", "a;b,c=d", "!now!", "-odd @home")
RUN_LINES = """
import json, subprocess, sys
for line in json.load(open(sys.argv[1], encoding="utf-8")):
    run = subprocess.run(f'cmd.exe /d /s /c "{line}"', stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    print(json.dumps([run.returncode, run.stdout.decode("utf-8", "replace")]))
"""
BY_NAME = ("uv", "conda", "poetry", "pdm", "pipenv", "py", "curl", "xpu-doctor", "hatch", "pixi")


@dataclass(frozen=True)
class Recorder:
    """Runs lines in cmd.exe, in a folder whose programs record their words."""

    bench: WindowsBench
    folder: Path
    program: Path

    @property
    def log(self) -> Path:
        """Where the programs write."""
        return self.folder / "log"

    def stands_in_for(self, place: Path) -> None:
        """Put the recording program where another one is looked for."""
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(self.program, place)

    def run(self, lines: Iterable[str], **variables: str) -> list[tuple[int, str]]:
        """Return how each line ended, and what it printed."""
        asked, code = self.folder / "lines.json", self.folder / "run_lines.py"
        asked.write_text(json.dumps(list(lines)), encoding="utf-8")
        code.write_text(RUN_LINES, encoding="utf-8")
        spelled = self.bench.machine.spelled
        run = self.bench.machine.win(
            [self.bench.patient, code, asked],
            env={"ARGUMENTS_LOG": spelled(self.log), "PATH": spelled(self.folder / "bin"), **variables},
            cwd=self.folder,
            timeout=300,
        )
        assert run.returncode == 0, run.stderr
        return [tuple(json.loads(line)) for line in run.stdout.splitlines()]

    def seen(self) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
        """Yield the words of each program that ran, and its variables."""
        for record in self.log.read_bytes().split(b"\0\n")[:-1]:
            configuration, path, no_user, *words = record.decode("utf-8").split("\0")
            yield (
                tuple(words),
                {"PIP_CONFIG_FILE": configuration, "PYTHONPATH": path, "PYTHONNOUSERSITE": no_user},
            )


@pytest.fixture
def recorder(windows_bench: WindowsBench, tmp_path: Path) -> Recorder:
    """Its programs lie in a folder on PATH."""
    if shutil.which(COMPILER) is None:
        pytest.skip(f"{COMPILER} is not here (Debian: gcc-mingw-w64-x86-64)")
    program = tmp_path / "show.exe"
    subprocess.run([COMPILER, "-municode", "-O1", "-o", program, SOURCE], check=True)
    made = Recorder(windows_bench, tmp_path, program)
    for name in BY_NAME:
        made.stands_in_for(tmp_path / "bin" / f"{name}.exe")
    made.stands_in_for(tmp_path / "torch-xpu" / "Scripts" / "python.exe")
    return made


def remedies(executable: str, prefix: str) -> Iterator[Remedy]:
    """Every way in which a torch is replaced, for cmd.exe."""
    installed = Distributions(installed=(Distribution("torch", "2.9.0+cpu"), Distribution("torchvision", "0.24.0")))
    torch = Torch(version="2.9.0+cpu", build="cpu")
    for manager, (has_pip, embedded) in product(
        ("pip", "uv", "conda", "pdm"), ((True, False), (False, False), (False, True))
    ):
        python = Python(
            executable=executable,
            prefix=prefix,
            os="windows",
            version="3.12.7",
            embedded=embedded,
            ensurepip=not embedded,
        )
        installer = Installer(manager=manager, has_pip=has_pip, uv="command", settings=())
        for remedy in reinstall(Installation(python, installed, installer, torch)):
            if remedy.shell in (Shell.CMD, None) and remedy.steps:
                yield remedy


@pytest.mark.parametrize("name", FOLDERS)
def test_cmd_runs_what_was_meant(recorder: Recorder, name: str) -> None:
    """Each program of each remedy gets the words of its step, in order, and the variables."""
    place = recorder.folder / name / "python.exe"
    recorder.stands_in_for(place)
    spelled = recorder.bench.machine.spelled
    asked = list(remedies(spelled(place), spelled(place.parent)))
    assert len(asked) > 5
    ended = recorder.run([" & ".join(remedy.commands) for remedy in asked])
    assert [code for code, _ in ended] == [0] * len(asked), [said for code, said in ended if code]
    steps = [step for remedy in asked for step in remedy.steps]
    seen = list(recorder.seen())
    assert [words[1:] for words, _ in seen] == [step.argv[1:] for step in steps]
    for (words, variables), step in zip(seen, steps, strict=True):
        assert words[0].removesuffix(".exe") == step.argv[0].removesuffix(".exe")
        assert {name: variables[name] for name in step.variables} == step.variables


@pytest.mark.skipif(not NATIVE, reason="the cmd.exe of Wine 8 goes on after a step that failed, whatever && says")
def test_cmd_stops_at_the_first_failure(recorder: Recorder) -> None:
    """What stands after a step that fails is not run."""
    steps = [Command(("uv", word)) for word in ("first", "second one", "third")]
    recorder.run(sequence(steps, Shell.CMD), FAILS_WITH="second one")
    assert [words[1:] for words, _ in recorder.seen()] == [("first",), ("second one",)]


def test_an_embeddable_python_learns_of_its_packages(windows_bench: WindowsBench, tmp_path: Path) -> None:
    """The line that lets it read site, run for real in cmd.exe: the pip that was put there runs afterwards, and a second run changes nothing."""
    folder = tmp_path / "ComfyUI & Co" / "python_embeded"
    embedded = windows_bench.new_patient(folder, "embedded")
    site = folder / "Lib" / "site-packages"
    site.mkdir(parents=True)
    shutil.copytree(windows_bench.patient.parent / "Lib" / "site-packages" / "pip", site / "pip")
    machine = windows_bench.machine
    asks = [embedded.python, "-m", "pip", "--version"]
    assert machine.win(asks).returncode != 0
    line = sequence(pip_for_embedded(machine.spelled(embedded.python))[:1], Shell.CMD)[0]
    for _ in range(2):
        code = f"import subprocess; raise SystemExit(subprocess.call('cmd.exe /d /s /c \"' + {line!r} + '\"'))"
        assert machine.win([windows_bench.patient, "-c", code]).returncode == 0
        assert machine.win(asks).stdout.startswith(b"pip ")
