"""Tells whether texts show two machines, whose facts would be mixed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from xpu_doctor.pasted.readers.apart import apart
from xpu_doctor.pasted.readers.collected import Text
from xpu_doctor.pasted.readers.subjects import host_names
from xpu_doctor.text.late_pattern import late_pattern

_LABELS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    (
        "processors",
        late_pattern(r"^[>\s]{0,20}Model name: {1,40}(?P<value>\S[^\n]{3,100})", re.MULTILINE),
        ("model name:",),
    ),
    (
        "operating systems",
        late_pattern(r"^[>\s]{0,20}OS {0,30}: (?P<value>\S[^\n]{3,80})", re.MULTILINE),
        ("os: ", "os  "),
    ),
    (
        "machines",
        late_pattern(
            r"^[>\s]{0,20}(?:\S{1,80}\s{0,4}[$#]\s{0,4}uname -a\s*)?Linux (?P<value>(?!version)[\w.<>-]{1,64}) \d\.\d{1,2}\.\d",
            re.MULTILINE,
        ),
        ("linux ",),
    ),
)
"""What a machine has one of: how it is called in a sentence, the line that names it, and words of that line."""


def two_machines(texts: Iterable[Text]) -> str:
    """Return what shows that texts are of more than one machine, as a note; empty where nothing does."""
    every = tuple(texts)
    told = next((found for text in every if (found := apart(text))), None)
    if told is not None:
        named = ", ".join(f'"{name}"' for name in told.names[:3])
        return f'two machines are in this text ({named}), and only "{told.kept}" was examined: send them apart'
    names = dict.fromkeys(name for text in every for name in host_names(text))
    if len(names) > 1:
        return _note("prompts", tuple(names))
    for what, pattern, words in _LABELS:
        values = dict.fromkeys(_plain(match["value"]) for text in every for match in text.matches(pattern, *words))
        if len(values) > 1 and (what == "processors" or not _of_wsl(every)):
            return _note(what, tuple(values))
    return ""


def _note(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:3])
    return (
        f"the text shows {what} of more than one machine ({shown}), and what it says is taken together as of one: "
        "give each machine a text of its own"
    )


def _plain(value: str) -> str:
    return " ".join(value.split()).rstrip(" .")


def _of_wsl(texts: Iterable[Text]) -> bool:
    """Return whether a machine with two systems, or two names, at a time takes part."""
    return any(text.has("wsl", "microsoft-standard", "container", "docker") for text in texts)
