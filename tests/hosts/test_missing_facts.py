"""Every recorded host with facts taken away: rules become undecided, none crashes, and no new error appears out of not knowing."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.hosts.test_recorded_hosts import HOSTS, snapshot_of
from xpu_doctor.diagnosis.judge import judge
from xpu_doctor.model.findings import Confidence, Finding, Layer, Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.rules import RULES

MINE = (Layer.DEVICE, Layer.KERNEL, Layer.ACCESS, Layer.DRIVER, Layer.ENUMERATION)
GROUPS = ("machine", "gpus", "kernel", "access", "driver", "level_zero", "environment", "xpu", "torch")
TAKEN = Unknown("taken away")


def judged(snapshot: Snapshot) -> tuple[tuple[Finding, ...], Any]:
    """Return what the rules below torch say, and their crashes."""
    judgement = judge([rule() for rule in RULES if rule.layer in MINE], snapshot)
    return judgement.findings, judgement.crashed


def changed(group: Any, name: str, value: Any) -> Any:
    """Return a dataclass with one field changed."""
    return dataclasses.replace(group, **{name: value})


def poorer(snapshot: Snapshot) -> Iterator[tuple[str, Snapshot]]:
    """Return snapshots in which one fact, or one fact of each device, is unknown."""
    for name in GROUPS:
        group = getattr(snapshot, name)
        if isinstance(group, tuple):
            yield name, changed(snapshot, name, TAKEN)
            for field in ("device_id", "kernel_driver", "render_node", "bar_bytes", "driver_version"):
                rows = tuple(dataclasses.replace(row, **{field: TAKEN}) for row in group)
                yield f"{name}.{field}", changed(snapshot, name, rows)
        elif dataclasses.is_dataclass(group) and not isinstance(group, (type, Unknown)):
            for item in dataclasses.fields(group):
                if not isinstance(getattr(group, item.name), (Unknown, str)) or item.type != "str":
                    yield f"{name}.{item.name}", changed(snapshot, name, changed(group, item.name, TAKEN))


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_a_fact_less(path: Path) -> None:
    """No rule crashes, and a certain error that the whole snapshot does not have never comes from knowing less."""
    whole = snapshot_of(path)
    known = {finding.code for finding in judged(whole)[0]}
    for name, snapshot in poorer(whole):
        findings, crashed = judged(snapshot)
        assert not crashed, (name, crashed)
        new = [finding for finding in findings if finding.severity is Severity.ERROR and finding.code not in known]
        sure = [
            finding.code
            for finding in new
            if finding.confidence is Confidence.CERTAIN and not finding_is_symptom(finding)
        ]
        assert not sure, (name, sure)


def finding_is_symptom(finding: Finding) -> bool:
    """Return whether a finding says how something failed, not why."""
    return any(rule.code == finding.code and rule.symptom for rule in RULES)
