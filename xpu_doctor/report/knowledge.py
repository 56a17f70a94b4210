"""What the tables know, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import msgspec

from xpu_doctor.catalogue.knowledge.entry import Entry, Knowledge, KnownFact, Value
from xpu_doctor.report.terminal import Terminal

KNOWLEDGE_SCHEMA = 1
"""Fields of the JSON are only added within a number."""
_GAP = "  "
_ROOM = 24
"""Columns that what is known needs beside its name; with less it stands below it."""


def knowledge_text(knowledge: Knowledge, terminal: Terminal) -> str:
    """Return the facts as aligned lines, and below them the sources by number."""
    parts = [line for entry in knowledge.entries for line in (*_entry(entry, terminal), "")]
    if knowledge.note:
        parts += terminal.wrapped(f"{knowledge.note[0].upper()}{knowledge.note[1:]}.")
    return "\n".join(parts).rstrip() + "\n"


def _entry(entry: Entry, terminal: Terminal) -> Iterator[str]:
    places = tuple(dict.fromkeys((place, item.checked) for item in entry.facts for place in item.source))
    names = max((len(item.name) for item in entry.facts), default=0) + len(_GAP)
    beside = terminal.width - names >= _ROOM
    yield from terminal.wrapped(entry.title, styles=("strong",))
    for item in entry.facts:
        numbers = "".join(f"[{places.index((place, item.checked)) + 1}]" for place in item.source)
        said = f"{in_words(item.value)}{_doubt(item)} {numbers}"
        if not beside:
            yield f"  {item.name}"
        yield textwrap.fill(
            said,
            terminal.width,
            initial_indent=f"  {item.name}".ljust(names + 2) if beside else "    ",
            subsequent_indent=" " * (names + 2 if beside else 4),
            break_long_words=False,
            break_on_hyphens=False,
        )
    yield terminal.style("  Sources:", "strong")
    for number, (place, day) in enumerate(places, 1):
        line, looked = f"    [{number}] {place}", f"(looked at {day})"
        yield from [f"{line} {looked}"] if len(line) + len(looked) < terminal.width else [line, f"        {looked}"]


def _doubt(item: KnownFact) -> str:
    words = ("" if item.sure else "not confirmed", "may be out of date" if item.past_its_date else "")
    said = ", ".join(filter(None, words))
    return f" ({said})" if said else ""


def in_words(value: Value) -> str:
    """Return a value as a person reads it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def knowledge_json(knowledge: Knowledge, today: str) -> str:
    """Return the JSON document: kind, what was asked, the day, and the facts of each entry with sources."""
    document = {
        "schema": KNOWLEDGE_SCHEMA,
        "kind": knowledge.kind,
        "asked": knowledge.asked,
        "today": today,
        "entries": [{"title": entry.title, "facts": list(map(_plain, entry.facts))} for entry in knowledge.entries],
        "note": knowledge.note,
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def _plain(item: KnownFact) -> dict[str, Any]:
    return {"key": item.key, **msgspec.to_builtins(item)}
