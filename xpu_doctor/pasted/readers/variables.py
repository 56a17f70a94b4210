"""Reads what the known environment variables are set to."""

from __future__ import annotations

import re
from functools import cache

from xpu_doctor.model.facts import Variable
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.tables.variables import pasted_variables
from xpu_doctor.text.word_index import WordTable


def parse(text: Text, facts: Collected) -> None:
    """Read what the known variables are set to."""
    table, assignment, printed = _variable_words()
    for offset, line in text.lines_with(*sorted(table.present(text.searched))):
        shown = printed.findall(text.body[offset : text.end_of_next(offset + len(line))][:4096])
        for name, value in (*assignment.findall(line[:4096]), *shown):
            if name not in facts.variables:
                facts.variables[name] = Variable(name, value.strip("\"'"))
                facts.sources.setdefault("environment.variables", text.place(offset))


@cache
def _variable_words() -> tuple[WordTable, re.Pattern[str], re.Pattern[str]]:
    """Return the names of the known variables as words, and the patterns of an assignment to one of them and of its printed value."""
    names = pasted_variables()
    every = "|".join(sorted(names, key=len, reverse=True))
    assignment = re.compile(rf"(?:^|[\s;`'\"(-]|set |export |ENV |-e |\$env:)({every}) ?= ?([^\s;`]{{0,400}})")
    printed = re.compile(
        rf"(?:echo|printenv) +[\"']?\$?\{{?(?:env:)?({every})\}}?[\"']?[ \t]*(?:(?:->|=>|prints?|gives?|shows?|says?):?[ \t]*|\n[ \t>]{{0,40}})"
        r"([A-Za-z0-9_*!][\w:;,.*!/-]{0,200})"
    )
    return WordTable(name.lower() for name in names), assignment, printed
