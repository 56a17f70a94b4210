"""Each row of the redactor finds its examples, leaves what looks alike, and is quick on lines that are made to be slow."""

from __future__ import annotations

import random
import re
import string
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tools.planted_secrets import filled
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.private_patterns import Pattern
from xpu_doctor.text.private_search import PASTED, found, lines_of
from xpu_doctor.text.word_index import IndexedText

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXAMPLES: dict[str, dict[str, list[str]]] = tomllib.loads(
    (Path(__file__).parents[2] / "fixtures" / "redaction" / "examples.toml").read_text(encoding="utf-8")
)
ROWS = {row.id: row for row in PASTED.rows}
MARK = re.compile("«([^»]*)»")
LONG = 4096
PIECES = (
    "a",
    "a.",
    "a-",
    "1.1.",
    "-",
    "/",
    "\\",
    " ",
    "a ",
    ":",
    "a:",
    "0:",
    "@",
    "a@",
    "=",
    "a=",
    '"',
    "'",
    "<",
    "|",
    "> ",
    "A1A1A-",
    "00-",
    "(a) ",
)


def texts(what: str) -> list[Any]:
    """Every example of a kind, with its row."""
    return [
        pytest.param(ROWS[name], text, id=f"{name}: {text[:40]}")
        for name, row in EXAMPLES.items()
        for text in row[what]
    ]


def test_every_row_has_examples() -> None:
    """A row without an example and a near miss is no row."""
    assert set(EXAMPLES) == set(ROWS)
    assert all(row["hides"] and row["keeps"] for row in EXAMPLES.values())


@pytest.mark.parametrize(("row", "text"), texts("hides"))
def test_row_finds(row: Pattern, text: str) -> None:
    """The row alone finds the values; the whole redactor hides them."""
    text = filled(text, row.id)
    plain = IndexedText(MARK.sub(r"\1", text))
    assert row in PASTED.held_by(plain)
    values = [
        plain.line(number)[start:end]
        for number in lines_of(row, plain)
        for _, start, end in found(row, plain.line(number))
    ]
    assert values == MARK.findall(text)
    redacted = redactor_for([plain]).text(plain)
    assert not [value for value in values if value in redacted], redacted


@pytest.mark.parametrize(("row", "text"), texts("keeps"))
def test_near_miss_stays(row: Pattern, text: str) -> None:
    """The whole redactor changes nothing of what only looks alike."""
    assert redactor_for([IndexedText(text)]).text(text) == text


def test_rows_are_quick_on_attack_lines() -> None:
    """No line makes a row go back over it again and again; one row with a nested repeat would take minutes."""
    started = time.process_time()
    for row in PASTED.rows:
        for piece in (*PIECES, *row.marks[:2]):
            mark = row.marks[0] if row.marks else ""
            list(found(row, (mark + piece * (LONG // len(piece)))[:LONG]))
    assert time.process_time() - started < 60


@pytest.mark.parametrize(
    "piece",
    ["a.", "key:", "user@", "/home/", "x password=", "1.1.1.1 ", "-----BEGIN PRIVATE KEY-----\n", "00:", "ssh a "],
)
def test_long_texts_are_quick(piece: str) -> None:
    """A line of 100,000 characters and as many short ones are both read in no time."""
    for text in (piece * (100_000 // len(piece)), "\n".join([piece] * (100_000 // len(piece)))):
        started = time.process_time()
        searched = IndexedText(text)
        redactor_for([searched]).text(searched)
        assert time.process_time() - started < 20


def test_random_mixtures_of_values() -> None:
    """Values between random text are hidden, and hiding twice changes nothing."""
    source = random.Random(7)
    hidden = [filled(text, name) for name, row in EXAMPLES.items() for text in row["hides"]]
    for _ in range(60):
        lines = []
        for text in source.sample(hidden, 6):
            lines += [text, "".join(source.choice(string.ascii_lowercase + " ") for _ in range(30))]
        text = "\n".join(lines)
        plain = IndexedText(MARK.sub(r"\1", text))
        redactor = redactor_for([plain])
        once = redactor.text(plain)
        assert redactor.text(once) == once
        for value in MARK.findall(text):
            assert not re.search(rf"(?<![\w.-]){re.escape(value)}(?![\w-])", once), (value, once)
