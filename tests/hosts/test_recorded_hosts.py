"""Every recorded host through the real probes and all rules: its root cause comes first, its ladder stands as written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest

from xpu_doctor.diagnosis.diagnose import Diagnosis, diagnose
from xpu_doctor.diagnosis.ranking import flat
from xpu_doctor.host.recorded import RecordedHost
from xpu_doctor.model.findings import Severity
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.probes import PROBES
from xpu_doctor.probes.runner import run_probes
from xpu_doctor.rules import RULES
from xpu_doctor.tables import parse_toml

FOLDER = Path(__file__).parents[2] / "fixtures" / "hosts"
HOSTS = sorted(FOLDER.glob("*.toml"))
MADE = "made for this suite"


def recording(path: Path) -> dict[str, Any]:
    """Return a recorded host's table."""
    return parse_toml(path.read_text(encoding="utf-8"))


def snapshot_of(path: Path) -> Snapshot:
    """Return what the probes see of a recorded host, with what its interpreter is recorded to have said."""
    gathered = run_probes(RecordedHost.load(path), PROBES)
    assert not gathered.failures, gathered.failures
    snapshot = dataclasses.replace(Snapshot(), **gathered.facts, sources=gathered.sources)
    said = recording(path).get("snapshot", {})
    told = msgspec.convert(said, Snapshot)
    return dataclasses.replace(snapshot, **{name: getattr(told, name) for name in said})


def diagnosis_of(path: Path) -> Diagnosis:
    """Return what all rules together make of a recorded host."""
    return diagnose(snapshot_of(path), [rule() for rule in RULES])


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_root_cause_first(path: Path) -> None:
    """The recorded root cause is the first one; a machine that is well has none above a note."""
    expected = recording(path)["expected"]
    diagnosis = diagnosis_of(path)
    assert not diagnosis.crashed, diagnosis.crashed
    weighty = [finding for finding in diagnosis.root_causes if finding.severity is not Severity.INFO]
    said = [f"{finding.severity.value} {finding.code}: {finding.summary}" for finding in weighty]
    assert (weighty[0].code if weighty else "") == expected["root"], said
    if weighty:
        text = "\n".join(
            [
                weighty[0].summary,
                *(f"{item.title} {item.why} {' '.join(item.commands)}" for item in weighty[0].remedies),
            ]
        )
        assert expected.get("contains", "") in text, text
        assert set(expected.get("explains", ())) <= {finding.code for finding in flat(weighty[0].explains)}, said


@pytest.mark.parametrize("path", HOSTS, ids=lambda path: path.stem)
def test_ladder(path: Path) -> None:
    """The rungs that the recording names stand as it says."""
    states = {rung.layer.value: rung.state.value for rung in diagnosis_of(path).ladder}
    expected = recording(path)["expected"].get("ladder", {})
    assert {name: states[name] for name in expected} == expected


def test_half_of_the_hosts_were_published() -> None:
    """At least twenty hosts, and at least half of them rebuilt from a dump that somebody published."""
    tables = [recording(path) for path in HOSTS]
    published = [table for table in tables if table["source"] != MADE]
    assert len(tables) >= 20
    assert len(published) * 2 >= len(tables)
    assert all(
        table["source"].startswith("https://") and table["published"] and table["filled_in"] for table in published
    )
    assert all(table["title"] for table in tables)
