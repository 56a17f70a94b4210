"""Reads what shows a device at work: what works is told first, before any noise or table is heard."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.model.facts.pasted import Working
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.line_rows import WorkingRow, working_lines

MOST = 12
"""Lines that are kept of one text, in the order of what they show and then of the text."""
ASKED_FOR = (
    "--device xpu", "--device=xpu", "--device-type xpu", "platform xpu", "device_config=xpu", "device=xpu", "device='xpu'",
    "vllm_target_device=xpu",
)  # fmt: skip
"""Words of a program that was told to take the GPU: what it then does, it does there."""
_ORDER = ("computed", "running", "device")


def parse(text: Text, facts: Collected) -> None:
    """Note the lines that show a device at work; where torch or an application has the GPU, torch finds it."""
    seen = [
        (known.number, known.line, known.row)
        for known in working_lines().known(text.searched)
        if not known.row.beside or text.has(*known.row.beside)
    ]
    asked = text.has(*ASKED_FOR)
    on_gpu = [number for number, _, row in seen if asked or not row.beside]
    if not on_gpu and facts.get("xpu.available") is not True:
        return  # the program runs, and nothing says that it runs on the GPU
    if on_gpu:
        facts.put("xpu.available", True, _place(text, min(on_gpu)))
    for number, line, row in _spread(seen):
        facts.working.append(Working(row.meaning, row.shows, line.strip()[:200], _place(text, number)))


def withdraw(facts: Collected) -> None:
    """Take back what programs announced before torch refused the GPU; a result that was computed there stays."""
    if any(item.shows == "computed" for item in facts.working):
        return
    if any(item.source == facts.sources.get("xpu.available") for item in facts.working):
        facts.values.pop("xpu.available", None)
    facts.working.clear()


def _spread(seen: Sequence[tuple[int, str, WorkingRow]]) -> list[tuple[int, str, WorkingRow]]:
    """Return the first and the last line of each row, those that show most first, and no more than `MOST`."""
    ends: dict[str, list[tuple[int, str, WorkingRow]]] = {}
    for item in seen:
        ends.setdefault(item[2].id, []).append(item)
    kept = [item for group in ends.values() for item in (group[:1] if len(group) == 1 else (group[0], group[-1]))]
    return sorted(kept, key=lambda item: (_ORDER.index(item[2].shows), item[0]))[:MOST]


def _place(text: Text, number: int) -> str:
    return f"{text.name}, line {number - 1 + text.first_line}"
