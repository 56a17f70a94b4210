"""The recipes of examples/fleet/: their form, the options that they use, and what their scripts make of each outcome of a check."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.support.cli import ROOT
from tests.support.fleets import CREATED, template
from xpu_doctor.cli.check import check

RECIPES = ROOT / "examples" / "fleet"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the recipes are for POSIX systems")
SCRIPTS = sorted(RECIPES.rglob("*.sh"))
TEXTS = sorted(path for path in RECIPES.rglob("*") if path.is_file() and path.suffix != ".pyc")
DOCTOR = f"env PYTHONPATH={ROOT} {sys.executable} -m xpu_doctor"
CHECK = re.compile(r"\bcheck\b(?P<options>(?:[^\n#]|\\\n)*)")


def program(folder: Path, name: str, text: str) -> str:
    """Write an executable script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def a_report(confidence: str = "", node: str = "compute") -> str:
    """Return the report of a node that is well, or of one with an error that is so sure."""
    document = json.loads(template("cpu-wheel" if confidence else "").filled(node, CREATED, random.Random(0)))
    for cause in document["root_causes"]:
        cause["confidence"] = confidence
    assert bool(document["root_causes"]) == bool(confidence)
    return json.dumps(document) + "\n"


def run(arguments: list[str], **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, env={**os.environ, **variables}, check=False)


# ------------------------------------------------------------------------------------------------ form


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_script_is_executable_and_has_no_fault(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    checker = shutil.which("shellcheck")
    ended = run([checker, str(path)] if checker else ["sh", "-n", str(path)])
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "path", [path for path in TEXTS if path.suffix in (".yml", ".yaml")], ids=lambda path: path.name
)
def test_yaml_can_be_read(path: Path) -> None:
    assert all(YAML(typ="safe").load_all(path.read_text(encoding="utf-8")))


def options_of_check() -> set[str]:
    return {option for param in check.params for option in (*param.opts, *param.secondary_opts)}


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_option_of_a_check_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    used = {
        option
        for line in CHECK.finditer(text)
        if "xpu" in text[max(0, line.start() - 60) : line.start()]
        or "doctor" in text[max(0, line.start() - 60) : line.start()]
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", line["options"])
    }
    assert used - options_of_check() - {"--kill-on-bad-exit", "--expect-nodes"} == set()


def test_the_readme_names_every_recipe() -> None:
    said = (RECIPES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in RECIPES.iterdir() if path.is_dir() and f"`{path.name}/" not in said] == []


# ------------------------------------------------------------------------------------------------ Slurm

SAID = "echo 'waiting for the stage x (at most 30 s)' >&2; echo 'Root cause: the \"xe\" driver is not bound [kernel-driver-unbound]' >&2; echo 'wrote x.json' >&2; exit"
DRAINED = "State=IDLE+DRAIN Reason=xpu-doctor: Root cause: x [y]"
BY_PROLOG = "State=IDLE+DRAIN Reason=xpu-doctor prolog: Root cause: x [y]"
ELSE = "State=IDLE+DRAIN Reason=bad PSU, ticket 4711 [root@2026-11-27T12:00:00]"


def a_doctor(folder: Path, code: int, *, sure: bool = True) -> str:
    """Return a program whose check ends with a code; its fleet finds an error where the finding is more than possible."""
    return program(folder, "doctor", f"[ $1 != fleet ] || exit {int(sure)}\n{SAID} {code}")


def a_scontrol(folder: Path, state: str, code: int = 0) -> tuple[str, Path]:
    """Return a program that shows a node in a state, and the log of what it was told to update."""
    log = folder / "log"
    text = f'case $1 in update) echo "$@" >> {log} ;; *) echo "NodeName=n1 OS=Linux {state} NextState=DRAINED"; exit {code} ;; esac'
    return program(folder, "scontrol", text), log


@pytest.mark.parametrize(
    ("code", "state", "updated"),
    [
        (
            1,
            "State=IDLE",
            "State=DRAIN Reason=xpu-doctor: Root cause: the xe driver is not bound [kernel-driver-unbound]",
        ),
        (1, DRAINED, ""),
        (1, BY_PROLOG, ""),
        (1, ELSE, ""),
        (0, "State=IDLE", ""),
        (0, DRAINED, "State=RESUME"),
        (0, BY_PROLOG, ""),
        (0, ELSE, ""),
        (3, "State=IDLE", ""),
        (3, DRAINED, ""),
        (4, "State=IDLE", ""),
    ],
)
def test_a_health_check_drains_and_takes_back_only_what_is_its_own(
    tmp_path: Path, code: int, state: str, updated: str
) -> None:
    scontrol, log = a_scontrol(tmp_path, state)
    ended = run(
        [str(RECIPES / "slurm" / "health-check.sh")],
        XPU_DOCTOR=a_doctor(tmp_path, code), SCONTROL=scontrol, SLURMD_NODENAME="n1", XPU_DOCTOR_REPORT="x",
    )  # fmt: skip
    assert ended.returncode == 0 and ended.stderr == ""
    assert (log.read_text().strip() if log.exists() else "") == (f"update NodeName=n1 {updated}" if updated else "")


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 1), (2, 0), (3, 0), (4, 0)])
def test_a_prolog_stops_a_job_only_for_what_was_found(tmp_path: Path, code: int, ended: int) -> None:
    scontrol, log = a_scontrol(tmp_path, "State=IDLE")
    doctor = a_doctor(tmp_path, code)
    ran = run([str(RECIPES / "slurm" / "prolog.sh")], XPU_DOCTOR=doctor, SCONTROL=scontrol, SLURMD_NODENAME="n1")
    assert ran.returncode == ended and log.exists() == (code == 1)
    assert code != 1 or "State=DRAIN Reason=xpu-doctor prolog: Root cause: the xe driver" in log.read_text()


@pytest.mark.parametrize(("state", "code"), [(DRAINED, 0), (BY_PROLOG, 0), (ELSE, 0), ("", 1)])
def test_a_prolog_replaces_no_reason(tmp_path: Path, state: str, code: int) -> None:
    scontrol, log = a_scontrol(tmp_path, state, code)
    doctor = a_doctor(tmp_path, 1)
    ran = run([str(RECIPES / "slurm" / "prolog.sh")], XPU_DOCTOR=doctor, SCONTROL=scontrol, SLURMD_NODENAME="n1")
    assert ran.returncode == 1 and not log.exists()


@pytest.mark.parametrize(
    ("recipe", "ended"), [("slurm/health-check.sh", 0), ("slurm/prolog.sh", 0), ("kubernetes/node-problem.sh", 2)]
)
@pytest.mark.parametrize("confidence", ["possible", "likely"])
def test_what_is_only_possible_drains_no_node(tmp_path: Path, recipe: str, ended: int, confidence: str) -> None:
    """The recipes ask `fleet`, the real one here."""
    told = tmp_path / "told.json"
    told.write_text(a_report(confidence), encoding="utf-8")
    text = f'if [ $1 = fleet ]; then exec {DOCTOR} "$@"; fi\nfor word; do :; done; cp {told} "$word"; {SAID} 1'
    scontrol, log = a_scontrol(tmp_path, "State=IDLE")
    ran = run(
        [str(RECIPES / recipe)],
        XPU_DOCTOR=program(tmp_path, "doctor", text), SCONTROL=scontrol, SLURMD_NODENAME="n1", XPU_DOCTOR_REPORT=f"{tmp_path}/x.json",
    )  # fmt: skip
    if confidence == "possible":
        assert ran.returncode == ended and not log.exists()
    else:
        assert ran.returncode == (0 if "health" in recipe else 1) and log.exists() == ("slurm" in recipe)


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (143, 2)])
def test_a_node_has_a_problem_only_where_one_was_found(tmp_path: Path, code: int, ended: int) -> None:
    ran = run(["sh", str(RECIPES / "kubernetes" / "node-problem.sh")], XPU_DOCTOR=a_doctor(tmp_path, code))
    assert ran.returncode == ended and ran.stdout.startswith("Root cause: ") and len(ran.stdout.encode()) <= 81


# ------------------------------------------------------------------------------------------------ Nagios


def report(
    *causes: tuple[str, str], exit_code: int = 0, reason: str = "", expectations: tuple[str, ...] = ()
) -> dict[str, Any]:
    return {
        "exit_code": exit_code,
        "reason": reason,
        "root_causes": [
            {"severity": severity, "confidence": confidence, "summary": "a | b\nc", "code": "some-code"} for severity, confidence in causes
        ],
        "expectations": [{"expect": "devices>=1", "state": state, "reason": "none"} for state in expectations],
        "speeds": [{"device": "xpu:0", "dtype": "float32", "tflops": 12.3456}, {"device": "xpu:1", "dtype": "float32", "tflops": None}],
        "timings": {"import": 1.5},
    }  # fmt: skip


def judged() -> Iterator[tuple[str, int, str]]:
    yield json.dumps(report()), 0, "XPU OK - nothing found | 'xpu:0 float32'=12.346 longest_stage=1.50s"
    yield json.dumps(report(("error", "certain"), exit_code=1)), 2, "XPU CRITICAL - a / b c [some-code] | "
    yield json.dumps(report(("warning", "certain"))), 1, "XPU WARNING - a / b c [some-code] | "
    yield json.dumps(report(("info", "certain"))), 0, "XPU OK - "
    yield json.dumps(report(("error", "possible"), exit_code=3, reason="not decided")), 1, "XPU WARNING - "
    yield json.dumps(report(exit_code=3, reason="not decided")), 3, "XPU UNKNOWN - not decided | "
    yield json.dumps(report(exit_code=1, expectations=("unmet",))), 2, "XPU CRITICAL - devices>=1: none | "
    yield json.dumps(report(exit_code=3, expectations=("unknown",))), 3, "XPU UNKNOWN - "
    yield "", 3, "XPU UNKNOWN - Error: wrong"


@pytest.mark.parametrize(("document", "state", "line"), list(judged()))
def test_a_report_is_one_line_and_a_state_of_nagios(tmp_path: Path, document: str, state: int, line: str) -> None:
    (tmp_path / "document").write_text(document)
    doctor = program(tmp_path, "doctor", f"echo 'Error: wrong' >&2; cat {tmp_path}/document")
    ran = run([sys.executable, str(RECIPES / "nagios" / "check_xpu"), "--doctor", doctor])
    assert ran.returncode == state and ran.stdout.startswith(line) and ran.stdout.count("\n") == 1 and ran.stderr == ""


# ------------------------------------------------------------------------------------------------ through ssh


def test_lines_of_many_nodes_become_one_file_each(tmp_path: Path) -> None:
    text = json.dumps({"node": "n1", "text": "a: b"}, indent=1)
    lines = [f"n{number}: {line}" for line in text.splitlines() for number in (1, 2)]
    lines += ["n3: ssh: connect to host n3 port 22: Connection refused", "../evil: {}", "no colon at all"]
    ran = subprocess.run(
        [sys.executable, str(RECIPES / "ssh" / "split-reports.py"), str(tmp_path)],
        input="\n".join(lines) + "\n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert sorted(os.listdir(tmp_path)) == ["n1.json", "n2.json"]
    assert json.loads((tmp_path / "n1.json").read_text()) == json.loads(text)
    assert json.loads((tmp_path / "n2.json").read_text()) == {**json.loads(text), "node": "n2"}
    assert ran.stderr.startswith("n3: no report: ssh: connect")


# ------------------------------------------------------------------------------------------------ a run after another


def reports_of(said: str) -> Path:
    """Return the folder that a recipe names."""
    found = re.search(r"^The reports of this run: (.+)$", said, re.MULTILINE)
    assert found, said
    return Path(found[1])


@pytest.mark.parametrize("shell", ["clush", "pdsh"])
def test_a_node_that_is_down_in_a_second_run_is_missing(tmp_path: Path, shell: str) -> None:
    """The nodes are called otherwise by ssh than by themselves: all of them say that they are `compute`."""
    (tmp_path / "told.json").write_text(a_report())
    program(tmp_path, "nodeset", "printf 'n1\\nn2\\n'")
    lines = f'for n in n1 n2; do [ -e {tmp_path}/$n-is-down ] || sed "s/^/$n: /" {tmp_path}/told.json; done'
    program(tmp_path, "clush", lines)
    program(tmp_path, "pdsh", f"case $* in *'echo %h') printf 'n1: n1\\nn2: n2\\n' ;; *) {lines} ;; esac")
    earlier = tmp_path / "reports" / "n2.json"
    earlier.parent.mkdir()
    earlier.write_text((tmp_path / "told.json").read_text())
    for down in (False, True):
        if down:
            (tmp_path / "n2-is-down").touch()
        ran = run(
            [str(RECIPES / "ssh" / "check-nodes.sh"), "n[1-2]", str(tmp_path / "reports"), "/opt/train"],
            PATH=f"{tmp_path}{os.pathsep}{os.environ['PATH']}", PARALLEL_SHELL=shell, OWN_XPU_DOCTOR=program(tmp_path, "own", f'exec {DOCTOR} "$@"'),
        )  # fmt: skip
        written = sorted(path.name for path in reports_of(ran.stderr).glob("*.json"))
        assert written == (["n1.json"] if down else ["n1.json", "n2.json"])
        assert ("Missing, expected and without a report: 1\n  n2\n" in ran.stdout) == down, ran.stdout
    assert earlier.exists() and len(list((tmp_path / "reports").glob("*/n1.json"))) == 2


MPI = [
    (["-n", "2", "--hostfile", "{hosts}"], {}, True),
    (["-n", "2", "-f", "{hosts}"], {}, True),
    (["-n", "2", "-hosts", "n1:1,n2:1"], {}, True),
    (["-n", "2"], {"PBS_NODEFILE": "{hosts}"}, True),
    (["-n", "2"], {"EXPECT_NODES": "n1,n2"}, True),
    (["-n", "2", "-f", "{hosts}"], {"EXPECT_NODES": ""}, False),
    (["-n", "2"], {}, False),
]


@pytest.mark.parametrize(("options", "variables", "expects"), MPI)
@pytest.mark.parametrize("launched", [0, 255])
def test_mpi_names_a_node_without_a_report(
    tmp_path: Path, options: list[str], variables: dict[str, str], expects: bool, launched: int
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("n1\nn2\n" if "PBS_NODEFILE" in variables else "# two nodes\n  n1 slots=2\nn2:2\n\n")
    told = tmp_path / "told.json"
    told.write_text(a_report(node="n1"), encoding="utf-8")
    doctor = f'[ $1 != fleet ] || exec {DOCTOR} "$@"\nfor word; do :; done; cp {told} "${{word%/*}}/n1.json"; exit 1'
    launcher = f'while [ $1 != sh ]; do shift; done; "$@" || exit 9; exit {launched}'
    clean = dict.fromkeys(("SLURM_JOB_NODELIST", "PBS_NODEFILE"), "")
    ran = run(
        [str(RECIPES / "mpi" / "check-nodes.sh"), str(tmp_path / "reports"), "/opt/train", *(word.format(hosts=hosts) for word in options)],
        MPIEXEC=program(tmp_path, "mpiexec", launcher), XPU_DOCTOR=program(tmp_path, "doctor", doctor),
        **clean | {name: value.format(hosts=hosts) for name, value in variables.items()},
    )  # fmt: skip
    assert [path.name for path in reports_of(ran.stderr).glob("*.json")] == ["n1.json"]
    assert ("Missing, expected and without a report: 1\n  n2\n" in ran.stdout) == expects, ran.stdout + ran.stderr
    assert ran.returncode == (3 if expects or launched else 0)
    assert ("mpiexec: exit code 255" in ran.stderr) == bool(launched)


def test_an_ansible_role_and_ray_make_a_folder_for_each_run() -> None:
    role = (RECIPES / "ansible" / "roles" / "xpu_doctor" / "tasks" / "main.yml").read_text(encoding="utf-8")
    assert 'dest: "{{ xpu_doctor_run }}/' in role and "now(utc=true)" in role
    assert "xpu_doctor_run" in (RECIPES / "ansible" / "check.yml").read_text(encoding="utf-8")
    ray = (RECIPES / "ray" / "check_nodes.py").read_text(encoding="utf-8")
    assert "os.makedirs(reports)" in ray and '"fleet", reports' in ray


# ------------------------------------------------------------------------------------------------ what is examined


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_check_names_its_python_or_looks_below_it(path: Path) -> None:
    """Else it would examine the environment of the doctor itself."""
    if path.suffix in (".md", ".json", ".py") or path.name == "check_xpu":
        return
    text = re.sub(r"(?m)^\s*#.*$", "", path.read_text(encoding="utf-8")).replace("\\\n", " ")
    for line in re.findall(r"(?m)(?:xpu-doctor|\$doctor\"?|check_xpu) (?:check -|--seconds).*$", text):
        assert "--python" in line or "--only device,kernel,access" in line, line
