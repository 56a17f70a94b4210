"""`fix` on real environments and projects: planned, done, verified, undone, and nothing outside of them changed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.install.kinds import UV
from tests.support.fake_index import serve

sys.path.append(str(Path(__file__).parents[2] / "tools"))
import try_fixes
from try_fixes import CASES, WORKING, Case, Patient, Row
from try_remedies import Templates

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("bwrap") is None, reason="bubblewrap is needed"),
    pytest.mark.skipif(not Path(UV).exists(), reason="uv is not installed beside this Python"),
]


@pytest.fixture(autouse=True, scope="module")
def _room() -> None:
    """Skip where no box can be made."""
    box = ["bwrap", "--ro-bind", "/", "/", "--tmpfs", "/sys/bus/pci/devices", "true"]
    if subprocess.run(box, capture_output=True, check=False).returncode:
        pytest.skip("bwrap may not make namespaces here")


@contextlib.contextmanager
def patient(case: Case, work: Path, tools: Path) -> Iterator[tuple[Patient, str]]:
    """An environment in its box, and the index to install from."""
    tools.mkdir(exist_ok=True)
    with serve(work / "index", WORKING) as urls:
        yield Patient(case, work / "trial", Templates(work, urls, tools)), urls["xpu"]


def test_the_index_of_a_uv_project_is_explicit_then(tmp_path: Path) -> None:
    """The difference is shown before anything changes; later edits are named; undo brings the files back."""
    with patient(Case("uv project", "CPU wheel"), tmp_path, tmp_path / "tools") as (here, index):
        project = here.room.at("project")
        before = here.files()
        forbidden = here.doctor("--apply", "--yes", index=index)
        assert "--edit-project allows that" in " ".join(forbidden.stdout.split())
        planned = here.doctor("--edit-project", index=index)
        assert '+torch = { index = "pytorch-xpu" }' in planned.stdout and "+explicit = true" in planned.stdout
        assert "+++ b/uv.lock" in planned.stdout and here.files() == before
        as_data = json.loads(here.doctor("--edit-project", "--json", index=index).stdout)["project_changes"]
        assert as_data["reason"] == "" and as_data["difference"].strip() in planned.stdout
        written = json.loads(here.doctor("--apply", "--yes", "--edit-project", "--json", index=index).stdout)
        assert written["project_changes"]["difference"].count("+explicit = true") == 1
        text = (project / "pyproject.toml").read_text()
        assert 'name = "pytorch-xpu"\nexplicit = true\n' in text
        here.room.run(UV, "lock", "--check", "--project", str(project))
        (project / "pyproject.toml").write_text(f"{text}# mine\n")
        refused = here.doctor("--undo")
        assert refused.returncode == 2 and "pyproject.toml" in refused.stderr
        assert here.doctor("--undo", "--yes").returncode == 0 and here.files() == before


def faults(rows: list[Row]) -> list[str]:
    """What went wrong, one line for each."""
    return [f"{row.case}: {row.fault}" for row in rows if row.fault]


@pytest.mark.heavy
def test_all(tmp_path: Path) -> None:
    """Every case, and a doctor that is killed at twenty moments."""
    rows = try_fixes.run(list(CASES), kills=20, tools=os.environ.get("XPU_DOCTOR_TEST_MANAGERS", str(tmp_path)))
    assert not faults(rows), try_fixes.table(rows)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["poetry", "pdm", "pipenv"])
def test_projects(tmp_path: Path, kind: str) -> None:
    """Poetry's and pdm's changes are shown before, pipenv's after."""
    tools = Path(os.environ.get("XPU_DOCTOR_TEST_MANAGERS", str(tmp_path / "tools")))
    with patient(Case(kind, "CPU wheel"), tmp_path, tools) as (here, index):
        before = here.files()
        planned = here.doctor("--edit-project", index=index)
        assert here.files() == before
        assert ("+++ b/pyproject.toml" in planned.stdout) is (kind != "pipenv"), planned.stderr
        applied = here.doctor("--apply", "--yes", "--edit-project", index=index)
        name = "Pipfile" if kind == "pipenv" else "pyproject.toml"
        assert f"+++ b/{name}" in applied.stdout and "+++ b/" in applied.stdout.partition(name)[2]
        assert here.room.version(here.python) == "2.14.0+xpu"
        assert here.doctor("--undo").returncode == 0 and here.files() == before


def test_some(tmp_path: Path) -> None:
    """The control is a plan that changes something, which is a fault."""
    chosen = [case for case in CASES if case.name in ("venv, pip / CPU wheel", "uv venv / CPU wheel / index down")]
    rows = try_fixes.run(chosen, tools=str(tmp_path))
    assert not faults(rows), try_fixes.table(rows)
    assert [row.applied for row in rows] == ["done", "failed"]
