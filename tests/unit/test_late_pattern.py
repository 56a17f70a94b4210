"""A late pattern is what it stands for, and costs nothing before it is used."""

from __future__ import annotations

import re

import pytest

from xpu_doctor.text.late_pattern import late_pattern


def test_it_is_compiled_when_it_is_used() -> None:
    """A wrong expression is no fault before: nothing was compiled."""
    late = late_pattern("(")
    with pytest.raises(re.error):
        late.search("text")


def test_it_finds_what_the_pattern_finds() -> None:
    late, plain = late_pattern(r"(?P<word>[a-z]+)\d", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)\d", re.IGNORECASE)
    text = "Arc7 xe2 B"
    assert late.findall(text) == plain.findall(text)
    assert [match.span() for match in late.finditer(text, 2)] == [match.span() for match in plain.finditer(text, 2)]
    assert late.sub("-", text) == plain.sub("-", text)
    assert (late.pattern, late.flags, late.groups, late.groupindex) == (plain.pattern, plain.flags, 1, {"word": 1})
    assert late.fullmatch("xe2") and not late.match(" xe2") and late.split("a1b") == plain.split("a1b")


def test_what_no_pattern_has_it_has_neither() -> None:
    with pytest.raises(AttributeError):
        late_pattern("a").searches  # type: ignore[attr-defined] # noqa: B018
