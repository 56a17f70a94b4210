"""What the doctor says of a machine that is none: Wine lists an adapter and a bus that it makes up."""

from __future__ import annotations

import json

import pytest

from tests.support.cli import codes
from tests.support.windows_bench import WindowsBench
from tests.support.windows_machine import NATIVE
from xpu_doctor.probes.machine import _real

BUS = {"VEN_8086&DEV_E20B&SUBSYS_11008086&REV_00": {}, "VEN_1022&DEV_14D8": {}, "Properties": "x"}


def test_only_devices_with_a_maker_are_on_the_bus() -> None:
    assert _real(BUS) == 2
    assert _real({"VEN_0000&DEV_0000&SUBSYS_00000000&REV_00": {}, "ven_0000&dev_0001": {}}) == 0
    assert _real({}) == 0


@pytest.mark.skipif(NATIVE, reason="this is Windows itself")
def test_what_wine_makes_up_is_no_proof_that_there_is_no_gpu(windows_bench: WindowsBench) -> None:
    document = json.loads(windows_bench.doctor("check", "--python", windows_bench.patient, "--json").stdout)
    assert "gpu-not-present" not in codes(document)
    device = next(rung for rung in document["ladder"] if rung["layer"] == "device")
    assert device["state"] == "unknown"
