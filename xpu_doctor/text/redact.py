"""The one choke point for names of people and machines, addresses, and secrets: nothing leaves in an output around it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.private_patterns import NAMES, UNNUMBERED, Pattern
from xpu_doctor.text.private_search import (
    EVERYWHERE,
    NAMED,
    NOT_A_USER,
    PASTED,
    STANDS_FOR_SOMEBODY,
    found,
    in_columns,
    is_a_word,
    lines_of,
)
from xpu_doctor.text.secret_patterns import without_keys
from xpu_doctor.text.word_index import IndexedText


class Redactor:
    """Replaces names, addresses, identifiers and secrets; the same value always gets the same placeholder (`<user1>`, `<ip2>`).

    `words` are the user's own: each is replaced wherever it stands between characters that are neither letters nor digits, in any case.
    `pasted` texts show names in prompts, answers of commands and logs, too.
    """

    def __init__(
        self, users: Iterable[str] = (), hosts: Iterable[str] = (), words: Iterable[str] = (), *, pasted: bool = False
    ) -> None:
        self._names: dict[str, str] = {}
        self._words = tuple(dict.fromkeys(word.lower() for word in words if word.strip()))
        self._placeholders: dict[str, dict[str, str]] = {}
        self._pasted = pasted
        for name in hosts:
            self._learn(name, "host")
        for name in users:
            self._learn(name, "user")

    @property
    def hidden(self) -> Mapping[str, int]:
        """How many different values of each kind were replaced so far: `user`, `host`, `ip`, `secret` ..."""
        return {kind: len(values) for kind, values in sorted(self._placeholders.items())}

    @property
    def names(self) -> Mapping[str, str]:
        """The names that are known so far, in lower case, and their kinds."""
        return self._names

    def learn(self, text: IndexedText) -> None:
        """Remember the names that a pasted text shows in prompts, answers of commands, logs, variables and tables."""
        for pattern in NAMED.held_by(text):
            for number in lines_of(pattern, text):
                for kind, start, end in found(pattern, text.line(number)):
                    self._learn(text.line(number)[start:end], kind)
        for kind, value in in_columns(text):
            self._learn(value, kind)

    def text(self, text: str | IndexedText) -> str:
        """Return a text without what is private."""
        searched = text if isinstance(text, IndexedText) else IndexedText(text)
        if not searched.body:
            return ""
        if self._words:
            searched = IndexedText(self._without_words(searched.body))
        spaced = [name for name in self._names if " " in name]
        if spaced:  # before the first of their words is taken for the whole
            searched = IndexedText(self._without_names(searched.body, spaced))
        if "private key" in searched.lowered:
            searched = IndexedText(self._without_keys(searched.body))
        lines: dict[int, str] = {}
        for pattern in (PASTED if self._pasted else EVERYWHERE).held_by(searched):
            for number in lines_of(pattern, searched):
                line = lines.get(number)
                line = searched.line(number) if line is None else line
                changed = self._replaced(pattern, line)
                if changed is not line:
                    lines[number] = changed
        return self._without_names(_with_lines(searched, lines), self._names)

    def values(self, value: Any) -> Any:
        """Return plain JSON values with every text redacted; keys stay. A name that one text shows is hidden in all of them."""
        known = len(self._names)
        result = self._each(value)
        return result if len(self._names) == known else self._each(value)

    def hide(self, value: str, kind: str) -> str:
        """Return what stands for a value that is private whatever it looks like."""
        return self._placeholder(kind, value)

    def _each(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._each(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._each(item) for item in value]
        return value

    def _learn(self, name: str, kind: str) -> None:
        """Remember a name, so that it is replaced wherever it stands; one that is a word of the field is not remembered."""
        key = name.lower()
        if len(key) > 1 and not key.isdigit() and not is_a_word(key) and not STANDS_FOR_SOMEBODY.match(key):
            self._names.setdefault(key, kind)

    def _placeholder(self, kind: str, value: str) -> str:
        """Return what stands for a value, and count it."""
        values = self._placeholders.setdefault(kind, {})
        return values.setdefault(value.lower(), f"<{kind}>" if kind in UNNUMBERED else f"<{kind}{len(values) + 1}>")

    def _replaced(self, pattern: Pattern, line: str) -> str:
        """Replace the values that a pattern finds in a line; the same line where there is none."""
        pieces: list[str] = []
        done = 0
        for kind, start, end in found(pattern, line):
            value = line[start:end]
            if pattern.learns and kind in NAMES:
                self._learn(value, kind)
            pieces += (line[done:start], self._placeholder(self._names.get(value.lower(), kind), value))
            done = end
        return "".join((*pieces, line[done:])) if pieces else line

    def _without_keys(self, text: str) -> str:
        lines = text.split("\n")
        for number in range(without_keys(lines)):
            self._placeholder("secret", f"private key {number}")
        return "\n".join(lines)

    def _without_words(self, text: str) -> str:
        """Replace the user's own words."""

        def word(match: re.Match[str]) -> str:
            return match[0] if _is_a_placeholder(match) else self._placeholder("word", match[0])

        return re.sub(rf"(?i)(?<![^\W_]){_alternation(self._words)}(?![^\W_])", word, text)

    def _without_names(self, text: str, names: Iterable[str]) -> str:
        """Replace known names where they stand as a whole word, never inside another one; the longest of them first."""
        if not names:
            return text
        lowered = text.lower()
        present = tuple(name for name in names if name in lowered)
        if not present:
            return text

        def name(match: re.Match[str]) -> str:
            kind = self._names.get(match[0].lower(), "user")
            return match[0] if _is_a_placeholder(match) else self._placeholder(kind, match[0])

        return _whole_words(present).sub(name, text)


_PLACEHOLDER = late_pattern(
    r"<(?:user|host|domain|ip|mac|email|serial|uuid|account|word|secret|token|credentials)\d{0,6}>"
)


def _is_a_placeholder(match: re.Match[str]) -> bool:
    """Return whether a word stands in a placeholder."""
    return bool(match.start() and _PLACEHOLDER.match(match.string, match.start() - 1, match.end() + 1))


_SUFFIX = r"com|net|org|edu|gov|local|lan|home|internal|intra|corp|localdomain|example|test|txt|log|json|key|pem|pub|csv|zip|tar|gz|html?|pdf|[a-z]{2}"
"""How the names of machines and of files end: what follows another dot is a part of a program."""


@lru_cache(maxsize=16)
def _whole_words(names: tuple[str, ...]) -> re.Pattern[str]:
    """Match any of the names, but not as a part of a longer word or of a program's dotted name."""
    dotted = rf"(?!(?!\.(?:[\w-]{{1,63}}\.){{0,6}}(?:{_SUFFIX})(?!\w|\.\w))(?-i:\.[a-z_]\w))"
    return re.compile(rf"(?i)(?<![\w.-]){_alternation(names)}(?![\w-]){dotted}")


def _alternation(words: Iterable[str]) -> str:
    """Return a pattern for any of these words, the longest first, which looks at each letter of a text once: common beginnings are shared."""
    ends = ""
    branches: list[str] = []
    for first, group in groupby(sorted(set(words)), key=lambda word: word[:1]):
        same = list(group)
        if not first:
            ends = "?"
            continue
        shared = os.path.commonprefix(same)  # noqa: RUF071 - of letters, not of folders
        branches.append(
            re.escape(shared) + (_alternation(word[len(shared) :] for word in same) if len(same) > 1 else "")
        )
    return f"(?:{'|'.join(branches)}){ends}"


def _with_lines(text: IndexedText, lines: Mapping[int, str]) -> str:
    """Return a text in which some lines are others."""
    return "".join(_pieces(text, lines)) if lines else text.body


def _pieces(text: IndexedText, lines: Mapping[int, str]) -> Iterator[str]:
    done = 0
    for number in sorted(lines):
        start, end = text.span(number)
        yield text.body[done:start]
        yield lines[number]
        done = end
    yield text.body[done:]


def redactor_here(
    environment: Mapping[str, str] | None = None,
    words: Iterable[str] = (),
    users: Iterable[str] = (),
    hosts: Iterable[str] = (),
) -> Redactor:
    """Return a redactor that knows this machine's user and host names, further users and hosts, and the user's own words."""
    variables = os.environ if environment is None else environment
    named = {variables.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    home = os.path.basename(variables.get("HOME") or variables.get("USERPROFILE") or "")
    node = os.uname().nodename if hasattr(os, "uname") else variables.get("COMPUTERNAME", "")
    machine = {node, variables.get("HOSTNAME", ""), variables.get("COMPUTERNAME", "")}
    short = {
        host.partition(".")[0] for host in machine
    }  # of `tower7.example.org` people and logs often give the first part
    return Redactor(_worth_hiding({*named, *users, home}), _worth_hiding({*machine, *short, *hosts}), words)


def _worth_hiding(names: Iterable[str]) -> tuple[str, ...]:
    """Names that could point at a person or a machine; `root` and `localhost` point at nobody."""
    return tuple(
        sorted(
            name for name in names if len(name) > 1 and name.lower() not in ("root", "localhost", "home", *NOT_A_USER)
        )
    )
