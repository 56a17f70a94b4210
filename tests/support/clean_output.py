"""What every output of the doctor must be, whatever it was fed: UTF-8, strict JSON where JSON is asked for, nothing that steers a terminal."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any, NoReturn

STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories of what a terminal obeys, hides or reorders: controls, format characters (bidi, zero width), lone surrogates, line separators."""
PLAIN = "\n\t"
"""The only controls that belong in a text."""
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What the doctor itself writes to a terminal that shows colours."""


def steering_characters(text: str) -> list[str]:
    """Return every character of a text that steers, hides or reorders, as `U+XXXX`, each once."""
    if text.isascii() and text.isprintable():
        return []
    return sorted(
        {
            f"U+{ord(character):04X}"
            for character in text
            if character not in PLAIN and unicodedata.category(character) in STEERING
        }
    )


def clean_text(data: bytes | str, *, colour: bool = False) -> str:
    """Return what was written as text; fail where it is no UTF-8 or steers a terminal (colours excepted where they were asked for)."""
    text = data.decode("utf-8") if isinstance(data, bytes) else data
    plain = (COLOUR.sub("", text) if colour else text).replace("\r\n", "\n")
    found = steering_characters(plain)
    assert not found, f"steers the terminal: {found}, in {_first_line_with(plain)!r}"
    return text


def clean_json(data: bytes | str) -> Any:
    """Return the one JSON document that was written; fail where it is no strict UTF-8 JSON or a text in it steers a terminal."""
    text = clean_text(data)
    value = json.loads(text, parse_constant=_refuse)
    for path, words in texts_in(value):
        found = steering_characters(words)
        assert not found, f"{path} steers the terminal: {found}, in {words[:200]!r}"
    return value


def texts_in(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Yield (place, text) of every key and value of a JSON document."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield f"{path} (a key)", key
            yield from texts_in(item, f"{path}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from texts_in(item, f"{path}[{number}]")


def _refuse(constant: str) -> NoReturn:
    raise AssertionError(f"{constant} is no JSON")


def _first_line_with(text: str) -> str:
    return next((line[:200] for line in text.split("\n") if steering_characters(line)), "")
