"""Versions are read alike everywhere, whatever stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.model.versions import numbers, release


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5.1+cxx11.abi", (2, 5, 1)),
        ("v1.14.0", (1, 14, 0)),
        (" 14.40.33810.0", (14, 40, 33810, 0)),
        ("3.13t", (3, 13)),
        ("", ()),
        ("unreleased", ()),
        ("9" * 5000, (999999999,)),
    ],
)
def test_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert numbers(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [("6.8.0-45-generic", (6, 8)), ("Linux 6.12", (6, 12)), ("6", (0, 0)), ("", (0, 0)), ("9" * 5000 + ".1", (0, 0))],
)
def test_release(text: str, expected: tuple[int, int]) -> None:
    assert release(text) == expected


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    assert all(number >= 0 for number in (*numbers(text), *release(text)))
