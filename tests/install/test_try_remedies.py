"""Remedies typed as printed into broken environments: nothing foreign changes, and torch is there afterwards, or the first step says why not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.install.kinds import UV
from tools import try_remedies

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux" or shutil.which("bwrap") is None, reason="bubblewrap is needed"),
    pytest.mark.skipif(shutil.which("dash") is None, reason="dash is not here"),
    pytest.mark.skipif(not Path(UV).exists(), reason="uv is not installed beside this Python"),
]


@pytest.fixture(autouse=True, scope="module")
def _room() -> None:
    """Skip where no box can be made."""
    box = ["bwrap", "--ro-bind", "/", "/", "--tmpfs", "/sys/bus/pci/devices", "true"]
    if subprocess.run(box, capture_output=True, check=False).returncode:
        pytest.skip("bwrap may not make namespaces here")


def faults(chosen: list[try_remedies.Trial], tools: str = "") -> list[str]:
    """What went wrong, one line for each; at least one environment must have been there."""
    outcomes = try_remedies.run(chosen, tools=tools)
    assert any(item.verdict == "ok" for item in outcomes), try_remedies.table(outcomes)
    return [
        f"{item.kind} / {item.state} [{item.path}, {item.shell}]: {item.why}"
        for item in outcomes
        if item.verdict == "FAULT"
    ]


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("uv venv", ("lost RECORD", "doubled", "half")),
        ("uv virtual root", ("registered, gone",)),
        ("venv, pip", ("shadow", "namespace")),
        ("PYTHONPATH", ("lost RECORD",)),
        ("over Debian's torch", ("",)),
    ],
)
def test_some(kind: str, states: tuple[str, ...]) -> None:
    """A few of each sort; the whole table takes many minutes."""
    chosen = [trial for state in states for trial in try_remedies.trials("", state) if trial.kind.name == kind]
    assert not faults(chosen[: len(states)])


@pytest.mark.heavy
def test_all(tmp_path: Path) -> None:
    """Every kind in every state."""
    chosen = try_remedies.trials()
    assert len(chosen) >= 200
    assert not faults(chosen, os.environ.get("XPU_DOCTOR_TEST_MANAGERS", str(tmp_path)))


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["over Debian's torch", "own, over Debian's", "Debian, PEP 668"])
def test_over_the_real_package_of_debian(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian's own python3-torch from its archive, unpacked where the package puts it: every file of it stays."""
    got = subprocess.run(
        ["apt-get", "download", "python3-torch"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    packages = list(tmp_path.glob("python3-torch_*.deb"))
    if got.returncode or not packages:
        pytest.skip(f"Debian's python3-torch cannot be had: {got.stderr.strip()[-200:]}")
    subprocess.run(["dpkg-deb", "-x", packages[0], tmp_path / "unpacked"], check=True)
    monkeypatch.setenv(
        "XPU_DOCTOR_TEST_DEBIAN_TORCH", str(tmp_path / "unpacked" / "usr" / "lib" / "python3" / "dist-packages")
    )
    chosen = [trial for trial in try_remedies.trials() if trial.kind.name == kind]
    assert not faults(chosen[:4])


def test_a_foreign_change_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: commands that take the torch of another environment away, and commands that do nothing."""
    (trial, *_) = [item for item in try_remedies.trials() if item.kind.name == ".pth"]
    for line, said in (('rm -rf -- "$PWD/../other"', "foreign changes"), ("true", "torch is")):
        remedy = {"commands": [line], "manager": "pip", "why": ""}
        monkeypatch.setattr(
            try_remedies, "first_remedy", lambda document, remedy=remedy: ("torch-cpu-wheel", remedy, "")
        )
        (outcome,) = try_remedies.run([trial])
        assert outcome.verdict == "FAULT" and said in outcome.why, outcome
