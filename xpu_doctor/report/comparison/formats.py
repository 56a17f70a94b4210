"""The formats of a comparison, in a table like that of reports.

The command line reads the names before anything else is loaded, so each renderer is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpu_doctor.report.formats import Format, View

if TYPE_CHECKING:
    from xpu_doctor.report.comparison.document import ComparisonDocument


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


FORMATS = (
    Format("text", (".txt",), _text),
    Format("json", (".json",), _json),
    Format("markdown", (".md", ".markdown"), _markdown),
    Format("html", (".html", ".htm"), _html),
)
"""The first one is used where nothing says another."""
NAMES = tuple(each.name for each in FORMATS)
