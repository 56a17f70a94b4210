"""The report as JUnit XML, which CI servers show as tests: a case for each layer, each finding and each expectation."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from xpu_doctor.model.findings import Severity
from xpu_doctor.model.terms import Origin
from xpu_doctor.report.plain import finding_lines, flat
from xpu_doctor.text.visible import visible

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document, FindingDocument, RungDocument

_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Characters that XML 1.0 cannot hold, not even as a reference."""
NEVER = "never"
FAILURE, ERROR, SKIPPED = "failure", "error", "skipped"


class Case(NamedTuple):
    """A test case."""

    name: str
    outcome: str = ""
    """`failure`, `error` or `skipped`; empty where it passed."""
    message: str = ""
    kind: str = ""
    """What failed, in one word."""
    text: str = ""
    seconds: float = 0.0


def render_junit(report: Document) -> str:
    """Return the whole report as XML 1.0."""
    suites = [(name, list(cases)) for name, cases in _suites(report)]
    total = [case for _, cases in suites for case in cases]
    root = _element(
        "testsuites", name="xpu-doctor", **_counts(total), time=f"{min(sum(report.timings.values()), 999):.3f}"
    )
    for name, cases in suites:
        if cases:
            root.append(_suite(report, name, cases))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _suites(report: Document) -> Iterator[tuple[str, Iterable[Case]]]:
    yield "layers", (_layer(rung, report) for rung in report.ladder)
    codes = Counter(finding.code for finding, _ in flat(report.root_causes))
    yield (
        "findings",
        (
            _finding(finding, parent, report, several=codes[finding.code] > 1)
            for finding, parent in flat(report.root_causes)
        ),
    )
    yield (
        "expectations",
        (
            Case(item.expect, {"unmet": FAILURE, "unknown": SKIPPED}.get(item.state, ""), item.reason, "expectation")
            for item in report.expectations
        ),
    )
    yield (
        "xpu-doctor",
        (Case(f"{crash.part} {crash.name}", ERROR, crash.error, "crash", crash.error) for crash in report.crashed),
    )


def _layer(rung: RungDocument, report: Document) -> Case:
    if rung.state == "ok":
        return Case(rung.layer, text=rung.summary)
    if rung.state != "fault":
        return Case(rung.layer, SKIPPED, f"{rung.state}: {rung.summary}", rung.state)
    own = [finding for finding, _ in flat(report.root_causes) if finding.layer == rung.layer]
    fails = any(_counts_as_failure(finding, report) for finding in own) if own else report.fail_on != NEVER
    return Case(rung.layer, FAILURE if fails else "", rung.summary, "fault", rung.summary)


def _finding(finding: FindingDocument, parent: FindingDocument | None, report: Document, *, several: bool) -> Case:
    outcome = FAILURE if _counts_as_failure(finding, report) else ""
    because = [f"Explained by {parent.code}: {parent.summary}"] if parent else []
    subject = f" ({finding.subject})" if several else ""
    text = "\n".join(
        [
            f"{finding.severity}, {finding.confidence}: {finding.summary}",
            *because,
            *([] if parent else finding_lines(finding)),
        ]
    )
    return Case(f"{finding.code}{subject}", outcome, finding.summary, finding.code, text)


def _counts_as_failure(finding: FindingDocument, report: Document) -> bool:
    """Return whether a finding is one that makes the exit code 1."""
    guess = report.origin == Origin.PASTED and finding.confidence == "possible"
    return not guess and report.fail_on != NEVER and Severity(finding.severity).rank >= Severity(report.fail_on).rank


def _suite(report: Document, name: str, cases: list[Case]) -> ElementTree.Element:
    attributes = _counts(cases) | {"skipped": str(sum(case.outcome == SKIPPED for case in cases))}
    suite = _element("testsuite", name=name, **attributes, timestamp=report.created.removesuffix("Z"), time="0.000")
    properties = ElementTree.SubElement(suite, "properties")
    for key, value in (("verdict", report.verdict), ("reason", report.reason), ("version", report.tool.version)):
        properties.append(_element("property", name=key, value=value))
    suite.extend(_case(name, case) for case in cases)
    return suite


def _case(suite: str, case: Case) -> ElementTree.Element:
    made = _element("testcase", classname=f"xpu-doctor.{suite}", name=case.name, time=f"{case.seconds:.3f}")
    if case.outcome:
        said = _element(case.outcome, message=case.message, type=case.kind)
        if case.outcome != SKIPPED:
            said.text = _text(case.text)
        made.append(said)
    elif case.text:
        ElementTree.SubElement(made, "system-out").text = _text(case.text)
    return made


def _counts(cases: list[Case]) -> dict[str, str]:
    counted = {"tests": len(cases)}
    counted["failures"] = sum(case.outcome == FAILURE for case in cases)
    counted["errors"] = sum(case.outcome == ERROR for case in cases)
    return {name: str(count) for name, count in counted.items()}


def _element(tag: str, **attributes: str) -> ElementTree.Element:
    return ElementTree.Element(tag, {name: _line(value) for name, value in attributes.items()})


def _line(text: str) -> str:
    return _FORBIDDEN.sub("", visible(" ".join(text.split()), one_line=True))


def _text(text: str) -> str:
    return _FORBIDDEN.sub("", visible(text))
