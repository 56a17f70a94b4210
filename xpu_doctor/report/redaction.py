"""The one walk over a finished report that hides what is private in every text of it: summaries, proof, notes, facts, the doctor's own command.

What stays: the keys, the codes and the doctor's own words (layers, states, package managers, paths of facts). The commands of a report
on this machine keep their paths, since they are there to be typed; one that holds a secret is not shown at all.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from typing import Any

from xpu_doctor.model import facts
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import Origin
from xpu_doctor.remedies.known_words import is_known_word
from xpu_doctor.report.document import Document, RemedyDocument, Tool
from xpu_doctor.report.this_process import own_name
from xpu_doctor.tables.variables import says_secret
from xpu_doctor.text.private_patterns import UNNUMBERED
from xpu_doctor.text.redact import Redactor
from xpu_doctor.text.site_patterns import private_hosts

NOT_REDACTED = (
    "this report is not redacted: names of users and machines, addresses and secrets are in it as they were found"
)
NOT_SHOWN = "The commands are not shown: they hold what this report hides."
SECRETS = UNNUMBERED | {"word"}
"""Kinds that no command may hold, whoever is to type it."""
KEPT = frozenset(
    {
        "schema",
        "created",
        "origin",
        "verdict",
        "exit_code",
        "layer",
        "state",
        "kind",
        "severity",
        "confidence",
        "risk",
        "code",
        "part",
        "fail_on",
        "place",
        "node",
    }
)
"""Fields of the document with a closed set of values, and the name that the user chose to keep."""
PERSONAL = frozenset({"user", "account_groups", "group"})
"""Facts that are names, whatever else they may mean."""
_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,6}){1,5}(?:[-+~][\w.+~-]{0,60})?")
_ONE_WORD = re.compile(r"[A-Za-z0-9][\w.+-]{0,63}")
BREAK = "\n\x1e\n"
"""Stands between texts that are redacted at once."""


class Place(Enum):
    """What a text is, where it is not prose."""

    PROSE = "prose"
    WORD = "word"
    """May be one of the doctor's own words, which then stays."""
    FACT = "fact"
    """May be the path of a fact, which then stays."""
    VERSION = "version"
    """May be a version of four numbers, which then stays everywhere: an address looks the same."""
    NAMED = "named"
    """Is a secret whatever it says, because of the name that it has."""


PLACES: Mapping[str, Place] = {"manager": Place.WORD, "fact": Place.FACT, "needs": Place.FACT}
"""Fields of the document by what they hold."""

Change = Callable[[str, Place], str]
"""Returns what stands for a text at a place."""
ToType = Callable[[str], bool]
"""Says whether lines may be shown as they are, to be typed on this machine."""


def index_hosts(*snapshots: Snapshot) -> tuple[str, ...]:
    """Return the hosts of the package indexes that settings name, without public ones."""
    settings = [each.installer.settings for each in snapshots if isinstance(each.installer.settings, tuple)]
    return private_hosts(setting.value for each in settings for setting in each)


def redacted_document(report: Document, redactor: Redactor, words: Iterable[str] = ()) -> Document:
    """Return a report without what is private, and with the number of values of each kind that were hidden."""
    own_words = tuple(words)
    to_type = free_of_secrets(own_words) if report.origin == Origin.LIVE else None
    result: Document = _redacted(report, redactor, lambda value, change: _document(value, change, to_type))
    return dataclasses.replace(result, redacted=dict(redactor.hidden))


def redacted_snapshot(facts: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """Return a snapshot's plain values without what is private."""
    result: dict[str, Any] = _redacted(facts, redactor, lambda value, change: _facts(value, "", change))
    return result


def _redacted(value: Any, redactor: Redactor, walk: Callable[[Any, Change], Any]) -> Any:
    """Walk twice: to gather the texts, which are redacted all at once, and to put the results in their places."""
    gathered: dict[str, None] = {}
    versions: set[str] = set()

    def gather(text: str, place: Place) -> str:
        if place is Place.VERSION and _VERSION.fullmatch(text):
            versions.add(text)
        elif place is not Place.NAMED:
            gathered[text] = None
        return text

    walk(value, gather)
    results = {
        **_texts([text for text in gathered if text not in versions], redactor),
        **{text: text for text in versions},
    }

    def replace(text: str, place: Place) -> str:
        if place is Place.NAMED:
            return redactor.hide(text, "secret")
        return text if _stays(text, place, results[text]) else results[text]

    return walk(value, replace)


def _texts(texts: list[str], redactor: Redactor) -> dict[str, str]:
    """Redact many texts as one: a name that one of them shows is hidden in all."""
    joined = [text for text in texts if "\x1e" not in text]
    results = redactor.text(BREAK.join(joined)).split(BREAK)
    if len(results) == len(joined):
        together = dict(zip(joined, results, strict=True))
        return {text: together[text] if text in together else redactor.text(text) for text in texts}
    return {text: redactor.text(text) for text in texts}


def _stays(text: str, place: Place, redacted: str) -> bool:
    """Return whether a text is the doctor's own although a name is spelt as it is."""
    if redacted == text or place in (Place.PROSE, Place.VERSION):
        return False
    return _is_word(text) if place is Place.WORD else _is_fact(text)


def _is_word(text: str) -> bool:
    if _ONE_WORD.fullmatch(text) is None:
        return False
    return is_known_word(text)


def _is_fact(path: str) -> bool:
    """Return whether a path is made of the names of facts."""
    return all(name in _fact_names() or name.isdigit() for name in path.replace("[", ".").replace("]", "").split("."))


@cache
def _fact_names() -> frozenset[str]:
    classes = (Snapshot, *(value for value in vars(facts).values() if hasattr(value, "__dataclass_fields__")))
    return frozenset(name for each in classes for name in each.__dataclass_fields__)


# ---------------------------------------------------------------------------------------------- the document


def _document(value: Any, change: Change, to_type: ToType | None, name: str = "") -> Any:
    """Return a part of the document with its texts changed; `to_type` looks at commands that keep their paths."""
    if name == "fix":  # a line to type: whole or not there
        return _to_type(value, change) if to_type and to_type(value) else ""
    if isinstance(value, str):
        return value if name in KEPT else change(value, PLACES.get(name, Place.PROSE))
    if isinstance(value, list):
        return [_document(item, change, to_type, name) for item in value]
    if isinstance(value, Tool):
        return dataclasses.replace(value, command=_callable(value.command, change))
    if isinstance(value, RemedyDocument):
        return _remedy(value, change, to_type)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields: Any = value
        parts = {field.name: getattr(fields, field.name) for field in dataclasses.fields(fields)}
        changed = {
            key: _facts(part, "", change) if key == "snapshot" else _document(part, change, to_type, key)
            for key, part in parts.items()
        }
        return dataclasses.replace(fields, **changed)
    return value


def _to_type(line: str, change: Change) -> str:
    """Return a line that calls the doctor, by its name alone where the path to it is private."""
    own, fix, rest = line.partition(" fix ")
    return f"{_callable(own, change)}{fix}{rest}"


def _callable(command: str, change: Change) -> str:
    """Return how the doctor is called, by its name alone where the path to it is private."""
    changed = {name: change(name, Place.PROSE) for name in (command, own_name())}
    return next((name for name, shown in changed.items() if name == shown), "xpu-doctor")


def _remedy(remedy: RemedyDocument, change: Change, to_type: ToType | None) -> RemedyDocument:
    """Return a remedy whose commands are whole or not there: a placeholder in a command would mean something else to a shell."""
    typed = "\n".join((*remedy.commands, *remedy.verify))
    shown = to_type(typed) if to_type else change(typed, Place.PROSE) == typed
    why = change(remedy.why, Place.PROSE)
    return dataclasses.replace(
        remedy,
        title=change(remedy.title, Place.PROSE),
        why=why if shown else f"{why} {NOT_SHOWN}".strip(),
        commands=remedy.commands if shown else [],
        os=change(remedy.os, Place.WORD),
        manager=change(remedy.manager, Place.WORD),
        verify=remedy.verify if shown else [],
        url=change(remedy.url, Place.PROSE),
    )


def free_of_secrets(words: tuple[str, ...]) -> ToType:
    """Return what says whether lines hold neither a secret nor one of the user's own words."""

    @cache
    def free(lines: str) -> bool:
        looking = Redactor(words=words)
        looking.text(lines)
        return looking.hidden.keys().isdisjoint(SECRETS)

    return free


# ---------------------------------------------------------------------------------------------- the snapshot


def _facts(value: Any, name: str, change: Change, of_plugin: bool = False) -> Any:
    """Return plain values of a snapshot with their texts changed; `name` is the field that holds them."""
    if isinstance(value, str):
        return change(value, Place.PROSE if of_plugin else _place_of(name))
    if isinstance(value, (list, tuple)):
        if name == "command" and not of_plugin and all(isinstance(item, str) for item in value):
            return _words_of(value, change)
        return [_facts(item, name, change, of_plugin) for item in value]
    if not isinstance(value, Mapping):
        return value
    if of_plugin:
        hidden = {key for key, item in value.items() if _hides(key, item)}
        return {
            change(key, Place.WORD): change(item, Place.NAMED) if key in hidden else _facts(item, key, change, True)
            for key, item in value.items()
        }
    if name == "plugins":
        return {key: _facts(item, key, change, True) for key, item in value.items()}
    if name in ("variables", "fallback_variables") and _hides(value.get("name", ""), value.get("value")):
        return {"name": change(value["name"], Place.WORD), "value": change(value["value"], Place.NAMED)}
    return {key: _facts(item, key, change) for key, item in value.items()}


def _words_of(command: Sequence[str], change: Change) -> list[str]:
    """Return the words of a command, which is read as a line, too: what is private in one may be told by the word before it."""
    words = [change(word, Place.PROSE) for word in command]
    line = " ".join(command)
    changed = change(line, Place.PROSE)
    if changed in (line, " ".join(words)):
        return words
    apart = changed.split(" ")
    blank = any(" " in word for word in command)
    return apart if len(apart) == len(words) and not blank else [changed]


def _place_of(name: str) -> Place:
    """Return what a field of the snapshot holds."""
    if name == "fact":
        return Place.FACT
    if "version" in name:
        return Place.VERSION
    return Place.PROSE if name in PERSONAL else Place.WORD


def _hides(name: object, value: object) -> bool:
    """Return whether the name of a value says that it is a secret."""
    return isinstance(name, str) and isinstance(value, str) and value != "" and says_secret(name)
