"""The beginning of the page: the verdict, and the next thing to type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.report.document import Document, ExpectationDocument, FindingDocument
from xpu_doctor.report.html.findings import kicker, remedy
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import bulleted, code, mark, prose
from xpu_doctor.report.phrases import VERDICTS, title_of

SIGNS: Mapping[str, str] = {
    OverallVerdict.FINDINGS: "fault",
    OverallVerdict.UNDIAGNOSED: "unknown",
    OverallVerdict.HEALTHY: "ok",
    OverallVerdict.TOOL_FAILED: "fault",
}
EXPECTATIONS = {
    "met": ("ok", "Expected"),
    "unmet": ("fault", "Expected, but not so"),
    "unknown": ("unknown", "Expected, and could not be told"),
}
LONG = 110
"""Characters of a headline from which it is set smaller."""


def leading(report: Document) -> FindingDocument | None:
    """Return the finding that the page begins with: the first root cause, where the verdict has no words of its own."""
    return report.root_causes[0] if report.root_causes and not report.reason else None


def headline(report: Document) -> tuple[str, str]:
    """Return the verdict in one sentence, and what is said besides, unless a layer says it."""
    lead = leading(report)
    if lead is not None:
        return lead.summary, ""
    first, _, rest = report.reason.partition(". ")
    rest = "" if any(rest.rstrip(".") == rung.summary for rung in report.ladder) else rest
    unmet = next((_expected(item) for item in report.expectations if item.state == "unmet"), "")
    return first.rstrip(":.") or unmet or _words(report.verdict), rest


def hero(report: Document) -> Markup:
    """Return the verdict, what was examined, and the first remedy."""
    lead = leading(report)
    title, rest = headline(report)
    sign = SIGNS.get(report.verdict, "unknown")
    above = (
        kicker(lead, title_of(1, lead))
        if lead
        else element("span", mark(sign), element("span", _words(report.verdict)), class_=f"kicker {sign}")
    )
    first = remedy(lead.remedies[0], "Do this", "h2") if lead and lead.remedies else None
    return element(
        "div",
        above,
        element("h1", prose(title), class_="long" if len(title) > LONG else None),
        element("p", prose(rest), class_="lead") if rest else None,
        _count(report) if lead and report.independent_faults > 1 and report.origin != Origin.PASTED else None,
        _examined(report),
        _notes("fault", crashes(report)) if report.verdict == OverallVerdict.TOOL_FAILED else None,
        _notes("note", report.notes),
        _expectations(report.expectations),
        element("div", first, class_="next") if first else None,
        class_=f"hero {report.verdict}",
    )


def _words(verdict: str) -> str:
    """Return the verdict in a few words, as a heading begins."""
    words = VERDICTS.get(verdict, verdict)
    return words if words.startswith("xpu-doctor") else f"{words[:1].upper()}{words[1:]}"


def _count(report: Document) -> Markup:
    text = f"{report.independent_faults} faults, none of which explains another. Fix them in this order, beginning with this one."
    return element("p", text, class_="lead")


def _examined(report: Document) -> Markup:
    target = report.target
    if target.python is None:
        what = "this machine" if report.origin == Origin.LIVE else f"a {report.origin} report"
        return element("p", f"Examined {what}.", class_="examined")
    about = [
        f"Python {target.version}" if target.version else "",
        f"managed by {target.manager}" if target.manager else "",
    ]
    told = ", ".join(filter(None, about))
    inside: Child = joined(
        "Examined ", code(target.python), f" ({told})" if told else None, ": ", prose(target.why), "."
    )
    return element("p", inside, class_="examined")


def crashes(report: Document) -> list[str]:
    """Return what failed of the doctor itself."""
    return [f"{crash.part} {crash.name} failed: {crash.error}" for crash in report.crashed]


def _notes(sign: str, notes: Sequence[str]) -> Markup | None:
    if not notes:
        return None
    return bulleted((joined(mark(sign), element("span", prose(note))) for note in notes), "told")


def _expectations(items: Sequence[ExpectationDocument]) -> Markup | None:
    if not items:
        return None
    return bulleted(
        (joined(mark(EXPECTATIONS[item.state][0]), element("span", _expected(item))) for item in items), "told"
    )


def _expected(item: ExpectationDocument) -> str:
    return f"{EXPECTATIONS[item.state][1]}: {item.expect} ({item.reason})"
