"""The formats of a fleet, in a table like that of reports.

The command line reads the names before anything else is loaded, so each renderer is imported when it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from xpu_doctor.report.formats import Format, View

if TYPE_CHECKING:
    from xpu_doctor.report.fleet.document import FleetDocument


def _text(document: FleetDocument, view: View) -> str:
    from xpu_doctor.report.fleet.text import fleet_text
    from xpu_doctor.report.terminal import Terminal, own_terminal

    return fleet_text(document, Terminal() if view.to_file else own_terminal(), verbose=view.verbose)


def _json(document: FleetDocument, _: View) -> str:
    from xpu_doctor.report.json_document import render_json

    return render_json(document)


def _markdown(document: FleetDocument, _: View) -> str:
    from xpu_doctor.report.fleet.markdown import fleet_markdown

    return fleet_markdown(document)


def _html(document: FleetDocument, _: View) -> str:
    from xpu_doctor.report.fleet.page import fleet_html

    return fleet_html(document)


def _prometheus(document: FleetDocument, _: View) -> str:
    from xpu_doctor.report.fleet.prometheus import fleet_metrics

    return fleet_metrics(document)


FORMATS = (
    Format("text", (".txt",), _text),
    Format("json", (".json",), _json),
    Format("markdown", (".md", ".markdown"), _markdown),
    Format("html", (".html", ".htm"), _html),
    Format("prometheus", (".prom",), _prometheus),
)
"""The first one is used where nothing says another."""
NAMES = tuple(each.name for each in FORMATS)
