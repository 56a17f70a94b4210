"""CPU time of the matmul's process, read from outside: the interpreter's own word is only half a witness."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from xpu_doctor.target.agent_run import AgentRun, Patient


def test_inside_and_outside_agree(torch_env: Path) -> None:
    request = {"compute": {"devices": ["cpu"], "limits": {}}}
    patient = Patient(str(torch_env / "bin" / "python"), os.environ, request=request, deadlines={"compute": 120.0})
    [stage] = [result for result in AgentRun(patient, ("compute",)).results() if result.name == "compute"]
    assert stage.outcome == "ok"
    assert stage.record["cpu_seconds_outside"] == pytest.approx(stage.record["cpu_seconds"], rel=0.1, abs=0.1)
