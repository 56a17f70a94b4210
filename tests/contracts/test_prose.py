"""No decision rests on a sentence: what judges and advises compares typed values, and the words are made last."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import xpu_doctor

PACKAGE = Path(xpu_doctor.__file__).parent
ROOMS = ("rules", "remedies", "diagnosis", "examination")
SENTENCES = frozenset({"reason", "label", "summary", "title", "why", "heading", "note"})
"""Attributes and variables that hold a sentence for people."""
TAKEN_APART = frozenset({
    "startswith", "endswith", "partition", "rpartition", "split", "splitlines", "find", "rfind", "index", "rindex", "count",
    "removeprefix", "removesuffix", "match", "fullmatch", "search", "findall", "finditer", "sub",
})  # fmt: skip
OF_PYTHON = {("rules/support/stages.py", "NO_MODULE.match(stage.reason)")}
"""The exception's own message, whose wording is Python's: the one way to learn which module it misses."""


def taken_apart(source: str) -> Iterator[str]:
    """Yield each place of a module that compares, searches or cuts a sentence."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            empty = any(isinstance(side, ast.Constant) and side.value == "" for side in sides)
            if not empty and any(map(is_sentence, sides)) and (any(map(is_text, sides)) or any(map(is_field, sides))):
                yield ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in TAKEN_APART:
            if any(map(is_sentence, (node.func.value, *node.args))):
                yield ast.unparse(node)
        elif isinstance(node, ast.Subscript) and is_field(node.value):
            yield ast.unparse(node)


def is_field(node: ast.expr) -> bool:
    """Whether an expression reads a sentence of something."""
    return isinstance(node, ast.Attribute) and node.attr in SENTENCES


def is_sentence(node: ast.expr) -> bool:
    """Whether an expression is a sentence, of something or by its name."""
    return is_field(node) or (isinstance(node, ast.Name) and node.id in SENTENCES)


def is_text(node: ast.expr) -> bool:
    """Whether an expression is a text that stands in the source."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


@pytest.mark.parametrize("room", ROOMS)
def test_no_sentence_is_taken_apart(room: str) -> None:
    met = {
        (path.relative_to(PACKAGE).as_posix(), place)
        for path in (PACKAGE / room).rglob("*.py")
        for place in taken_apart(path.read_text(encoding="utf-8"))
    }
    assert met - OF_PYTHON == set()


@pytest.mark.parametrize(
    "line",
    [
        'if "booted with" in why: pass',
        'word = why.rpartition("booted with ")[2]',
        'lost = "RECORD" in dist.file_faults.reason',
        'kept = getattr(facts, name).reason == "not examined"',
        'absent = refused.reason.endswith("ENOENT")',
        "shell = row.title[row.title.rfind('('):]",
        "if PROFILER not in stage.reason: pass",
        "found = re.search(PATTERN, finding.summary)",
    ],
)
def test_the_search_finds_such_places(line: str) -> None:
    assert list(taken_apart(line))


def test_words_that_are_only_passed_on_are_no_such_place() -> None:
    assert not list(
        taken_apart(
            'text = f"{summary}: {unknown.reason}" if finding.why != "" else ", ".join(row.title for row in rows)'
        )
    )
