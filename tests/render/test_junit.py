"""The JUnit file, as its consumers read it: junitparser, and the schema of Jenkins' xUnit plugin."""

from __future__ import annotations

import dataclasses
from functools import cache
from pathlib import Path

import junitparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.render.test_markdown import planted_report, snapshot
from tests.support.cli import doctor
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import (
    CrashDocument,
    Document,
    ExpectationDocument,
    FindingDocument,
    RungDocument,
    TargetDocument,
    Tool,
)
from xpu_doctor.report.junit import render_junit

FIXTURES = Path(__file__).parents[2] / "fixtures"
CASES = junitparser.TestCase


@cache
def schema() -> etree.XMLSchema:
    """The schema by which Jenkins judges such files."""
    return etree.XMLSchema(etree.parse(FIXTURES / "junit" / "junit-10.xsd"))


def read(text: str) -> dict[str, dict[str, CASES]]:
    """The cases by suite and name, after both consumers took the file."""
    schema().assertValid(etree.fromstring(text.encode()))
    parsed = junitparser.JUnitXml.fromstring(text.encode())
    suites = {suite.name: {case.name: case for case in suite} for suite in parsed}
    for suite in parsed:
        kinds = [type(result).__name__ for case in suite for result in case.result]
        assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
            len(list(suite)), kinds.count("Failure"), kinds.count("Error"), kinds.count("Skipped"),
        )  # fmt: skip
    assert parsed.tests == sum(len(list(suite)) for suite in parsed)
    return suites


def outcome(case: CASES) -> str:
    """`passed`, or how a case ended."""
    return "".join(type(result).__name__.lower() for result in case.result) or "passed"


def finding(severity: str, code: str = "rebar-disabled", layer: str = "device") -> FindingDocument:
    return FindingDocument(code, layer, severity, "certain", "machine", "a summary", [], [], [])


def report(**fields: object) -> Document:
    empty = Document(
        1, Tool("xpu-doctor", "1"), "2026-11-27T00:00:00Z", "live", TargetDocument(None, "", None, None, None), "findings", 1,
        [], [], [], [], [], [], {}, {},
    )  # fmt: skip
    return dataclasses.replace(empty, **fields)


def test_a_whole_report() -> None:
    suites = read(
        render_junit(Report().of_snapshot(snapshot(FIXTURES / "snapshots" / "cpu-wheel-beside-arc-b580.toml")))
    )
    layers = {name: outcome(case) for name, case in suites["layers"].items()}
    assert layers == {
        "device": "passed", "kernel": "passed", "access": "passed", "driver": "skipped", "runtime": "skipped", "wheel": "failure",
        "import": "passed", "enumeration": "skipped", "compute": "skipped",
    }  # fmt: skip
    assert suites["layers"]["driver"].result[0].message == "unknown: not examined"
    cause = suites["findings"]["torch-cpu-wheel"]
    assert outcome(cause) == "failure" and "Proof: what torch is built for: cpu" in cause.result[0].text
    assert "--reinstall-package torch" in cause.result[0].text
    symptom = suites["findings"]["xpu-unavailable"]
    assert outcome(symptom) == "failure" and "Explained by torch-cpu-wheel" in symptom.result[0].text


@pytest.mark.parametrize(
    ("severity", "fail_on", "expected"),
    [("error", "error", "failure"), ("warning", "error", "passed"), ("warning", "warning", "failure"), ("info", "warning", "passed"), ("error", "never", "passed")],
)  # fmt: skip
def test_what_fails_the_job_fails_here(severity: str, fail_on: str, expected: str) -> None:
    suites = read(
        render_junit(
            report(fail_on=fail_on, root_causes=[finding(severity)], ladder=[RungDocument("device", "fault", "x")])
        )
    )
    assert outcome(suites["findings"]["rebar-disabled"]) == outcome(suites["layers"]["device"]) == expected


def test_crashes_are_errors_and_expectations_cases() -> None:
    states = [ExpectationDocument(state, state, "why") for state in ("met", "unmet", "unknown")]
    suites = read(render_junit(report(crashed=[CrashDocument("probe", "pci", "ValueError: x")], expectations=states)))
    assert {name: outcome(case) for name, case in suites["expectations"].items()} == {
        "met": "passed", "unmet": "failure", "unknown": "skipped",
    }  # fmt: skip
    assert outcome(suites["xpu-doctor"]["probe pci"]) == "error"


@settings(max_examples=60)
@given(
    st.text(st.characters(exclude_categories=()), max_size=30)
    | st.sampled_from(["]]>", "<!--", "\x00\x08\ufffe\uffff\ud800\x85", "&#0;"])
)
def test_any_text_is_xml(text: str) -> None:
    suites = read(
        render_junit(
            report(
                reason=text, root_causes=[dataclasses.replace(finding("error"), summary=text)], ladder=[RungDocument("device", "unknown", text)],
                crashed=[CrashDocument("probe", text, text)],
            )
        )
    )  # fmt: skip
    assert len(suites) == 3


def test_planted_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(read(render_junit(planted_report(monkeypatch, "\x1b]<b>]]>&\n\x00")))) >= {"layers", "findings"}


def test_a_check_writes_it(stub: StubEnvironment, tmp_path: Path) -> None:
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    path = tmp_path / "report.xml"
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel", "-o", str(path))
    assert ran.code == 1
    assert outcome(read(path.read_text(encoding="utf-8"))["layers"]["wheel"]) == "failure"
