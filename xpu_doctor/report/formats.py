"""The formats of a report: the one table of their names, the endings of their files, and what renders them.

The command line reads the names before anything else is loaded, so each renderer is imported when it is used.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document


class View(NamedTuple):
    """How a report is looked at."""

    to_file: bool = True
    """Whether it goes to a file, and not to a terminal or a pipe."""
    verbose: bool = False
    on_stderr: bool = False
    """Whether the terminal, if it is one, is that of stderr."""


class Format(NamedTuple):
    """One form of a report, or of another document such as a comparison."""

    name: str
    endings: tuple[str, ...]
    """Endings of files that are written so, in lower case; at least one."""
    render: Callable[[Any, View], str]
    """Return the whole document, which ends with a newline."""


def _text(report: Document, view: View) -> str:
    from xpu_doctor.report.terminal import Terminal, own_terminal
    from xpu_doctor.report.text import render_text

    terminal = Terminal() if view.to_file else own_terminal(on_stderr=view.on_stderr)
    return render_text(report, terminal, verbose=view.verbose)


def _json(report: Document, _: View) -> str:
    from xpu_doctor.report.json_document import render_json

    return render_json(report)


def _markdown(report: Document, view: View) -> str:
    from xpu_doctor.report.markdown import render_markdown

    return render_markdown(report, verbose=view.verbose)


def _junit(report: Document, _: View) -> str:
    from xpu_doctor.report.junit import render_junit

    return render_junit(report)


def _github(report: Document, _: View) -> str:
    from xpu_doctor.report.github import render_github

    return render_github(report)


def _html(report: Document, _: View) -> str:
    from xpu_doctor.report.html.page import render_html

    return render_html(report)


FORMATS = (
    Format("text", (".txt",), _text),
    Format("json", (".json",), _json),
    Format("markdown", (".md", ".markdown"), _markdown),
    Format("junit", (".xml",), _junit),
    Format("github", (".annotations",), _github),
    Format("html", (".html", ".htm"), _html),
)
"""The first one is used where nothing says another."""
NAMES = tuple(each.name for each in FORMATS)


def format_called(name: str, formats: tuple[Format, ...] = FORMATS) -> Format:
    """Return the format of a name."""
    return next(each for each in formats if each.name == name)


def format_of(path: str, given: str | None = None, formats: tuple[Format, ...] = FORMATS) -> str:
    """Return the name of the format in which a file is written: the one that was given for all, else by its ending, else text."""
    ending = os.path.splitext(path)[1].lower()
    return given or next((each.name for each in formats if ending in each.endings), formats[0].name)
