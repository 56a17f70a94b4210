"""The findings: what proves each, what it explains, and how to fix it."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.model.terms import Origin
from xpu_doctor.report.document import EvidenceDocument, FindingDocument, RemedyDocument
from xpu_doctor.report.html.chain import chain
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import code, commands, fact, folded, link, mark, prose
from xpu_doctor.report.phrases import RISKS, SEVERITIES
from xpu_doctor.tables.fact_labels import label_of

SEVERITY_MARKS = {"error": "fault", "warning": "warning", "info": "note"}
SHOWN = 6
"""Rows of proof that are shown at once."""


def kicker(finding: FindingDocument, title: str) -> Markup:
    """Return the line above a finding's summary: what it is, of which layer, how sure, and its code."""
    said = (title, f"{finding.layer} layer", finding.confidence, code(finding.code))
    parts = (element("span", word) for word in said)
    return element("span", mark(SEVERITY_MARKS[finding.severity]), parts, class_=f"kicker {finding.severity}")


def proof(rows: Sequence[EvidenceDocument]) -> Markup:
    """Return the evidence, what is beyond the first rows folded."""
    rest = rows[SHOWN:]
    return joined(_proof(rows[:SHOWN]), folded(f"{len(rest)} more", _proof(rest), class_="rest") if rest else None)


def _proof(rows: Sequence[EvidenceDocument]) -> Markup:
    return element("dl", (_evidence(row) for row in rows), class_="rows")


def _evidence(row: EvidenceDocument) -> Markup:
    """Return a fact and its value; of a line of output, where it stands and what it says."""
    said, source = (row.source, "") if row.kind == "message" else (row.fact, row.source)
    source = "" if source == Origin.LIVE else source
    checked = f", looked at {row.checked}" if row.checked and row.checked not in source else None
    origin = element("span", link(source), checked, class_="source") if source else None
    value = element("span", row.value, class_="value quoted" if row.kind == "message" else "value")
    name = fact(said) if row.kind == "fact" else said if row.kind == "message" else label_of(said)
    return element("div", element("dt", name), element("dd", value, origin))


def remedy(remedy: RemedyDocument, word: str, level: str = "h3") -> Markup:
    """Return one way to fix a finding: title, lines to type, what it costs, how to see that it helped."""
    heading = element(level, element("span", word, class_="word"), " ", prose(remedy.title))
    risk = RISKS.get(remedy.risk, remedy.risk)
    return element(
        "div",
        heading,
        element("p", prose(remedy.why)) if remedy.why else None,
        commands(remedy.commands, remedy.title),
        element("p", element("b", "Risk"), " ", risk, class_="risk") if remedy.risk != "none" else None,
        _verify(remedy),
        element("p", "See ", link(remedy.url), class_="see") if remedy.url else None,
        class_="remedy",
    )


def _verify(remedy: RemedyDocument) -> Markup | None:
    if not remedy.verify:
        return None
    return element(
        "div", element("p", "Then verify", class_="label"), commands(remedy.verify, "verify"), class_="verify"
    )


def remedies(finding: FindingDocument, first: int = 0, level: str = "h3") -> Markup:
    """Return the ways to fix a finding from one of them on."""
    numbered = list(enumerate(finding.remedies))[first:]
    return joined(
        remedy(each, "Do this" if not number else "And" if each.besides else "Or", level) for number, each in numbered
    )


def more(finding: FindingDocument, doctor: str) -> Markup:
    """Return where to read more about a finding."""
    page = joined(", or ", link(finding.page, "the page about it")) if finding.page else None
    return element("p", "More: ", code(f"{doctor} explain {finding.code}"), page, class_="see more")


def other(finding: FindingDocument, name: str, doctor: str, *, opened: bool) -> Markup:
    """Return a finding beside the root cause: a block that opens."""
    summary: Child = (
        kicker(finding, SEVERITIES.get(finding.severity, finding.severity)),
        element("h3", prose(finding.summary)),
    )
    parts = (
        _part("Proof", proof(finding.evidence)) if finding.evidence else None,
        _part("This explains", chain(finding)) if finding.explains else None,
        remedies(finding, level="h4"),
        more(finding, doctor),
    )
    return element("article", folded(summary, parts, opened=opened), class_=f"finding {finding.severity}", id=name)


def _part(title: str, inside: Markup) -> Markup:
    return element("div", element("h4", title), inside, class_="part")
