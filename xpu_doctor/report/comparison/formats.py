"""The forms of a comparison: the one table of their names, the endings of their files, and what renders them.

The command line reads the names before anything else is loaded, so each renderer is imported when it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from xpu_doctor.report.formats import View

if TYPE_CHECKING:
    from xpu_doctor.report.comparison.document import ComparisonDocument


class Form(NamedTuple):
    """One form of a comparison."""

    name: str
    endings: tuple[str, ...]
    """Endings of files that are written so, in lower case."""
    render: Callable[[ComparisonDocument, View], str]
    """Return the whole comparison, which ends with a newline."""


def _text(document: ComparisonDocument, view: View) -> str:
    from xpu_doctor.report.comparison.text import comparison_text
    from xpu_doctor.report.terminal import Terminal, own_terminal

    return comparison_text(document, Terminal() if view.to_file else own_terminal(), verbose=view.verbose)


def _json(document: ComparisonDocument, _: View) -> str:
    from xpu_doctor.report.json_document import render_json

    return render_json(document)


def _markdown(document: ComparisonDocument, _: View) -> str:
    from xpu_doctor.report.comparison.markdown import comparison_markdown

    return comparison_markdown(document)


def _html(document: ComparisonDocument, _: View) -> str:
    from xpu_doctor.report.comparison.page import comparison_html

    return comparison_html(document)


FORMS = (
    Form("text", (".txt",), _text),
    Form("json", (".json",), _json),
    Form("markdown", (".md", ".markdown"), _markdown),
    Form("html", (".html", ".htm"), _html),
)
"""The first one is used where nothing says another."""
NAMES = tuple(each.name for each in FORMS)


def form_of(path: str, given: str | None = None) -> Form:
    """Return the form in which a file is written: the one that was given for all, else by its ending, else text."""
    ending = os.path.splitext(path)[1].lower()
    return next((each for each in FORMS if each.name == given or (given is None and ending in each.endings)), FORMS[0])
