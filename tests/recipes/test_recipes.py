"""The recipes of examples/fleet/: their form, the options that they use, and what their scripts make of each outcome of a check."""

from __future__ import annotations

import json
import os
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
from xpu_doctor.cli.check import check

RECIPES = ROOT / "examples" / "fleet"
pytestmark = pytest.mark.skipif(os.name == "nt", reason="the recipes are for POSIX systems")
SCRIPTS = sorted(RECIPES.rglob("*.sh"))
TEXTS = sorted(path for path in RECIPES.rglob("*") if path.is_file() and path.suffix != ".pyc")
CHECK = re.compile(r"\bcheck\b(?P<options>(?:[^\n#]|\\\n)*)")


def program(folder: Path, name: str, text: str) -> str:
    """Write an executable script."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


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


@pytest.mark.parametrize(
    ("code", "state", "updated"),
    [
        (
            1,
            "State=IDLE",
            "State=DRAIN Reason=xpu-doctor: Root cause: the xe driver is not bound [kernel-driver-unbound]",
        ),
        (1, DRAINED, ""),
        (1, "State=IDLE+DRAIN Reason=memory", ""),
        (0, "State=IDLE", ""),
        (0, DRAINED, "State=RESUME"),
        (0, "State=IDLE+DRAIN Reason=memory", ""),
        (3, "State=IDLE", ""),
        (3, DRAINED, ""),
        (4, "State=IDLE", ""),
    ],
)
def test_a_health_check_drains_and_takes_back_only_what_is_its_own(
    tmp_path: Path, code: int, state: str, updated: str
) -> None:
    log = tmp_path / "log"
    scontrol = program(
        tmp_path, "scontrol", f'case $1 in update) echo "$@" >> {log} ;; *) echo "NodeName=n1 {state}" ;; esac'
    )
    ended = run(
        [str(RECIPES / "slurm" / "health-check.sh")],
        XPU_DOCTOR=program(tmp_path, "doctor", f"{SAID} {code}"), SCONTROL=scontrol, SLURMD_NODENAME="n1", XPU_DOCTOR_REPORT="x",
    )  # fmt: skip
    assert ended.returncode == 0 and ended.stderr == ""
    assert (log.read_text().strip() if log.exists() else "") == (f"update NodeName=n1 {updated}" if updated else "")


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 1), (2, 0), (3, 0), (4, 0)])
def test_a_prolog_stops_a_job_only_for_what_was_found(tmp_path: Path, code: int, ended: int) -> None:
    log = tmp_path / "log"
    scontrol = program(tmp_path, "scontrol", f'echo "$@" >> {log}')
    doctor = program(tmp_path, "doctor", f"{SAID} {code}")
    ran = run([str(RECIPES / "slurm" / "prolog.sh")], XPU_DOCTOR=doctor, SCONTROL=scontrol, SLURMD_NODENAME="n1")
    assert ran.returncode == ended and log.exists() == (code == 1)


@pytest.mark.parametrize(("code", "ended"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (143, 2)])
def test_a_node_has_a_problem_only_where_one_was_found(tmp_path: Path, code: int, ended: int) -> None:
    ran = run(
        ["sh", str(RECIPES / "kubernetes" / "node-problem.sh")],
        XPU_DOCTOR=program(tmp_path, "doctor", f"{SAID} {code}"),
    )
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
    assert json.loads((tmp_path / "n2.json").read_text()) == json.loads(text)
    assert ran.stderr.startswith("n3: no report: ssh: connect")
