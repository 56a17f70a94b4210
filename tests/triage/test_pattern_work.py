"""No line makes a regular expression of the doctor slow: each is tried on lines made from its own parse tree."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.attack_lines import LENGTH, attack_lines
from tests.support.patterns import patterns

EVERY = patterns()
QUICK = 0.02
"""Seconds of the processor's time that are always allowed for a line."""
LONGEST = 1.0
"""Seconds that are allowed on a slow machine, where the time does not grow faster than the line."""
GROWTH = 9
"""How much more time a line of four times the length may take; what tries every pair of places takes sixteen times as much."""
PLAIN = 6
"""Where it takes no more than that, one look is enough."""
PAIRS = 5
"""How often both lengths are timed otherwise, in turns, so that a machine that slows down slows both."""


def seconds(pattern: re.Pattern[str], line: str) -> float:
    """How much of the processor's time all matches in a line take; other programs do not count."""
    started = time.process_time()
    for _ in pattern.finditer(line):
        pass
    return time.process_time() - started


def is_slow(pattern: re.Pattern[str], line: str) -> bool:
    """Whether a line takes too long, in the best of several runs."""
    took = seconds(pattern, line)
    if took <= QUICK or took > 4 * LONGEST:
        return took > QUICK
    part = line[: LENGTH // 4]
    whole, short = [took], []
    for _ in range(PAIRS):
        short.append(seconds(pattern, part))
        if min(whole) <= QUICK or (min(whole) <= LONGEST and whole[-1] <= PLAIN * short[-1]):
            return False
        whole.append(seconds(pattern, line))
    return min(whole) > LONGEST or min(whole) > GROWTH * min(short)


def hard_lines(pattern: str, flags: int = 0) -> list[str]:
    """The beginnings of the lines that make a pattern slow; the first one is enough."""
    compiled = re.compile(pattern, flags)
    line = next(
        (line for line in attack_lines(pattern, flags) if is_slow(compiled, line) and is_slow(compiled, line)), None
    )
    return [] if line is None else [line[:80]]


@pytest.mark.parametrize(("pattern", "flags"), EVERY, ids=list(EVERY.values()))
def test_no_line_is_hard(pattern: str, flags: int) -> None:
    """A line of full length takes a fiftieth of a second, or as much more as the machine is slow."""
    assert not hard_lines(pattern, flags)


def test_patterns_of_every_kind_are_found() -> None:
    """Of tables, of modules, and those that stand where they are used."""
    places = " ".join(EVERY.values())
    for place in (
        "signatures.signature[",
        "device_names.",
        "xpu_doctor.pasted.readers.lspci._DISPLAY",
        "xpu_doctor.pasted.saved_report._BEGIN",
        "xpu_doctor.diagnosis.message_findings, line",
    ):
        assert place in places
    assert len(EVERY) > 400


@pytest.mark.parametrize(
    "pattern",
    [
        r"token\S*.{0,9}\byes",
        r"(?m)^[>\s]*\[gpu\]",
        r"\S+?: cannot open",
        r"cudnn\w*\w*\.dll",
        r"a\s*:?\s+b",
        r"(?i)from.{0,900}.{0,900}end",
    ],
)
def test_slow_patterns_are_found(pattern: str) -> None:
    """The lines are hard enough: each of these has a fault that patterns of the doctor once had."""
    # A machine that is busy for a moment can make the short line as slow as the long one, never the long one quick again and again.
    assert any(hard_lines(pattern) for _ in range(5))
