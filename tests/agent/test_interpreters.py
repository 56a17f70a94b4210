"""The agent under every CPython that this machine has: 3.8 and newer are examined, older ones refused with a finding."""

from __future__ import annotations

import pytest

from tests.agent.interpreters import INTERPRETERS
from tests.support.cli import codes, doctor, flat, rung


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
