"""The version of an adapter's driver is cited by the line that tells it."""

from __future__ import annotations

import pytest

from xpu_doctor.api import triage

CARDS = (("Arc(TM) A380", "56A5"), ("Arc(TM) A770", "56A0"), ("Arc(TM) A750", "56A1"), ("Arc(TM) B580", "E20B"))


@pytest.mark.parametrize(("name", "device"), CARDS)
@pytest.mark.parametrize("lead", [0, 3])
def test_the_line_of_the_version_is_cited(name: str, device: str, lead: int) -> None:
    lines = [
        *["Hello"] * lead,
        "",
        "Name          : Intel(R) UHD Graphics 770",
        "DriverVersion : 31.0.101.4502",
        "PNPDeviceID   : PCI\\VEN_8086&DEV_4680",
        "",
        f"Name          : Intel(R) {name} Graphics",
        "DriverVersion : 31.0.101.4255",
        f"PNPDeviceID   : PCI\\VEN_8086&DEV_{device}",
        "",
        "PyTorch version: 2.14.1+xpu",
        "Is XPU available: False",
    ]
    report = triage("\n".join(lines))
    cited = [
        item.source
        for root in report.root_causes
        for item in root.evidence
        if item.fact.endswith("driver_version") and item.value == "31.0.101.4255"
    ]
    assert cited
    assert all(f"line {lead + 7}:" in source for source in cited)
