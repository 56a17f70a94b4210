"""The symptoms that a root cause explains, drawn as branches of a tree below it."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.report.document import FindingDocument
from xpu_doctor.report.html.markup import Markup, element
from xpu_doctor.report.html.pieces import code, folded, mark, prose

SHOWN = 8
"""Branches of one cause that are drawn at once."""


def chain(cause: FindingDocument) -> Markup:
    """Return the tree of a cause."""
    root = element("div", mark("fault"), _node(cause), class_="node cause")
    return element("div", root, _branches(cause.explains), class_="chain")


def _branches(findings: Sequence[FindingDocument]) -> Markup | None:
    if not findings:
        return None
    rest = findings[SHOWN:]
    more = element("li", folded(f"{len(rest)} more", _list(rest))) if rest else None
    return element("ul", (_branch(finding) for finding in findings[:SHOWN]), more, role="list")


def _list(findings: Sequence[FindingDocument]) -> Markup:
    return element("ul", (_branch(finding) for finding in findings), role="list")


def _branch(finding: FindingDocument) -> Markup:
    node = element("div", mark("blocked"), _node(finding), class_="node")
    return element("li", node, _branches(finding.explains))


def _node(finding: FindingDocument) -> Markup:
    return element(
        "div",
        element("p", prose(finding.summary)),
        element("p", finding.layer, " layer ", code(finding.code), class_="tags"),
    )
