"""One line of a transcript: bounded, or nothing."""

from __future__ import annotations

import json

import pytest

from xpu_doctor.process.message import MAX_ITEMS, MAX_NESTING, MAX_TEXT, message


def test_texts_and_lists_are_cut() -> None:
    """No real answer is as long, and the rules search all of it."""
    said = message(
        json.dumps(
            {"text": "\u202e" * 500_000, "list": ["y"] * 100_000, "table": {str(n): n for n in range(50_000)}}
        ).encode()
    )
    assert said is not None
    assert len(said["text"]) < MAX_TEXT + 20 and len(said["list"]) == len(said["table"]) == MAX_ITEMS


@pytest.mark.parametrize("value", [{"a": [1, 2.5, None, True, "x"]}, {"a": "x" * MAX_TEXT}, {"\udc80": "\ud800"}])
def test_what_is_of_a_usual_size_is_kept(value: dict[str, object]) -> None:
    assert message(json.dumps(value).encode()) == value


@pytest.mark.parametrize("depth", [MAX_NESTING + 1, 900, 200_000])
def test_what_is_nested_too_deep_is_no_message(depth: int) -> None:
    assert message(b'{"a":' + b"[" * depth + b"]" * depth + b"}") is None


@pytest.mark.parametrize("line", [b"", b"[]", b"5", b"\xff", b"{", b'{"a":' + b"9" * 99_999 + b"}x"])
def test_what_is_no_object_is_no_message(line: bytes) -> None:
    assert message(line) is None
