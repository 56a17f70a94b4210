"""HTML that cannot be broken by what stands in it: text becomes `Markup` by being escaped, and in no other way."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from functools import cache
from hashlib import sha256
from html import escape
from typing import Union, final

from xpu_doctor.text.visible import visible

Child = Union["Markup", str, None, Iterable["Child"]]
"""What may stand inside an element: a text is escaped, None is nothing."""
Attribute = str | int | float | bool | None
"""True is an attribute without a value; False and None leave it out."""
_VOID = frozenset({"meta", "link", "input", "br", "hr", "wbr"})
_OWN_ALONE = frozenset({"script", "style"})
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_ADDRESS = re.compile(r"https?://[^\s\\]+|#[\w.-]+|data:(?:,|image/svg\+xml;base64,[A-Za-z0-9+/=]+)")
"""What a link may lead to: a page, a place on this one, or an image that is written out."""


@final
class Markup:
    """A piece of HTML; the functions of this module alone make one, so everything in it is escaped."""

    __slots__ = ("_html",)

    def __init__(self, html: str, *, made_by: object) -> None:
        if made_by is not _MAKER:
            raise TypeError("Markup is made by element(), escaped() and joined() only")
        self._html = html

    def __str__(self) -> str:
        raise TypeError("a piece of HTML is no text; page() writes it out")

    def __bool__(self) -> bool:
        return bool(self._html)


_MAKER = object()


def _made(html: str) -> Markup:
    return Markup(html, made_by=_MAKER)


def joined(*children: Child) -> Markup:
    """Return pieces one after the other."""
    return _made("".join(_written(children)))


def element(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """Return an element; `_` in the name of an attribute stands for `-`, and one at its end for nothing (`class_`).

    Raises:
        ValueError: a name is none, a link leads to something that is no page, or it would hold code or style.
    """
    if name in _OWN_ALONE:
        raise ValueError(f"a {name} element holds what is not escaped: use stylesheet() or script()")
    opening = f"<{_name(name)}{''.join(_attribute(key, value) for key, value in attributes.items())}>"
    return _made(opening if name in _VOID else f"{opening}{''.join(_written(children))}</{name}>")


def is_address(text: str) -> bool:
    """Return whether a text is the address of a page."""
    return text.startswith("http") and _ADDRESS.fullmatch(text) is not None


def stylesheet(css: str) -> Markup:
    """Return the page's own style."""
    return _own("style", css)


def script(code: str) -> Markup:
    """Return the page's own script."""
    return _own("script", code)


def source_hash(source: str) -> str:
    """Return what a Content-Security-Policy calls an inline style or script."""
    return f"'sha256-{b64encode(sha256(source.encode()).digest()).decode()}'"


def page(head: Markup, body: Markup, *, language: str) -> str:
    """Return a whole document in ASCII, which reads the same in every encoding that a shell writes a file in."""
    document = element("html", head, body, lang=language)
    return f"<!DOCTYPE html>\n{document._html}\n".encode("ascii", "xmlcharrefreplace").decode()


def _own(name: str, source: str) -> Markup:
    if "</" in source or "<!--" in source or not source.isascii():
        raise ValueError(f"this cannot stand in a {name} element as it is")
    return _made(f"<{name}>{source}</{name}>")


def _written(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, Markup):
            yield child._html
        elif isinstance(child, str):
            yield escape(visible(child))
        elif child is not None:
            yield from _written(child)


@cache
def _name(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} is no name of an element or attribute")
    return name


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = _name(key.rstrip("_").replace("_", "-"))
    if name == "style" or name.startswith("on"):
        raise ValueError(f"the attribute {name} is not for pages without code in them")
    if name in ("href", "src") and _ADDRESS.fullmatch(str(value)) is None:
        raise ValueError(f"{value!r} is no address of a page")
    return f" {name}" if value is True else f' {name}="{escape(visible(str(value)))}"'
