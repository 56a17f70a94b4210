"""Facts that are words: what code compares them with must be a word that the fact's own sentence names, so that a typo is no silence."""

from __future__ import annotations

import ast
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import xpu_doctor
from xpu_doctor.model import facts
from xpu_doctor.model.facts.combined import COMBINED
from xpu_doctor.model.snapshot import Snapshot

PACKAGE = Path(xpu_doctor.__file__).parent
BY_NAME = {
    **{name: kind for name, kind in typing.get_type_hints(Snapshot).items() if kind in vars(facts).values()},
    **{name: kind for group in COMBINED.values() for name, kind in typing.get_type_hints(group).items()},
    "fault": facts.LibraryFault,
    "stage": facts.Stage,
    "shadow": facts.Shadow,
}
"""What code calls a value to the class that it has."""


def sentences() -> dict[tuple[str, str], str]:
    """The sentence under each field of each class of facts."""
    found = {}
    for path in (PACKAGE / "model" / "facts").glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                for field, after in zip(node.body, node.body[1:], strict=False):
                    if (
                        isinstance(field, ast.AnnAssign)
                        and isinstance(after, ast.Expr)
                        and isinstance(after.value, ast.Constant)
                    ):
                        found[node.name, ast.unparse(field.target)] = str(after.value.value)
    return found


SENTENCES = sentences()


def compared(tree: ast.AST) -> Iterator[tuple[ast.Attribute, str]]:
    """Each fact that is compared with a word, and the word."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        values = [value for side in sides for value in (side.elts if isinstance(side, ast.Tuple | ast.Set) else [side])]
        words = [value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)]
        # The right side of `in` is a container: what is looked for in a text is a part of it, and no word.
        for side in sides[:1] if isinstance(node.ops[0], ast.In | ast.NotIn) else sides:
            if isinstance(side, ast.Call) and ast.unparse(side.func) in ("known", "known_or") and side.args:
                side = side.args[0]
            if isinstance(side, ast.Attribute):
                yield from ((side, word) for word in words)


def misspelt(tree: ast.AST) -> list[str]:
    """Comparisons of facts with words that their sentences do not name; a sentence with `e.g.` names examples only."""
    wrong = []
    for side, word in compared(tree):
        kind = BY_NAME.get(ast.unparse(side.value).rpartition(".")[2])
        sentence = SENTENCES.get((kind.__name__, side.attr), "") if kind else ""
        listed = re.findall(r"`([^`]+)`", sentence)
        if word and len(listed) > 1 and "e.g." not in sentence.lower() and word not in listed:
            wrong.append(f"{ast.unparse(side)}: {word}")
    return wrong


@pytest.mark.parametrize("room", sorted(path.name for path in PACKAGE.iterdir() if path.is_dir()))
def test_words_that_facts_are_compared_with(room: str) -> None:
    for path in (PACKAGE / room).rglob("*.py"):
        assert misspelt(ast.parse(path.read_text(encoding="utf-8"))) == [], path


@pytest.mark.parametrize(
    "code",
    [
        'known(machine.os) == "Linux"',
        'known_or(snapshot.machine.os, "linux") in ("windows", "mac")',
        'known_or(installer.manager, "pip") in ("uv", "uv_project")',
        'fault.kind == "mising"',
        '"crashed" == stage.outcome',
        'known(installation.torch.build) != "gpu"',
    ],
)
def test_a_typo_is_seen(code: str) -> None:
    assert len(misspelt(ast.parse(code))) == 1


@pytest.mark.parametrize(
    "code",
    [
        'known(machine.os) == "linux"',
        'fault.kind in ("missing", "version")',
        'torch.version == "2.9"',
        '"glibc" in python.libc',
    ],
)
def test_words_that_are_named_and_facts_of_any_text_are_fine(code: str) -> None:
    assert misspelt(ast.parse(code)) == []
