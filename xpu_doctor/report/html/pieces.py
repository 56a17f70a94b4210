"""Small pieces of the page that several of its parts use: marks, links, lines to type, folded blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from xpu_doctor.report.html.markup import Child, Markup, element, is_address, joined
from xpu_doctor.tables.fact_labels import label_of

MARKS = {
    "ok": ("M4.6 8.3 7 10.6 11.5 5.6", "ring"),
    "fault": ("M5.4 5.4 10.6 10.6M10.6 5.4 5.4 10.6", "disc"),
    "blocked": ("M8 4.4V11M5.2 8.3 8 11 10.8 8.3", "dashed"),
    "unknown": ("M6 6.3C6.1 4 10 4 10 6.3 10 7.8 8 7.7 8 9.3M8 11.4V11.5", "ring"),
    "skipped": ("M5.4 8H10.6", "bare"),
    "warning": ("M8 4.2V8.8M8 11.6V11.7", "disc"),
    "note": ("M8 7.4V11.7M8 4.5V4.6", "ring"),
}
"""The stroke of each mark in a square of 16, and what stands around it."""


def sprite() -> Markup:
    """Return the marks, drawn once for the whole page."""
    return element("svg", (_symbol(name) for name in MARKS), class_="sprite", aria_hidden="true", focusable="false")


def _symbol(name: str) -> Markup:
    stroke, around = MARKS[name]
    circle = element("circle", cx="8", cy="8", r="7", class_=f"around {around}") if around != "bare" else None
    line = element("path", d=stroke, class_=f"stroke on-{around}")
    return element("symbol", circle, line, id=f"mark-{name}", viewBox="0 0 16 16")


def mark(name: str) -> Markup:
    """Return a mark; the word that it stands for is always beside it, so it is silent."""
    return element("svg", element("use", href=f"#mark-{name}"), class_=f"mark {name}", aria_hidden="true")


def code(text: str) -> Markup:
    """Return a name, path or value as it is typed."""
    return element("code", text)


def prose(text: str) -> Markup:
    """Return a sentence in which what stands between backticks is typed, and no option is broken at its hyphens."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return joined(_unbroken(text))
    return joined(code(part) if number % 2 else _unbroken(part) for number, part in enumerate(parts))


def _unbroken(text: str) -> Iterable[Child]:
    parts = re.split(r"((?<!\S)--[\w-]+)", text)
    return (element("span", part, class_="option") if number % 2 else part for number, part in enumerate(parts))


def fact(name: str) -> Markup:
    """Return what a fact is called in words, and its path."""
    label = label_of(name)
    return joined(element("span", label, class_="called"), " ", path(name)) if label != name else path(name)


def path(text: str) -> Markup:
    """Return the path of a fact, which breaks between its names where it has to."""
    return element("code", _breaking(text, r"(?<=[.\]])|(?=_)"))


def _breaking(text: str, place: str) -> Iterable[Child]:
    """Yield a text with marks where it may break."""
    for number, part in enumerate(re.split(place, text)):
        if number:
            yield element("wbr")
        yield part


def link(address: str, *children: Child) -> Markup:
    """Return a link to a page, or the bare text where the address is none."""
    if not is_address(address):
        return joined(*(children or (address,)))
    shown = children or _breaking(address.removeprefix("https://"), r"(?<=[/_])(?!/)")
    return element("a", *shown, href=address, rel="noreferrer")


def commands(lines: Sequence[str], says: str) -> Markup | None:
    """Return lines to type; a click selects them all, and the script adds a button. `says` is what they do, for the button."""
    if not lines:
        return None
    last = len(lines) - 1
    typed = (element("code", _words(line), "\n" if number != last else None) for number, line in enumerate(lines))
    return element("div", element("pre", typed), class_="commands", data_says=says)


def _words(line: str) -> Iterable[Child]:
    """Return a line whose words are not broken at their hyphens."""
    for number, word in enumerate(line.split(" ")):
        if number:
            yield " "
        if word:
            yield element("span", word)


def section(name: str, heading: Child, *children: Child, class_: str = "") -> Markup:
    """Return a section with its heading, to which the name leads."""
    title = element("h2", heading, id=name)
    return element("section", title, *children, class_=class_ or None, aria_labelledby=name)


def folded(summary: Child, *children: Child, class_: str = "", opened: bool = False) -> Markup:
    """Return a block that is opened by a click; on paper it is open."""
    inside = element("div", *children, class_="inside")
    return element("details", element("summary", summary), inside, class_=class_ or None, open=opened)


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with the word for what is counted."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def bulleted(items: Iterable[Child], class_: str = "") -> Markup:
    """Return a list."""
    return element("ul", (element("li", item) for item in items), class_=class_ or None, role="list")
