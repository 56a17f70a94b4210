"""A pasted text with the messages of systems in English, and with the apostrophes that people leave out: what all tables know. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from re import Match, Pattern

from xpu_doctor.tables.translations import translations
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import IndexedText, WordTable

NAME = r"""(?P<name>'[^'\n]{1,200}'|"[^"\n]{1,200}"|[^\s'"“”,，]{0,199}[^\s'"“”,，.])"""
"""What stands for a name in a message, with its quotes."""
_BEGINS = r"""(?<![^\s'"“”,，])"""
"""A message that begins with a name is sought where a word begins, so that a long word is looked at once."""
_LOADER = late_pattern(
    r"\b((?:ImportError: |OSError: |libraries: )lib[\w+.-]{1,80}?\.so[.\d]{0,20}): (?!cannot open)[^:\n]{4,100}: No such file or directory"
)
"""The loader's message about a library that is not there, of which one half is still in another language."""
_VERBS = ("do", "does", "did", "is", "are", "was", "were", "has", "have", "had", "could", "would", "should", "ca", "wo")
_BARE = tuple(f"{verb}nt" for verb in _VERBS)
_CONTRACTION = late_pattern(rf"(?<![\w./-])(?:{'|'.join(_BARE)})(?![\w./(=-])", re.IGNORECASE)


def in_english(text: IndexedText) -> IndexedText:
    """Return a text in which each message that the table knows is English; where it holds none, it is the same one."""
    if not _table().present(text):
        return text
    body = _translated(text)
    body = _CONTRACTION.sub(lambda found: f"{found[0][:-1]}'{found[0][-1]}", body)
    return text if body == text.body else IndexedText(body)


def is_translated(text: IndexedText) -> bool:
    """Return whether a text holds a message in another language, which is quoted in English then."""
    return bool(_table().present(text)) and _translated(text) != text.body


def _translated(text: IndexedText) -> str:
    present, body = _table().present(text), text.body
    for word, pattern, english in _messages():
        if word in present:
            body = pattern.sub(lambda found, english=english: _filled(english, found), body)  # type: ignore[misc]
    if ": No such file or directory" in body:
        body = _LOADER.sub(r"\1: cannot open shared object file: No such file or directory", body)
    return body


def _filled(english: str, found: Match[str]) -> str:
    """Return an English message with the name of the one that was found, in the quotes of the English one where it has some."""
    if "%s" not in english:
        return english
    name = found["name"]
    return english.replace("%s", name.strip("'\"") if "'%s'" in english else name)


@cache
def _messages() -> tuple[tuple[str, Pattern[str], str], ...]:
    """Return the longest part of each message, its pattern and its English text, the longest first."""
    return tuple(sorted(_compiled(), key=lambda item: -len(item[0])))


def _compiled() -> Iterator[tuple[str, Pattern[str], str]]:
    for row in translations():
        for said in row.said:
            parts = said.lower().split("%s")
            pattern = NAME.join(
                re.escape(part) for part in said.replace('"%s"', "%s").replace("'%s'", "%s").split("%s")
            )
            begins = _BEGINS if pattern.startswith(NAME) else ""
            yield max(parts, key=len).strip(" '\""), late_pattern(begins + pattern, re.IGNORECASE), row.english


@cache
def _table() -> WordTable:
    return WordTable((*(word for word, _, _ in _messages()), *_BARE))
