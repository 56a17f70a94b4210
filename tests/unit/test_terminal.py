"""Colour, width and marks by what a stream can show."""

from __future__ import annotations

import io

import pytest

from xpu_doctor.report.terminal import Terminal, terminal_of


class Stream(io.TextIOWrapper):
    """A stream of an encoding that says whether it is a terminal."""

    def __init__(self, encoding: str, tty: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding)
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


@pytest.mark.parametrize(
    ("tty", "variables", "colour"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"TERM": "dumb"}, False),
        (False, {"FORCE_COLOR": "1"}, True),
        (False, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
    ],
)
def test_colour(tty: bool, variables: dict[str, str], colour: bool) -> None:
    assert terminal_of(Stream("utf-8", tty), variables).colour is colour


@pytest.mark.parametrize(
    ("variables", "few"),
    [
        ({}, False),
        ({"TERM": "xterm-256color"}, False),
        ({"TERM": "xterm-kitty", "COLORTERM": "truecolor"}, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, False),
        ({"TERM": "linux"}, True),
        ({"TERM": "xterm"}, True),
    ],
)
def test_how_many_colours(variables: dict[str, str], few: bool) -> None:
    """Where 256 are not known of a terminal, a number of them could make it blink: 5 is a code of its own."""
    terminal = terminal_of(Stream("utf-8", True), variables)
    assert terminal.few_colours is few
    assert Terminal(colour=True, few_colours=True).style("x", "command") == "x"


@pytest.mark.parametrize(
    ("encoding", "unicode"), [("utf-8", True), ("cp437", False), ("cp1252", False), ("ascii", False), ("utf-16", True)]
)
def test_marks(encoding: str, unicode: bool) -> None:
    assert terminal_of(Stream(encoding, False), {}).unicode is unicode


def test_a_pipe_is_80_columns_wide() -> None:
    assert terminal_of(Stream("utf-8", False), {"COLUMNS": "200"}).width == 80
