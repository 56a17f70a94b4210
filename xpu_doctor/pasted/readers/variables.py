"""Reads what the known environment variables are set to."""

from __future__ import annotations

import re
from functools import cache, lru_cache

from xpu_doctor.model.facts import Variable
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.variables import pasted_variables
from xpu_doctor.text.word_index import WordTable


def parse(text: Text, facts: Collected) -> None:
    """Read what the known variables are set to."""
    names = _names()
    words = sorted(_words().present(text.searched))
    if not words:
        return
    assignment, printed = _patterns(tuple(names[word] for word in words))
    for offset, line in text.lines_with(*words):
        shown = printed.findall(text.body[offset : text.end_of_next(offset + len(line))][:4096])
        for name, value in (*assignment.findall(line[:4096]), *shown):
            if name not in facts.variables:
                facts.variables[name] = Variable(name, value.strip("\"'"))
                facts.sources.setdefault("environment.variables", text.place(offset))


@cache
def _names() -> dict[str, str]:
    """Return the names of the known variables by their letters in lower case."""
    return {name.lower(): name for name in pasted_variables()}


@cache
def _words() -> WordTable:
    return WordTable(_names())


@lru_cache(maxsize=256)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of an assignment to one of some variables, and of its printed value."""
    every = "|".join(sorted(names, key=len, reverse=True))
    assignment = rf"(?:^|[\s;`'\"(-]|set |export |ENV |-e |\$env:)({every}) ?= ?([^\s;`]{{0,400}})"
    printed = (
        rf"(?:echo|printenv) +[\"']?\$?\{{?(?:env:)?({every})\}}?[\"']?[ \t]*(?:(?:->|=>|prints?|gives?|shows?|says?):?[ \t]*|\n[ \t>]{{0,40}})"
        r"([A-Za-z0-9_*!][\w:;,.*!/-]{0,200})"
    )
    return re.compile(assignment), re.compile(printed)
