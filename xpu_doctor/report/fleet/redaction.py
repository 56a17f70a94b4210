"""Hides in a fleet what is private: names and secrets as in every report, and the names of nodes where they are to be numbers."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xpu_doctor.fleet.names import STANDARD_INPUT, folded, is_general, natural, node_name
from xpu_doctor.report.fleet.document import FleetDocument, FleetRemedy, NotRead
from xpu_doctor.report.redaction import BREAK, free_of_secrets
from xpu_doctor.text.redact import Redactor

NAMES = frozenset({"nodes", "node", "missing", "unexpected", "name"})
"""Fields that hold names of nodes, or of their files."""
KEPT = frozenset({
    "state", "severity", "confidence", "risk", "code", "path", "kind", "dtype", "fail_on", "created", "oldest", "newest", "page", "device",
})  # fmt: skip
"""Fields with a closed set of values, and the doctor's own words."""
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,6}){1,5}(?:[-+~][\w.+~:-]{0,60})?")
_PLACE = re.compile(r"#\d{1,12}$")
"""Which part of a file it is."""
_WORD = re.compile(r"[\w.-]+")

Hide = Callable[[str], str]


def with_numbered_hosts(document: FleetDocument) -> FleetDocument:
    """Return a fleet whose nodes are called `<host1>`, `<host2>` ... in the order of their names, in every text of it."""
    names = {name for group in document.groups for name in group.nodes} | {*document.missing, *document.unexpected}
    names |= {row.node for rows in (document.changes, document.slow_cards, document.stale) for row in rows}
    numbers: dict[str, str] = {}
    _number(names, numbers)
    for name, number in list(numbers.items()):  # a file may be called by the first part of a node's name
        numbers.setdefault(name.partition(".")[0], number)
    _number(_names_of_files(document, numbers), numbers)

    def hide(text: str) -> str:
        return numbers.get(text) or _WORD.sub(lambda match: _numbered(match[0], numbers), text)

    def walk(value: Any, name: str) -> Any:
        return hide(value) if isinstance(value, str) and name not in KEPT else value

    def file(label: str) -> str:
        name = _name_of(label)
        before, _, after = label.rpartition(name) if name else (label, "", "")
        return f"{hide(before)}{_numbered(name, numbers)}{hide(after)}"

    made: FleetDocument = _walk(document, walk)
    return dataclasses.replace(
        made,
        groups=[dataclasses.replace(group, ranges=folded(group.nodes)) for group in made.groups],
        not_read=[
            _with_names(row, [file(each.name) for each in was.examples])
            for was, row in zip(document.not_read, made.not_read, strict=True)
        ],
    )


def _number(names: Iterable[str], numbers: dict[str, str]) -> None:
    """Give names the next numbers, in their order."""
    first = len(set(numbers.values())) + 1
    numbers.update((name, f"<host{number}>") for number, name in enumerate(sorted(names, key=natural), first))


def _names_of_files(document: FleetDocument, numbers: Mapping[str, str]) -> set[str]:
    """Return how nodes would be called by the files that gave none, without names that have a number."""
    names = {_name_of(file.name) for row in document.not_read for file in row.examples}
    return {name for name in names if name and _numbered(name, numbers) == name}


def _name_of(label: str) -> str:
    """Return the part of a file's name by which a node would be called; empty where it says nothing of one."""
    name = node_name(None, _PLACE.sub("", label))
    return "" if is_general(name) or name == STANDARD_INPUT else name


def _with_names(row: NotRead, names: Iterable[str]) -> NotRead:
    examples = [dataclasses.replace(file, name=name) for file, name in zip(row.examples, names, strict=True)]
    return dataclasses.replace(row, examples=examples)


def _numbered(word: str, numbers: Mapping[str, str]) -> str:
    """Return a word without the name of a node with which it begins: that of a file is followed by its ending."""
    if word in numbers:
        return numbers[word]
    parts = word.split(".")
    for end in range(len(parts) - 1, 0, -1):
        if (start := ".".join(parts[:end])) in numbers:
            return ".".join((numbers[start], *parts[end:]))
    return word


def redacted_fleet(document: FleetDocument, redactor: Redactor, words: Iterable[str] = ()) -> FleetDocument:
    """Return a fleet without what is private; the names of nodes and of files stay, which `--hosts` decides of.

    Lines to type keep their paths, as in a report on one machine, unless they hold a secret or one of the user's own words.
    """
    own = tuple(words)
    looking = Redactor(words=own)
    gathered: dict[str, None] = {}

    def gather(value: Any, name: str) -> Any:
        if (isinstance(value, str) and _is_hidden(value, name)) or (isinstance(value, str) and name in NAMES and own):
            gathered[value] = None
        return value

    _walk(document, gather)
    results = _together(list(gathered), redactor)

    def replace(value: Any, name: str) -> Any:
        if not isinstance(value, str):
            return value
        if name in NAMES:
            return looking.text(value) if own else value
        return results.get(value, value) if _is_hidden(value, name) else value

    typed = free_of_secrets(own)
    made: FleetDocument = _walk(document, replace, typed)
    if own:
        made = dataclasses.replace(
            made, groups=[dataclasses.replace(group, ranges=folded(group.nodes)) for group in made.groups]
        )
    return dataclasses.replace(made, redacted=dict(redactor.hidden))


def _is_hidden(text: str, name: str) -> bool:
    return (
        name not in KEPT
        and name not in NAMES
        and name != "ranges"
        and not (name in ("value", "others") and _VERSION.fullmatch(text))
    )


def _together(texts: list[str], redactor: Redactor) -> dict[str, str]:
    """Redact many texts as one: a name that one of them shows is hidden in all."""
    joined = [text for text in texts if "\x1e" not in text]
    results = redactor.text(BREAK.join(joined)).split(BREAK)
    if len(results) != len(joined):
        return {text: redactor.text(text) for text in texts}
    together = dict(zip(joined, results, strict=True))
    return {text: together[text] if text in together else redactor.text(text) for text in texts}


def _walk(
    value: Any, change: Callable[[Any, str], Any], typed: Callable[[str], bool] | None = None, name: str = ""
) -> Any:
    """Return a part of the document with its texts changed."""
    if isinstance(value, str):
        return change(value, name)
    if isinstance(value, list):
        return [_walk(item, change, typed, name) for item in value]
    if isinstance(value, FleetRemedy) and typed is not None:
        shown = typed("\n".join(value.commands))
        return dataclasses.replace(value, title=change(value.title, "title"), commands=value.commands if shown else [])
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields: Any = value
        names = [field.name for field in dataclasses.fields(fields) if field.name != "tool"]
        return dataclasses.replace(
            fields, **{each: _walk(getattr(fields, each), change, typed, each) for each in names}
        )
    return value
