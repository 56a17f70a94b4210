"""Tests of the example: a rule on plain facts, a probe on a recorded machine. Neither needs a GPU or a battery."""

from __future__ import annotations

from typing import Any

import pytest
from xpu_doctor_battery.on_battery import OnBattery
from xpu_doctor_battery.probe import power_supply

from xpu_doctor.plugin import RecordedHost, judge_one

BATTERY = {"/sys/class/power_supply/BAT0/type": "Battery\n"}
MAINS = {"/sys/class/power_supply/AC/type": "Mains\n", "/sys/class/power_supply/AC/online": "0\n"}


@pytest.mark.parametrize(
    ("supply", "outcome"),
    [
        ({"batteries": 1, "mains": False}, "found"),
        ({"batteries": 1, "mains": True}, "clear"),
        ({"batteries": 0, "mains": None}, "clear"),
        ({"batteries": 1, "mains": None}, "undecided"),
        (None, "undecided"),
    ],
)
def test_the_rule(supply: dict[str, Any] | None, outcome: str) -> None:
    plugins = {} if supply is None else {"power-supply": supply}
    assert judge_one(OnBattery(), {"plugins": plugins})[0] == outcome


@pytest.mark.parametrize(
    ("files", "facts"),
    [
        ({}, {"batteries": 0, "mains": None}),
        (BATTERY, {"batteries": 1, "mains": None}),
        (BATTERY | MAINS, {"batteries": 1, "mains": False}),
    ],
)
def test_the_probe(files: dict[str, str], facts: dict[str, Any]) -> None:
    assert power_supply.gather(RecordedHost({"platform": "linux", "files": files})) == facts
