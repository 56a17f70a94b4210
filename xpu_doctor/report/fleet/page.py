"""The fleet as one HTML page that asks for nothing else, in the style of the page of a report: a map of nodes, then its groups."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.fleet.names import folded
from xpu_doctor.report.fleet.document import FleetCause, FleetDocument, GroupDocument
from xpu_doctor.report.fleet.map import SIGNS, STATES, WORDS, Cell, cells
from xpu_doctor.report.fleet.words import (
    change_in_words,
    fact_in_words,
    few_speeds,
    headline,
    named,
    not_read_in_words,
    of_most,
    slow_in_words,
    title,
)
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import bulleted, code, prose, section
from xpu_doctor.report.html.pieces import folded as block
from xpu_doctor.report.html.shell import shell
from xpu_doctor.text.packaged import packaged_text

MAX_GROUPS = 300
MAX_ROWS = 200
MAX_RANGES = 40


def fleet_html(document: FleetDocument) -> str:
    """Return the fleet as one HTML document in ASCII that ends with a newline."""
    css = packaged_text("report", "fleet", "page.css")
    name = f"Fleet of {document.nodes} nodes"
    return shell(name, _main(document), _about(document), tool=document.tool, created=document.created, more_css=css)


def _main(document: FleetDocument) -> Markup:
    outliers = [group for group in document.groups if not group.majority]
    most = [group for group in document.groups if group.majority]
    return joined(
        _hero(document),
        _map(document),
        _groups(document, "outliers", "Outliers, the worst first", outliers),
        _rows("slow", "Slow cards", [slow_in_words(card) for card in document.slow_cards]),
        _rows("missing", "Missing, expected and without a report", folded(document.missing)),
        _groups(document, "most", of_most(document, most), most),
        _rows("changes", "Changed between reports", [change_in_words(row) for row in document.changes]),
        _rows(
            "stale",
            "Reports that are more than a day older than most",
            [f"{row.node} ({row.created})" for row in document.stale],
        ),
        _rows("unexpected", "Not expected", folded(document.unexpected)),
        _rows("not-read", "Files that gave no node", [not_read_in_words(row, 20) for row in document.not_read]),
    )


def _hero(document: FleetDocument) -> Markup:
    well = (
        not document.outliers
        and not document.missing
        and document.nodes
        and document.states["healthy"] == document.nodes
    )
    mood, word = ("ok", "Alike") if well else ("fault", "Faults") if document.states["error"] else ("unknown", "Fleet")
    return element(
        "div",
        element("p", element("span", word), element("span", f"{document.nodes} nodes"), class_=f"kicker {mood}"),
        element("h1", headline(document), class_="long"),
        class_="hero",
    )


def _map(document: FleetDocument) -> Markup | None:
    found = cells(document)
    if not found:
        return None
    present = {cell.state for cell in found}
    key = (_key(state) for state in STATES if state in present)
    return section(
        "map",
        "Nodes by name",
        element("ul", key, class_="key", role="list"),
        element("ul", map(_cell, found), class_="map", role="list"),
        class_="fleet-part",
    )


def _key(state: str) -> Markup:
    return element("li", element("span", SIGNS[state], class_=f"cell {state}", aria_hidden="true"), WORDS[state])


def _cell(cell: Cell) -> Markup:
    said = (
        f"{cell.names}: {WORDS[cell.state]}"
        if cell.nodes == 1
        else f"{cell.names}: {cell.odd} of {cell.nodes} {WORDS[cell.state]}"
    )
    sign = element("span", SIGNS[cell.state], aria_hidden="true")
    return element("li", sign, element("span", said, class_="unseen"), class_=f"cell {cell.state}", title=said)


def _groups(document: FleetDocument, name: str, heading: str, groups: Sequence[GroupDocument]) -> Markup | None:
    if not groups:
        return None
    more = element("p", f"{len(groups) - MAX_GROUPS} more groups.") if len(groups) > MAX_GROUPS else None
    rows = (_group(document, group) for group in groups[:MAX_GROUPS])
    return section(name, heading, element("ul", rows, class_="nodes-alike", role="list"), more, class_="fleet-part")


def _group(document: FleetDocument, group: GroupDocument) -> Markup:
    also = "; ".join(fact_in_words(fact) for fact in group.also)
    details = [f"{row.node}: {row.subject}" for row in group.details[:MAX_ROWS]]
    return element(
        "li",
        element("h3", title(document, group)),
        map(_cause, group.causes),
        element("p", named(group.ranges, MAX_RANGES), class_="names"),
        element("p", f"Also: {also}", class_="also") if also else None,
        block(element("span", "Cards at fault"), bulleted(details)) if details else None,
        class_="alike",
    )


def _cause(cause: FleetCause) -> Markup:
    return joined(
        element("p", code(cause.code), " ", prose(cause.summary)),
        [_remedy(row.title, row.commands) for row in cause.remedies[:1]],
    )


def _remedy(heading: str, commands: Sequence[str]) -> Markup:
    lines = element("pre", code("\n".join(commands)), tabindex="0") if commands else None
    return joined(element("p", prose(heading)), lines)


def _rows(name: str, heading: str, rows: Sequence[str]) -> Markup | None:
    if not rows:
        return None
    shown: list[Child] = [*rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        shown.append(f"{len(rows) - MAX_ROWS} more")
    return section(name, heading, bulleted(shown, "notes"), class_="fleet-part")


def _about(document: FleetDocument) -> Markup:
    notes: list[Child] = [joined(element("b", "Note"), " ", prose(note)) for note in document.notes]
    times = f", made from {document.oldest} to {document.newest}" if document.oldest else ""
    figures = f"{document.tool.name} {document.tool.version}, {document.created}, {document.reports} reports{times}, exit code {document.exit_code}"
    few = few_speeds(document)
    return section(
        "about",
        "About this page",
        bulleted(notes, "notes") if notes else None,
        element("p", few) if few else None,
        element("p", figures),
    )
