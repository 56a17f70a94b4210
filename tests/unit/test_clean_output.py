"""The checks that other tests hold outputs to can fail."""

from __future__ import annotations

import pytest

from tests.support.clean_output import clean_json, clean_text

STEERS = ("\x1b[2J", "\x07", "\r", "\x7f", "\x9b", "\u202e", "\u2066", "\u200b", "\u2028", "\ufeff", "\U000e0041")


@pytest.mark.parametrize("character", STEERS)
def test_what_steers_is_found(character: str) -> None:
    with pytest.raises(AssertionError):
        clean_text(f"a{character}b".encode())
    with pytest.raises(AssertionError):
        clean_json(
            f'{{"a": "{character.encode("unicode_escape").decode() if ord(character[0]) < 32 else character}"}}'.replace(
                "\\x", "\\u00"
            ).encode()
        )


def test_bytes_that_are_no_utf8_or_no_json_are_found() -> None:
    with pytest.raises(UnicodeDecodeError):
        clean_text(b"caf\xe9")
    with pytest.raises(AssertionError):
        clean_json(b'{"a": NaN}')
    with pytest.raises(AssertionError):
        clean_json(b'{"a": "\\ud800"}')
    with pytest.raises(ValueError):
        clean_json(b"{} {}")


def test_plain_text_passes() -> None:
    assert clean_text("Grüße, 中文 ✓\n\tlast\n".encode())
    assert clean_text("\x1b[1;31mred\x1b[0m\n", colour=True)
    assert clean_json('{"a": ["é", "two\\nlines", 1.5, null]}'.encode()) == {"a": ["é", "two\nlines", 1.5, None]}
