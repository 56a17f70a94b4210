"""Reads what shows a device at work: what works is told first, before any noise or table is heard."""

from __future__ import annotations

from xpu_doctor.model.facts.pasted import Working
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.line_rows import working_lines

MOST = 12
"""Lines that are kept of one text, in the order of what they show and then of the text."""
_ORDER = ("computed", "running", "device")


def parse(text: Text, facts: Collected) -> None:
    """Note the lines that show a device at work; where torch or an application has the GPU, torch finds it."""
    seen: list[tuple[int, int, str, str, str]] = sorted(
        (
            (_ORDER.index(row.shows), number, row.meaning, row.shows, line)
            for number, line, row in working_lines().known(text.searched)
            if not row.beside or text.has(*row.beside)
        ),
    )
    if not any(shows == "device" for _, _, _, shows, _ in seen) and facts.get("xpu.available") is not True:
        return  # the program runs, and nothing says that it runs on the GPU
    for _, number, meaning, shows, line in _spread(seen):
        place = f"{text.name}, line {number - 1 + text.first_line}"
        facts.working.append(Working(meaning, shows, line.strip()[:200], place))
        if shows == "device":
            facts.put("xpu.available", True, place)


def _spread(seen: list[tuple[int, int, str, str, str]]) -> list[tuple[int, int, str, str, str]]:
    """Return the first and the last line of each meaning, and of those no more than `MOST`."""
    ends: dict[str, list[tuple[int, int, str, str, str]]] = {}
    for item in seen:
        ends.setdefault(item[2], []).append(item)
    return sorted({item for group in ends.values() for item in (group[0], group[-1])})[:MOST]
