"""All facts of the snapshot as folded tables that a reader can search."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xpu_doctor.report.html.fact_rows import EMPTY, Group, Row, groups
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import count, fact, folded, path, section

LONG = 700
"""Characters of a value from which it is folded."""
HINT = "The search of the browser opens what is folded."


def facts(snapshot: Mapping[str, Any], origin: str) -> Markup | None:
    """Return the tables, one for each group of facts."""
    found = groups(snapshot, origin)
    if not found:
        return None
    sources = _sources(snapshot.get("sources"))
    total = count(sum(len(group.rows) for group in found.values()), "fact")
    tables = (_table(name, group, sources) for name, group in found.items() if not group.silence)
    return section(
        "facts",
        "All facts",
        element("p", f"{total} by group. {HINT}", class_="hint"),
        _filter(),
        element("div", tables, class_="groups"),
        _left_out(found),
        class_="facts",
    )


def _left_out(found: Mapping[str, Group]) -> Markup:
    """Return which groups hold nothing, and why."""
    told: dict[str, list[str]] = {}
    for name, group in found.items():
        if group.silence:
            told.setdefault(group.silence, []).append(name)
    lines = (element("li", f"{_reason(said)}: ", path(", ".join(names))) for said, names in told.items())
    return element("ul", lines, class_="left-out", role="list")


def _reason(said: str) -> str:
    reason = said.removeprefix("unknown: ")
    return "Empty" if said == EMPTY else f"{reason[:1].upper()}{reason[1:]}"


def _filter() -> Markup:
    """Return the field that the script shows and serves."""
    label = element("label", "Filter facts", for_="filter")
    box = element("input", id="filter", type="search", autocomplete="off", spellcheck="false")
    return element("div", label, box, element("span", id="matches", role="status"), class_="filter", hidden=True)


def _table(name: str, group: Group, sources: Mapping[str, str]) -> Markup:
    rows = [_row(row, sources) for row in group.rows]
    rows += [_line(path(", ".join(names)), element("em", said)) for said, names in group.without.items()]
    head = element("tr", element("th", "Fact", scope="col"), element("th", "Value", scope="col"))
    table = element("table", element("thead", head, class_="unseen"), element("tbody", rows))
    source = element("span", sources[name], class_="source") if name in sources else None
    number = element("span", count(len(group.rows), "fact"), class_="number")
    return folded(joined(element("b", name), " ", number, " ", source), table, class_="group")


def _row(row: Row, sources: Mapping[str, str]) -> Markup:
    source = element("span", sources[row.name], class_="source") if row.name in sources else None
    return _line(fact(row.name), _parts(row.parts) if row.parts else _value(row.value), source)


def _line(name: Markup, *value: Child) -> Markup:
    return element("tr", element("th", name, scope="row"), element("td", *value))


def _parts(parts: tuple[tuple[str, str], ...]) -> Markup:
    lines = (element("li", element("span", name, class_="key"), " ", value) for name, value in parts)
    return element("ul", lines, class_="pairs", role="list")


def _value(text: str) -> Markup:
    shown = element("span", text, class_="value")
    return shown if len(text) <= LONG else folded(f"{text[:80].strip()} ...", shown, class_="long")


def _sources(rows: Any) -> dict[str, str]:
    """Return who saw what, by the path of the fact."""
    return {row["fact"]: row["source"] for row in rows or () if isinstance(row, Mapping)}
