"""Interpreters that die or hang before any stage: one finding with the reason, in one deadline, and no layer is blamed for it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.cli import Ran, codes, doctor, rung
from tests.support.environments import StubEnvironment
from xpu_doctor.catalogue.plugins import Plugins
from xpu_doctor.diagnosis.diagnose import diagnose
from xpu_doctor.examination.run import finish, start
from xpu_doctor.examination.session import Session
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.selection import CHECKED, Selection
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules import RULES
from xpu_doctor.target.find import Choice
from xpu_doctor.target.stages import BY_NAME

pytestmark = pytest.mark.skipif(os.name == "nt", reason="scripts with a #! line")
B580 = Path(__file__).parents[2] / "fixtures" / "hosts" / "arc-b580-ubuntu-24.04.toml"
INNOCENT = {
    "torch-import-failed",
    "torch-import-crashed",
    "torch-import-hung",
    "gpu-driver-bug",
    "torch-not-installed",
    "xpu-unavailable",
}


def examined(python: str) -> Ran:
    return doctor("check", "--python", python, "--json", "--timeout", "3")


def is_one_finding(ran: Ran, *says: str) -> None:
    assert ran.stdout, ran.stderr
    document = ran.json()
    found = [item for item in document["root_causes"] if item["code"] == "python-unsupported"]
    assert len(found) == 1 and document["root_causes"][0]["code"] == "python-unsupported"
    assert all(word in found[0]["summary"] for word in says), found[0]["summary"]
    assert not INNOCENT & set(codes(document))
    assert rung(document, "driver")["state"] != "fault" and rung(document, "import")["state"] != "fault"
    assert {stage["name"] for stage in document["snapshot"]["run"]["stages"]} <= {
        "start",
        "interpreter",
        "distributions",
        "build",
        "shadows",
    }


def program(folder: Path, text: str) -> str:
    path = folder / "python3"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import os; os.abort()", "SIGABRT"),
        ("raise SystemExit('not today')", "not today"),
    ],
)
def test_sitecustomize_ends_it(stub: StubEnvironment, code: str, says: str) -> None:
    stub.add_torch()
    (stub.site / "sitecustomize.py").write_text(code, encoding="utf-8")
    is_one_finding(examined(str(stub.python)), says)


def test_a_sitecustomize_of_pythonpath_ends_it(stub: StubEnvironment, tmp_path: Path) -> None:
    """Without its environment it starts: what is installed is told all the same."""
    stub.add_torch()
    (tmp_path / "early").mkdir()
    (tmp_path / "early" / "sitecustomize.py").write_text("import os; os._exit(3)", encoding="utf-8")
    ran = examined(program(tmp_path, f'#!/bin/sh\nPYTHONPATH={tmp_path}/early exec {stub.python} "$@"\n'))
    is_one_finding(ran, "exit code 3", "Without its environment (-I) it starts")
    assert ran.json()["snapshot"]["torch"]["build"] == "xpu"


def test_a_bad_pythonhome(stub: StubEnvironment, tmp_path: Path) -> None:
    """PYTHONHOME reaches the patient alone: a wrapper in a folder of its own sets it."""
    stub.add_torch()
    folder = tmp_path / "wrapper"
    folder.mkdir()
    wrapper = program(folder, f'#!/bin/sh\nPYTHONHOME=/nowhere exec {stub.python} "$@"\n')
    is_one_finding(examined(wrapper), "encodings")


def test_a_pth_that_ends_it(stub: StubEnvironment) -> None:
    stub.add_torch()
    (stub.site / "first.pth").write_text("import os; os._exit(9)\n", encoding="utf-8")
    is_one_finding(examined(str(stub.python)), "exit code 9")


def test_one_that_never_answers_costs_one_deadline(tmp_path: Path) -> None:
    """It is started once for the files and, at the same time, once for the import; neither is tried again, and one stage is recorded."""
    noted = tmp_path / "starts"
    ran = examined(program(tmp_path, f"#!/bin/sh\necho start >> '{noted}'\nexec sleep 600\n"))
    is_one_finding(ran, "no answer in 3 s")
    assert [stage["name"] for stage in ran.json()["snapshot"]["run"]["stages"]] == ["interpreter"]
    assert noted.read_text(encoding="utf-8").count("start") <= 2


@pytest.mark.parametrize(
    ("does", "starts", "says"), [("exec sleep 600", 3, "no answer in 6 s"), ("exit 9", 4, "exit code 9")]
)
def test_beside_a_gpu_it_costs_one_deadline_too(tmp_path: Path, does: str, starts: int, says: str) -> None:
    """Level Zero would be asked in a third process here; all of them wait at the same time, and none is blamed on the driver."""
    noted = tmp_path / "starts"
    python = program(tmp_path, f"#!/bin/sh\necho start >> '{noted}'\n{does}\n")
    deadlines = dict.fromkeys((*BY_NAME, "probes"), 6.0)
    host = RecordedHost.load(B580)
    session = Session(Choice(python, "a test"), Selection(frozenset(CHECKED)), dict(os.environ), deadlines, host=host)
    began = time.monotonic()
    with start(session) as running:
        snapshot = finish(running, Plugins()).snapshot
    took = time.monotonic() - began
    assert took < 12, "a second deadline was waited for"
    assert noted.read_text(encoding="utf-8").count("start") <= starts
    assert isinstance(snapshot.run.stages, tuple) and [stage.name for stage in snapshot.run.stages] == ["interpreter"]
    roots = diagnose(snapshot, [rule() for rule in RULES]).root_causes
    assert [root.code for root in roots if root.severity is Severity.ERROR] == ["python-unsupported"]
    assert says in roots[0].summary
    assert isinstance(snapshot.level_zero.init_code, Unknown) and isinstance(snapshot.imported.succeeded, Unknown)
