"""The one file in an environment that holds nothing: no pip, no installed packages, no network, no home folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.agent.interpreters import INTERPRETERS
from tests.support.environments import StubEnvironment, make_environment
from tests.support.one_file import BARE, at_home, run_file
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.version import __version__
from xpu_doctor.tables import parse_toml

SERVED = sorted(
    ((path, version) for path, version in INTERPRETERS if (3, 10) <= version[:2] <= (3, 14)), key=lambda item: item[1]
)
REFUSED = [(path, version) for path, version in INTERPRETERS if version[:2] < (3, 10)]
PASTED = "AssertionError: Torch not compiled with XPU enabled\n"
LINUX_ONLY = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bubblewrap is Linux's")


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> StubEnvironment:
    """An environment with a CPU build of torch."""
    made = make_environment(tmp_path_factory.mktemp("patient") / "my env")
    made.add_torch("2.14.0+cpu", libraries=("libtorch_cpu.so",))
    return made


def sandbox(python: str, file: Path, *patients: Path) -> list[str]:
    """A command that starts programs where there is nothing but a Python without installed packages, and the file."""
    prefix = Path(os.path.realpath(python)).parents[1]
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--clearenv", "--dev", "/dev", "--proc", "/proc"]
    command += ["--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib"]
    command += ["--symlink", "usr/lib64", "/lib64", "--ro-bind", "/etc", "/etc", "--tmpfs", "/tmp"]
    command += ["--ro-bind", str(prefix), str(prefix)] if not str(prefix).startswith("/usr") else []
    for folder in patients:
        command += ["--ro-bind", str(folder), str(folder)]
    for folder in (*prefix.glob("lib/python3*/site-packages"), *Path("/usr/lib/python3").glob("dist-packages")):
        command += ["--tmpfs", str(folder)]
    for name, value in {**BARE, "HOME": "/tmp/home"}.items():
        command += ["--setenv", name, value]
    return [*command, "--ro-bind", str(file), "/tmp/carried/xpu-doctor.pyz", "--chdir", "/tmp"]


@LINUX_ONLY
@pytest.mark.parametrize(("python", "version"), SERVED, ids=lambda value: str(value))
def test_every_command_in_an_empty_environment(
    one_file: Path, patient: StubEnvironment, python: str, version: tuple[int, ...]
) -> None:
    """check, triage, explain, facts, fix, codes: one after the other in one sandbox, each in the words of its kind."""
    if shutil.which("bwrap") is None:
        pytest.skip("bubblewrap is not here")
    examined = str(patient.python)
    calls = [
        ["--version"],
        ["check", "--python", examined, "--skip", "import", "--json"],
        ["triage", "-"],
        ["explain", "torch-cpu-wheel"],
        ["facts", "torch", "2.14", "--json"],
        ["fix", "--python", examined, "--json"],
        ["codes"],
    ]
    if version not in (SERVED[0][1], SERVED[-1][1]):
        del calls[3:]  # the oldest and the newest run them all
    code = (
        "import json, subprocess, sys\n"
        "try:\n    import pip\nexcept ImportError:\n    pip = None\n"
        "assert pip is None, pip\n"
        "for call in json.loads(sys.argv[1]):\n"
        "    run = subprocess.run([sys.executable, '-I', '-S', '/tmp/carried/xpu-doctor.pyz', *call], input=sys.argv[2].encode(), capture_output=True)\n"
        "    print(json.dumps([run.returncode, run.stdout.decode(), run.stderr.decode()]))\n"
    )
    own = [Path(os.path.realpath(patient.python)).parents[1]]
    bound = [folder for folder in own if not str(folder).startswith("/usr")] + [patient.folder.parent]
    command = [*sandbox(python, one_file, *bound), python, "-c", code, json.dumps(calls), PASTED]
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr
    ended = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(ended) == len(calls)
    assert not [said for _, _, said in ended if "Traceback" in said or "Error" in said]
    told, checked, triaged, *others = ended
    assert told == [0, f"xpu-doctor, version {__version__}\n", ""]
    document = json.loads(checked[1])
    assert checked[0] == ExitCode.FINDINGS and "torch-cpu-wheel" in checked[1]
    assert not document["crashed"] and not [c for c in document["root_causes"] if c["layer"] == "doctor"], document
    assert triaged[0] == ExitCode.FINDINGS and "torch-cpu-wheel" in triaged[1]
    if others:
        explained, facts, fixed, codes = others
        assert explained[0] == 0 and "What it means" in explained[1]
        assert facts[0] == 0 and json.loads(facts[1])["entries"]
        assert json.loads(fixed[1])["schema"] == 1
        assert codes[0] == 0 and "torch-cpu-wheel" in codes[1]


@pytest.mark.parametrize(("python", "version"), REFUSED, ids=lambda value: str(value))
def test_an_interpreter_that_it_does_not_serve_is_refused_in_words(
    one_file: Path, tmp_path: Path, python: str, version: tuple[int, ...]
) -> None:
    """Python 2.7 and 3.6 included: the start must parse there."""
    run = subprocess.run([python, str(one_file), "check"], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr and "SyntaxError" not in run.stderr
    assert f"this is Python {version[0]}.{version[1]}" in run.stderr and f"check --python {python}" in run.stderr


def test_its_hints_can_be_typed(one_file: Path, patient: StubEnvironment, tmp_path: Path) -> None:
    """The line that a report prints, run as it stands, from a path with blanks and letters of other languages."""
    if os.name == "nt":
        pytest.skip("the line is for sh")
    file = tmp_path / "für Élise 東京" / "doctor's.pyz"
    file.parent.mkdir()
    shutil.copy(one_file, file)
    asked = ("check", "--python", str(patient.python), "--skip", "import", "-v")
    whole, redacted = (run_file(file, tmp_path, *asked, *more, COLUMNS="400").stdout for more in (["--no-redact"], []))
    lines = [line.strip().removeprefix("More: ") for text in (whole, redacted) for line in text.splitlines()]
    starts = (sys.executable, os.path.basename(sys.executable))  # a long explain is folded, and no line to type
    lines = sorted({line for line in lines if "doctor's.pyz" in line and line.startswith(starts)})
    assert {word for line in lines for word in line.split()} >= {"explain", "check"}, whole
    for line in lines:
        given = {**BARE, "HOME": str(tmp_path), "PATH": f"{os.path.dirname(sys.executable)}:{BARE['PATH']}"}
        again = subprocess.run(
            ["sh", "-c", line], env=given, cwd=file.parent, capture_output=True, text=True, check=False
        )
        assert again.returncode in (0, 1) and again.stderr == "", (line, again.stderr)
        assert "[gpu-not-present]" in again.stdout or "What it means" in again.stdout


def test_what_it_examines_unasked(one_file: Path, tmp_path: Path) -> None:
    """The Python that runs it; nothing is installed, and nothing says so."""
    run = run_file(one_file, tmp_path, "check", "--skip", "import", "--json")
    assert json.loads(run.stdout)["target"]["why"] == "the Python that runs xpu-doctor"


def test_strangers_on_the_search_path_run_at_no_time(one_file: Path, tmp_path: Path) -> None:
    """Neither while it is unpacked nor afterwards: modules on PYTHONPATH that are called like those of the standard library."""
    strange = tmp_path / "strange"
    strange.mkdir()
    for name in ("zipfile", "tempfile", "compileall", "click", "typing", "unpack_one_file"):
        (strange / f"{name}.py").write_text("raise SystemExit('a stranger ran')\n")
    given = at_home(tmp_path, PYTHONPATH=str(strange))
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, str(one_file), "--version"],
            env=given,
            cwd=strange,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (run.returncode, run.stderr) == (0, ""), run.stderr


def test_plugins_of_the_interpreter_are_found(one_file: Path, tmp_path: Path) -> None:
    """One that is installed where the file is run works as with an installed doctor."""
    env = make_environment(tmp_path / "with plugin")
    example = Path(__file__).parents[2] / "examples" / "xpu-doctor-battery"
    shutil.copytree(example / "src", env.site, dirs_exist_ok=True)
    info = env.site / "xpu_doctor_battery-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: xpu-doctor-battery\nVersion: 1.0\n")
    points = parse_toml((example / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]
    text = ""
    for group, entries in points.items():
        text += f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "entry_points.txt").write_text(text)
    run = subprocess.run(
        [str(env.python), str(one_file), "probes"],
        env=at_home(tmp_path),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0 and "power-supply" in run.stdout, run.stderr
