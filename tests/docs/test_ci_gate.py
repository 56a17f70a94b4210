"""The snippets of the CI guide and the action: valid by the schemas of those who read them, and their lines run and end as they should."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.cli import environment
from tests.support.environments import CPU_LIBRARIES, StubEnvironment, make_environment
from tests.support.workflow_commands import commands

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "ci-gate.md"
BLOCK = re.compile(r"^```(yaml|dockerfile)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SOURCE = "https://github.com/xpu-doctor/xpu-doctor/archive/main.zip"
INSTALLS = re.compile(
    r"(?:python3 -m venv \S+ && )?\S*pip install (?:--quiet |--no-cache-dir )?(?:torch --index-url https://download\.pytorch\.org/whl/xpu|"
    + re.escape(SOURCE)
    + ")"
)
"""Lines that only install; they need the network, and are not run."""
pytestmark = pytest.mark.skipif(
    os.name == "nt" or shutil.which("bash") is None, reason="the lines are for a POSIX shell"
)


def read(text: str) -> Any:
    """A YAML document."""
    return YAML(typ="safe").load(text)


@cache
def snippets() -> tuple[tuple[str, str], ...]:
    """Kind and text of every snippet."""
    found = []
    for kind, text in BLOCK.findall(GUIDE.read_text(encoding="utf-8")):
        if kind == "dockerfile":
            found.append(("dockerfile", text))
        else:
            made = read(text)
            found.append(("workflow" if "jobs" in made else "kubernetes" if "apiVersion" in made else "gitlab", text))
    return tuple(found)


def of(kind: str) -> list[str]:
    return [text for found, text in snippets() if found == kind]


def lines(kind: str) -> Iterator[str]:
    """The shell lines of all snippets of a kind."""
    for text in of(kind):
        if kind == "dockerfile":
            yield from re.findall(r"(?m)^RUN (.+)$", text)
        elif kind == "gitlab":
            yield from (line for job in read(text).values() for line in job["script"])
        elif kind == "workflow":
            yield from (step["run"] for job in read(text)["jobs"].values() for step in job["steps"] if "run" in step)


def test_every_kind_is_there() -> None:
    assert [kind for kind, _ in snippets()] == [
        "workflow",
        "workflow",
        "gitlab",
        "dockerfile",
        "kubernetes",
        "kubernetes",
    ]


@pytest.mark.parametrize(
    ("kind", "schema"),
    [("workflow", "vendor.github-workflows"), ("gitlab", "vendor.gitlab-ci"), ("action", "vendor.github-actions")],
)
def test_they_are_valid(kind: str, schema: str, tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    paths = [ROOT / "action.yml"] if kind == "action" else []
    for number, text in enumerate(of(kind)):
        paths.append(tmp_path / f"{number}.yml")
        paths[-1].write_text(text, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)], capture_output=True, text=True, check=False
    )  # fmt: skip
    assert paths and ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("text", of("kubernetes"), ids=lambda text: read(text)["kind"])
def test_kubernetes_takes_them(text: str) -> None:
    validate = pytest.importorskip(
        "kubernetes_validate", reason="kubernetes-validate (100 MB of schemas) is not installed"
    )
    validate.validate(read(text), validate.latest_version(), strict=True)


# ---------------------------------------------------------------------------------------------- the lines run


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job's folder with programs on PATH that stand for installed ones; `.venv` is made by each test."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "bin").mkdir()
    doctor = f'PYTHONPATH="{ROOT}" exec "{sys.executable}" -m xpu_doctor "$@"\n'
    for name, text in (
        ("xpu-doctor", doctor),
        ("pipx", f'[ "$1 $2 $3 $4" = "run --spec {SOURCE} xpu-doctor" ] || exit 99\nshift 4\n{doctor}'),
    ):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
        (folder / "bin" / name).chmod(0o755)
    return folder


def patient(place: Path, build: str) -> StubEnvironment:
    """The job's `.venv`, with a torch for XPU or for the CPU."""
    shutil.rmtree(place / ".venv", ignore_errors=True)
    stub = make_environment(place / ".venv")
    if build == "xpu":
        stub.add_torch()
    else:
        stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    return stub


def run(place: Path, line: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run a line as a job does; absolute paths of an image lead to the job's own folder."""
    line = line.replace("/opt/xpu-doctor/bin/", "").replace("/usr/local/bin/python3", ".venv")
    env = environment(PATH=f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}", **extra)
    return subprocess.run(
        ["bash", "-eo", "pipefail", "-c", line],
        cwd=place,
        env=env,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


@pytest.mark.parametrize(("build", "code"), [("xpu", 0), ("cpu", 1)])
def test_lines_for_a_runner_without_a_gpu(place: Path, build: str, code: int) -> None:
    """The right wheel lets the job pass, the wrong one fails it: of a workflow, of GitLab, and of a Dockerfile."""
    patient(place, build)
    checked = [
        line
        for kind in ("workflow", "gitlab", "dockerfile")
        for line in lines(kind)
        if INSTALLS.fullmatch(line) is None
    ]
    assert len(checked) == 3 and all("--only wheel --expect xpu-wheel" in line for line in checked)
    for line in checked:
        ran = run(place, line)
        assert ran.returncode == code, f"{line}\n{ran.stdout}{ran.stderr}"
        if "--format github" in line:
            assert {each.name for each in commands(ran.stdout)} == {"notice" if code == 0 else "error"}
    assert json.loads((place / "xpu-doctor.json").read_text(encoding="utf-8"))["exit_code"] == code
    assert ("<failure" in (place / "xpu-doctor.xml").read_text(encoding="utf-8")) is bool(code)


def test_commands_in_kubernetes(place: Path) -> None:
    """Without a GPU neither lets the pod go on; the probe is ready where torch counts one."""
    made = [read(text) for text in of("kubernetes")]
    init = made[0]["spec"]["initContainers"][0]["command"]
    probe = made[1]["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]["exec"]["command"]
    patient(place, "cpu")
    for command in (init, probe):
        assert run(place, " ".join(f"'{word}'" for word in command)).returncode == 1
    patient(place, "xpu").add_torch(init=WORKING_TORCH, xpu_module=WORKING_XPU)
    ran = run(place, " ".join(f"'{word}'" for word in probe))
    assert ran.returncode == 0, ran.stdout + ran.stderr


WORKING_TORCH = """
from torch.version import __version__
from torch import version, xpu
class ones(float):
    def __new__(cls, count, device): return float.__new__(cls, count)
    def sum(self): return self
    def cpu(self): return self
"""
WORKING_XPU = """
def _is_compiled(): return True
def is_available(): return True
def device_count(): return 1
def get_device_properties(index): return "a GPU"
"""


# ---------------------------------------------------------------------------------------------- the action


def step(name: str) -> dict[str, Any]:
    return next(
        each
        for each in read((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
        if each["name"].startswith(name)
    )


def checked(
    place: Path, tmp_path: Path, arguments: str, python: str = ".venv"
) -> tuple[subprocess.CompletedProcess[str], str, str]:
    """Run the action's check; return what it printed, its outputs, and the summary of the run."""
    files = {name: tmp_path / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
    for path in files.values():
        path.write_text("", encoding="utf-8")
    (tmp_path / "xpu-doctor" / "bin").mkdir(parents=True, exist_ok=True)
    program = tmp_path / "xpu-doctor" / "bin" / "python"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    ran = run(
        place, step("Check")["run"], RUNNER_TEMP=str(tmp_path), XPU_DOCTOR_PYTHON=python, XPU_DOCTOR_ARGUMENTS=arguments,
        **{name: str(path) for name, path in files.items()},
    )  # fmt: skip
    return ran, *(path.read_text(encoding="utf-8") for path in files.values())


def test_the_action_fails_for_the_wrong_wheel(place: Path, tmp_path: Path) -> None:
    patient(place, "cpu")
    default = read((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]["arguments"]["default"]
    ran, outputs, summary = checked(place, tmp_path, default)
    assert ran.returncode == 1, ran.stderr
    assert outputs.splitlines() == ["exit-code=1", f"reports={tmp_path}/xpu-doctor-reports"]
    assert summary.startswith("### xpu-doctor: a fault was found")
    assert [each.name for each in commands(ran.stdout)] == ["stop-commands", "error", "error"]
    assert commands(ran.stdout)[1].properties == {"title": "xpu-doctor: torch-cpu-wheel"}


def test_the_action_passes_for_the_right_one(place: Path, tmp_path: Path) -> None:
    patient(place, "xpu")
    ran, outputs, summary = checked(place, tmp_path, "--only wheel --expect xpu-wheel")
    assert ran.returncode == 0 and outputs.startswith("exit-code=0") and "healthy" in summary


def test_the_action_obeys_no_text_of_others(place: Path, tmp_path: Path) -> None:
    """What a torch prints stands between stop-commands and its own random token, and in no line of an annotation."""
    patient(place, "xpu").add_torch(init="raise OSError('##[error]evil\\n::set-output name=a::evil')")
    ran, _, _ = checked(place, tmp_path, "--only import")
    assert ran.returncode == 1 and "evil" in ran.stdout
    log = ran.stdout.splitlines()
    token = commands(log[0])[0].data
    assert re.fullmatch("[0-9a-f]{32}", token)
    outside = log[log.index(f"::{token}::") + 1 :]
    assert outside and {each.name for line in outside for each in commands(line)} <= {"error", "warning", "notice"}
    assert all(
        line.startswith(
            ("::error title=xpu-doctor%3A", "::warning title=xpu-doctor%3A", "::notice title=xpu-doctor%3A")
        )
        for line in outside
    )


def test_wrong_arguments_of_the_action(place: Path, tmp_path: Path) -> None:
    """Nothing in them is run by a shell."""
    ran, outputs, summary = checked(place, tmp_path, "--only $(touch${IFS}evil) *")
    assert ran.returncode == 2 and outputs.startswith("exit-code=2") and summary == ""
    assert not (place / "evil").exists()


@pytest.mark.heavy
def test_the_action_installs_itself(tmp_path: Path) -> None:
    """As the runner does it: from the folder of the action into an environment of its own."""
    ran = run(tmp_path, step("Install")["run"], RUNNER_TEMP=str(tmp_path), GITHUB_ACTION_PATH=str(ROOT))
    assert ran.returncode == 0, ran.stderr
    assert (
        subprocess.run(
            [tmp_path / "xpu-doctor" / "bin" / "python", "-m", "xpu_doctor", "--version"], check=False
        ).returncode
        == 0
    )
