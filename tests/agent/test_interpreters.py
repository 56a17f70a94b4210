"""The agent under every CPython that this machine has: 3.8 and newer are examined, older ones refused with a finding."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import codes, doctor, flat, rung


def _candidates() -> list[str]:
    """Interpreters on PATH, of pyenv, and of Debian, each once."""
    names = ["python", "python2", "python2.7", "python3", *(f"python3.{minor}" for minor in range(4, 20))]
    found = [path for name in names if (path := shutil.which(name))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += [str(path) for path in sorted(pyenv.glob("*/bin/python"))]
    return list({os.path.realpath(path): path for path in found if "shims" not in Path(path).parts}.values())


def _version(python: str) -> tuple[int, ...]:
    code = "import sys; sys.stdout.write('%d.%d.%d' % sys.version_info[:3])"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    return tuple(int(part) for part in run.stdout.split(".")) if run.returncode == 0 else ()


INTERPRETERS = [(path, version) for path in _candidates() if (version := _version(path))]


@pytest.mark.parametrize(
    ("python", "version"), INTERPRETERS, ids=lambda value: ".".join(map(str, value)) if isinstance(value, tuple) else ""
)
def test_interpreter(python: str, version: tuple[int, ...]) -> None:
    ran = doctor("check", "--python", python, "--json", "--skip", "import")
    document = ran.json()
    assert not document["crashed"]
    assert "Traceback" not in ran.stderr
    told = ".".join(map(str, version))
    if version < (3, 8):
        assert "python-unsupported" in codes(document)
        assert f"Python {told} is too old to be examined" in str(document["root_causes"])
    else:
        assert document["target"]["version"] == told
        stages = {stage["name"]: stage["outcome"] for stage in document["snapshot"]["run"]["stages"]}
        assert stages == {"interpreter": "ok", "distributions": "ok", "build": "ok", "shadows": "ok"}
    assert rung(document, "import")["state"] == "skipped"


def test_several_minor_versions_were_tried() -> None:
    """A run that finds one interpreter alone proves little; say so instead of passing."""
    minors = {version[:2] for _, version in INTERPRETERS}
    if len(minors) < 3:
        pytest.skip(f"only {sorted(minors)} on this machine")
    assert any(version >= (3, 8) for version in minors)


@pytest.mark.parametrize("python", [path for path, version in INTERPRETERS if version < (3, 8)])
def test_a_python_that_is_too_old_is_all_that_is_said(python: str) -> None:
    """Nothing is said of a torch that could not be looked at, and nobody is sent to PyTorch's bug tracker."""
    found = flat(doctor("check", "--python", python, "--json").json()["root_causes"])
    assert not [finding["code"] for finding in found if finding["code"].startswith("torch-")]
    assert "faulthandler" not in str(found) and "pytorch/pytorch/issues" not in str(found)
