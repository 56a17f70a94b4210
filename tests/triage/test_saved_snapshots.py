"""What a released xpu-doctor saved stays readable, with every fact that is in it; and the snapshot command writes such a file."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import codes, doctor, environment
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from xpu_doctor.api import triage
from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.snapshot import SNAPSHOT_SCHEMA
from xpu_doctor.pasted.saved_report import saved_report

SNAPSHOTS = Path(__file__).parents[2] / "fixtures" / "snapshots"
SAVED = sorted(SNAPSHOTS.glob("v*/*.json"))
CAUSES = {
    "bus-not-readable": [], "cpu-wheel-beside-arc-b580": ["torch-cpu-wheel"], "healthy-arc-b580": [], "import-segfault": ["torch-import-crashed"],
    "no-gpu": ["gpu-not-present"],
}  # fmt: skip


def name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def test_every_schema_has_its_files() -> None:
    """`tools/save_snapshots.py` makes them when a schema is released; they never change afterwards."""
    for number in range(1, SNAPSHOT_SCHEMA + 1):
        names = {path.name for path in SAVED if path.parent.name == f"v{number}"}
        assert {"every-fact.json", "every-fact-unknown.json", "no-gpu.report.json"} <= names and len(names) >= 12


@pytest.mark.parametrize("path", SAVED, ids=name)
def test_no_fact_is_lost(path: Path) -> None:
    """A field that was renamed, removed or given another type would vanish in silence: raise the schema and convert old files instead."""
    facts = json.loads(path.read_text(encoding="utf-8"))["snapshot"]
    assert missing(facts, encode(decode(facts))) == []


def missing(before: Any, after: Any, place: str = "snapshot") -> list[str]:
    """Places whose values are not the same afterwards; what was added does not matter."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [
            gone
            for key, value in before.items()
            for gone in missing(value, after.get(key, "nothing"), f"{place}.{key}")
        ]
    if isinstance(before, list) and isinstance(after, (list, tuple)) and len(before) == len(after):
        return [
            gone for index, value in enumerate(before) for gone in missing(value, after[index], f"{place}[{index}]")
        ]
    return [] if before == after and type(before) is type(after) else [place]


def test_a_lost_fact_is_seen() -> None:
    before = {"torch": {"version": "1", "renamed": True}, "gpus": [{"name": "a"}]}
    assert missing(before, {"torch": {"version": "1", "new": 2}, "gpus": [{"name": 1}]}) == [
        "snapshot.torch.renamed", "snapshot.gpus[0].name",
    ]  # fmt: skip


@pytest.mark.parametrize("path", SAVED, ids=name)
def test_it_is_judged(path: Path) -> None:
    report = triage(path.read_text(encoding="utf-8"))
    assert report.origin == "saved"
    case = path.name.split(".")[0]
    if case in CAUSES:
        assert [root.code for root in report.root_causes] == CAUSES[case]


def test_a_newer_schema_is_refused_with_the_way_out(tmp_path: Path) -> None:
    saved = json.loads(SAVED[0].read_text(encoding="utf-8"))
    for part in (saved, saved["snapshot"]):
        before = part["schema"]
        part["schema"] = 99
        (tmp_path / "newer.json").write_text(json.dumps(saved), encoding="utf-8")
        ran = doctor("triage", str(tmp_path / "newer.json"))
        assert ran.code == 2 and "99" in ran.stderr and "upgrade xpu-doctor" in ran.stderr
        part["schema"] = before


def test_the_command_saves_what_check_finds(stub: StubEnvironment, tmp_path: Path) -> None:
    """Names are hidden, the causes stay, and the exit code does not judge."""
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    path = tmp_path / "facts of mine.json"
    env = environment(
        USER="zqmueller", HOME="/home/zqmueller", PIP_INDEX_URL="https://zqkim:zqpassw0rd@zqpypi.firma.example/simple"
    )
    ran = doctor("snapshot", "--python", str(stub.python), "--only", "wheel", "-o", str(path), env=env)
    assert (ran.code, ran.stdout) == (0, "")
    assert f"triage '{path}'" in ran.stderr
    text = path.read_text(encoding="utf-8")
    assert not any(word in text for word in ("zqmueller", "zqkim", "zqpassw0rd", "zqpypi"))
    saved = json.loads(text)
    assert saved["kind"] == "snapshot" and saved["redacted"]["credentials"] == 1 and saved_report(text) is not None
    checked = doctor("check", "--python", str(stub.python), "--only", "wheel", "--json", env=env).json()
    assert codes(doctor("triage", str(path), "--json", env=env).json()) == codes(checked) == ["torch-cpu-wheel"]


def test_the_command_prints_where_no_file_is_named(stub: StubEnvironment, tmp_path: Path) -> None:
    ran = doctor("snapshot", "--python", str(stub.python), "--only", "wheel")
    assert ran.code == 0 and json.loads(ran.stdout)["kind"] == "snapshot"
    path = tmp_path / "private.json"
    doctor("snapshot", "--python", str(stub.python), "--only", "wheel", "--no-redact", "-o", str(path))
    assert json.loads(path.read_text(encoding="utf-8"))["redacted"] is None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("-o", "/nowhere/x.json"), "there is no folder"), (("--only", "wheels"), "neither a layer nor a probe"), (("--python", "/nowhere"), "/nowhere"),
        (("--redact", "x"), "too short"), (("--timeout", "0"), "--timeout"),
    ],
)  # fmt: skip
def test_wrong_usage(options: tuple[str, ...], says: str) -> None:
    ran = doctor("snapshot", *options)
    assert ran.code == 2 and says in ran.stderr
