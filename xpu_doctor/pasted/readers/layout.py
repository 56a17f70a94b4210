"""Recognises an application's own Python by the paths that a text shows."""

from __future__ import annotations

from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.layouts import patterns


def parse(text: Text, facts: Collected) -> None:
    """Note the layout of the application, and its interpreter as it is typed there."""
    for layout, pattern in patterns():
        found = text.first(pattern, *layout.words) if text.has(*layout.words) else None
        if found is None:
            continue
        place = text.place(found.start())
        facts.put("pasted.layout", layout.id, place)
        shown = "windows" if "\\" in found[0] else "linux"
        facts.put("python.executable", layout.python(facts.get("machine.os") or shown), place)
        return
