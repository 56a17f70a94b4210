"""The project's own cases: what texts must come to, and which line proves it."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.model.findings import Confidence, Finding, Severity
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.text.safe import from_bytes

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parents[2] / "fixtures" / "cases"


def cases() -> list[Any]:
    """Every case of every file, as a parameter with its name."""
    found = []
    for path in sorted(FOLDER.glob("*.toml")):
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["case"]:
            found.append(pytest.param(row, id=f"{path.stem}: {row['name']}"))
    return found


def roots(text: str) -> tuple[Finding, ...]:
    """The root causes of a text."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules()).diagnosis.root_causes


@pytest.mark.parametrize("case", cases())
def test_case(case: dict[str, Any]) -> None:
    """The first root cause is one of those that the case allows; or nothing loud is said."""
    found = roots(case["text"])
    codes = [finding.code for finding in found]
    if case.get("quiet"):
        loud = [f for f in found if f.severity is not Severity.INFO and f.confidence is not Confidence.POSSIBLE]
        assert not loud
        return
    assert codes[:1] and codes[0] in case["first"], codes[:4]
    assert set(case.get("among_three", ())) <= set(codes[:3])
    if case.get("not_certain"):
        assert found[0].confidence is not Confidence.CERTAIN
    if "evidence" in case:
        assert any(case["evidence"] in item.value for item in found[0].evidence)


@pytest.mark.parametrize("case", cases())
def test_every_finding_names_its_evidence(case: dict[str, Any]) -> None:
    """Whatever is more than possible rests on something in the text."""
    for finding in roots(case["text"]):
        if finding.confidence is not Confidence.POSSIBLE:
            assert finding.evidence, finding.code
            assert all(item.source for item in finding.evidence), finding


@pytest.mark.parametrize("case", cases())
def test_form_does_not_matter(case: dict[str, Any]) -> None:
    """Quoted, indented, fenced, with Windows line ends or as UTF-16: the first root cause stays."""
    text = case["text"]
    first = [finding.code for finding in roots(text)][:1]
    for other in (
        "".join(f"> {line}\n" for line in text.splitlines()),
        "".join(f"    {line}\n" for line in text.splitlines()),
        f"```\n{text}\n```",
        text.replace("\n", "\r\n"),
    ):
        assert [finding.code for finding in roots(other)][:1] == first, other[:80]
    wide = from_bytes(text.encode("utf-16"), "text")
    assert wide.text == from_bytes(text.encode(), "text").text


@pytest.mark.parametrize("case", cases())
def test_every_root_cause_names_a_line(case: dict[str, Any]) -> None:
    """Each root cause of a text shows where in it the proof stands."""
    if "\n" not in case["text"].strip():
        return  # of a single line no number is told
    for finding in roots(case["text"]):
        assert any(re.search(r"\bline \d", item.source) for item in finding.evidence), (finding.code, finding.evidence)
