"""No text makes a parser raise, hang or let a control character through."""

from __future__ import annotations

import io
import re
import time

import pytest
from hypothesis import given

from tests.parsers.strategies import hard, raw, texts
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.subjects import split
from xpu_doctor.pasted.snapshots import PARSERS, read
from xpu_doctor.text.private_names import redactor_for
from xpu_doctor.text.safe import NotText, cleaned, from_bytes, read_safely
from xpu_doctor.text.word_index import IndexedText

CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
SLOW = 2.0


@pytest.mark.parametrize("name", [name for name, _ in PARSERS])
def test_no_parser_raises(name: str) -> None:
    """Each parser by itself bears any text."""
    parse = dict(PARSERS)[name]

    @hard
    @given(texts)
    def run(text: str) -> None:
        started = time.process_time()
        parse(Text(cleaned(text)), Collected())
        assert time.process_time() - started < SLOW

    run()


@hard
@given(texts)
def test_reading_never_fails(text: str) -> None:
    """All parsers together: snapshots come out, and none of the parsers had to be given up."""
    for snapshot in read([Text(cleaned(text))]):
        assert isinstance(snapshot, Snapshot)
        assert not snapshot.failures


@hard
@given(texts)
def test_splitting_keeps_lines(text: str) -> None:
    """Host and container together hold every line once, at its own number."""
    body = cleaned(text)
    parts = split(Text(body))
    lines = body.split("\n")
    for number, line in enumerate(lines):
        if line:
            assert sum(part.body.split("\n")[number] == line for _, part in parts) == 1


@hard
@given(raw)
def test_bytes_become_safe_text(data: bytes) -> None:
    """Whatever the bytes, they are refused in words or become text without control characters."""
    try:
        safe = from_bytes(data, "file")
    except NotText as error:
        refusal = str(error)
    else:
        refusal = ""
    if refusal:
        assert "\n" not in refusal
        return
    assert not CONTROL.search(safe.text)
    assert read_safely(io.BytesIO(data), "file").text == safe.text


@hard
@given(texts)
def test_redaction_never_fails_and_changes_nothing_twice(text: str) -> None:
    """A redacted text holds nothing more to redact."""
    body = cleaned(text)
    redactor = redactor_for([IndexedText(body)])
    once = redactor.text(body)
    assert redactor.text(once) == once
