"""Finds the names of people and machines in pasted texts, so that they can be replaced before anything is read from them."""

from __future__ import annotations

from collections.abc import Iterable

from xpu_doctor.text.redact import Redactor
from xpu_doctor.text.word_index import IndexedText


def redactor_for(
    texts: Iterable[IndexedText], users: Iterable[str] = (), words: Iterable[str] = (), hosts: Iterable[str] = ()
) -> Redactor:
    """Return a redactor that knows the names in these texts, further users and hosts, and the user's own words."""
    redactor = Redactor(users, hosts, words, pasted=True)
    for text in texts:
        redactor.learn(text)
    return redactor


def names_in(text: IndexedText) -> tuple[set[str], set[str]]:
    """Return the user names and the host names that prompts, listings and logs of a text show, in lower case."""
    names = redactor_for([text]).names
    users = {name for name, kind in names.items() if kind == "user"}
    return users, names.keys() - users
