"""The comparison as one HTML page that asks for nothing else, in the style of the page of a report."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.comparison.model import Kind, State, Weight
from xpu_doctor.report.comparison.document import ComparisonDocument, DifferenceDocument, SideDocument, ValueDocument
from xpu_doctor.report.comparison.words import about, headline, not_known, reason_of, said_of
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import bulleted, code, count, folded, path, prose, section
from xpu_doctor.report.html.shell import shell
from xpu_doctor.text.packaged import packaged_text


def comparison_html(document: ComparisonDocument) -> str:
    """Return the comparison as one HTML document in ASCII that ends with a newline."""
    names = " and ".join(side.name for side in document.sides[:2]) + (" and others" if len(document.sides) > 2 else "")
    css = packaged_text("report", "comparison", "page.css")
    title = f"Comparison of {names}"
    return shell(title, _main(document), _about(document), tool=document.tool, created=document.created, more_css=css)


def _main(document: ComparisonDocument) -> Markup:
    judged = [row for row in document.differences if row.kind != Kind.FACT]
    facts = [row for row in document.differences if row.kind == Kind.FACT]
    telling = [row for row in facts if row.weight != Weight.OTHER]
    others = [row for row in facts if row.weight == Weight.OTHER]
    return joined(
        _hero(document),
        _part(document, "judgement", "The judgement differs", judged),
        _part(document, "facts", "What differs, the most telling first", telling),
        _less(document, others),
        _not_known(document.one_sided),
    )


def _hero(document: ComparisonDocument) -> Markup:
    mood, word = ("ok", "Alike") if document.exit_code == 0 else ("unknown", "Comparison")
    return element(
        "div",
        element("p", element("span", word), element("span", f"{len(document.sides)} sides"), class_=f"kicker {mood}"),
        element("h1", headline(document), class_="long"),
        element("ul", map(_side, document.sides), class_="sides", role="list"),
        class_="hero",
    )


def _side(side: SideDocument) -> Markup:
    return element("li", _label(side.label), element("p", element("b", code(side.name)), ": ", about(side)))


def _label(label: str, *, odd: bool = False) -> Markup:
    said = element("span", ", odd one out", class_="unseen") if odd else None
    return element("span", label, said, class_="side odd" if odd else "side")


def _part(document: ComparisonDocument, name: str, title: str, rows: Sequence[DifferenceDocument]) -> Markup | None:
    if not rows:
        return None
    return section(name, title, _rows(document, rows), class_="part-of-comparison")


def _rows(document: ComparisonDocument, rows: Sequence[DifferenceDocument]) -> Markup:
    return element("ul", (_row(document, row) for row in rows), class_="differences", role="list")


def _row(document: ComparisonDocument, row: DifferenceDocument) -> Markup:
    summary = reason_of(document, row) if row.kind == Kind.FINDING else ""
    named = row.kind == Kind.FACT and row.label != row.path
    proves = joined("proves ", ((", " if number else None, code(each)) for number, each in enumerate(row.proves)))
    return element(
        "li",
        element(
            "div",
            element("h3", row.label if named or row.kind != Kind.FACT else path(row.label)),
            element("p", path(row.path)) if named else None,
            element("p", prose(summary), class_="summary") if summary else None,
            element("p", proves) if row.proves else None,
        ),
        element("ul", _values(row), class_="values", role="list"),
        class_="difference",
    )


def _values(row: DifferenceDocument) -> list[Markup]:
    """Return each value once, with the sides that have it."""
    together: dict[tuple[str, str], list[ValueDocument]] = {}
    for value in row.values:
        together.setdefault((value.state, said_of(row, value)), []).append(value)
    return [_value(row, state, said, values) for (state, said), values in together.items()]


def _value(row: DifferenceDocument, state: str, said: str, values: Sequence[ValueDocument]) -> Markup:
    labels = (_label(value.side, odd=value.side in row.odd) for value in values)
    silent = " silent" if state != State.KNOWN else ""
    return element(
        "li",
        element("span", labels, class_="labels"),
        element("span", said, class_=f"value{silent}"),
        class_="said",
    )


def _less(document: ComparisonDocument, rows: Sequence[DifferenceDocument]) -> Markup | None:
    if not rows:
        return None
    what = count(len(rows), "fact that differs and tells", "facts that differ and tell")
    return folded(element("h2", f"{what} less"), _rows(document, rows), class_="more-differences")


def _not_known(rows: Sequence[DifferenceDocument]) -> Markup | None:
    if not rows:
        return None
    lines = (
        element("div", element("dt", f"not known in {sides}: {reason}"), element("dd", "; ".join(labels)))
        for sides, reason, labels in not_known(rows)
    )
    title = element("h2", "Not known everywhere, and so not compared")
    return folded(title, element("dl", lines, class_="rows"), class_="more-differences")


def _about(document: ComparisonDocument) -> Markup:
    notes: list[Child] = [joined(element("b", "Note"), " ", prose(note)) for note in document.notes]
    figures = f"{document.tool.name} {document.tool.version}, {document.created}, exit code {document.exit_code}"
    return section("about", "About this comparison", bulleted(notes, "notes") if notes else None, element("p", figures))
