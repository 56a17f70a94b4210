"""Words of closed sets equal, print and travel as their text; unknown words of other versions are no error."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import xpu_doctor
from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.facts import Run, Stage
from xpu_doctor.model.snapshot import ProbeFailure, Snapshot
from xpu_doctor.model.terms import (
    ExpectationState,
    LibraryOutcome,
    Origin,
    OverallVerdict,
    Part,
    StageOutcome,
    Term,
    TorchBuild,
)

PACKAGE = Path(xpu_doctor.__file__).parent
TERMS = (ExpectationState, LibraryOutcome, Origin, OverallVerdict, Part, StageOutcome, TorchBuild)
FIELDS = frozenset({"build", "origin", "outcome", "part", "verdict"})
"""Attributes that hold such a word."""
OTHERS = ("shared_libraries", "target/agent/")
"""Where `outcome` is that of a library, and where nothing of the doctor can be imported."""


@pytest.mark.parametrize("term", [member for terms in TERMS for member in terms], ids=str)
def test_a_term_is_its_text(term: Term) -> None:
    text = term.value
    assert term == text and hash(term) == hash(text) and {term: 1}[text] == {text: 1}[term] == 1
    assert (str(term), f"{term}", f"{term:>12}") == (text, text, f"{text:>12}")


def test_terms_travel_as_their_text() -> None:
    snapshot = Snapshot(
        origin=Origin.PASTED,
        failures=(ProbeFailure(Part.TOOL, "name", "error"),),
        run=Run((Stage("import", StageOutcome.CRASH),)),
    )
    values = encode(snapshot)
    said = values["origin"], values["failures"][0]["part"], values["run"]["stages"][0]["outcome"]
    assert said == ("pasted", "tool", "crash") and {type(word) for word in said} == {str}
    assert decode(values) == snapshot


def test_a_word_of_another_version_is_read() -> None:
    snapshot = decode({"origin": "dreamt", "run": {"stages": [{"name": "import", "outcome": "evaporated"}]}})
    assert snapshot.origin == "dreamt" and snapshot.run.stages == (Stage("import", "evaporated"),)


def test_no_such_word_is_compared_as_a_text() -> None:
    met = []
    for path in PACKAGE.rglob("*.py"):
        if any(part in path.as_posix() for part in OTHERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and isinstance(node.left, ast.Attribute) and node.left.attr in FIELDS:
                inside = [child for side in node.comparators for child in ast.walk(side)]
                if any(isinstance(child, ast.Constant) and isinstance(child.value, str) for child in inside):
                    met.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)}")
    assert met == []
