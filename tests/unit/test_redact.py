"""Placeholders, counts and own words of the redactor."""

from __future__ import annotations

import time

from xpu_doctor.text.redact import Redactor


def test_same_value_same_placeholder() -> None:
    """Two users stay two, one stays one, in whatever case; each kind counts its own values."""
    redactor = Redactor(users=("anna", "bert"), hosts=("atlas7",))
    text = redactor.text("anna@atlas7 wrote to bert; Anna asked 10.1.2.3, then 10.1.2.4 and 10.1.2.3 again")
    assert text == "<user1>@<host1> wrote to <user2>; <user1> asked <ip1>, then <ip2> and <ip1> again"
    assert dict(redactor.hidden) == {"host": 1, "ip": 2, "user": 2}


def test_what_was_not_there_is_not_counted() -> None:
    """A known name that no text holds was not hidden."""
    redactor = Redactor(users=("anna",), words=("acme",))
    assert redactor.text("nothing private") == "nothing private"
    assert dict(redactor.hidden) == {}


def test_own_words() -> None:
    """They are replaced in any case between characters that are no letters and no digits, and nowhere inside a longer word."""
    redactor = Redactor(words=("Acme", "blue moon"))
    assert redactor.text("acme_corp /opt/ACME/x acmes the Blue Moon") == "<word1>_corp /opt/<word1>/x acmes the <word2>"


def test_placeholders_are_left_alone() -> None:
    """Redacting twice changes nothing, even where a name is called as a placeholder's word."""
    redactor = Redactor(users=("user", "user1", "host"), hosts=("ip",), words=("user1", "secret"))
    once = redactor.text("/home/user1/x password=hunter22 user1@pc 10.1.2.3")
    assert redactor.text(once) == once


def test_values_hide_a_name_in_all_texts() -> None:
    """A home folder in the last text tells a name that the first one holds."""
    assert Redactor().values({"a": "anna was here", "b": ["/home/anna/x"]}) == {
        "a": "<user1> was here",
        "b": ["/home/<user1>/x"],
    }


def test_thousands_of_names_take_no_time() -> None:
    """All known names are looked for at once; one by one, these took half a minute."""
    names = [f"quux{number:04d}q" for number in range(4000)]
    text = "\n".join(f"{name} did /home/{name}/x" for name in names)
    started = time.process_time()
    redacted = Redactor(users=names).text(text)
    assert time.process_time() - started < 5.0
    assert "quux" not in redacted
