"""What a reader should know of the report itself: what was not decided, what was hidden, how it came about."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.model.terms import Origin, OverallVerdict
from xpu_doctor.report.document import Document, QuestionDocument, UndecidedDocument
from xpu_doctor.report.html.markup import Child, Markup, element, joined
from xpu_doctor.report.html.pieces import bulleted, code, commands, count, fact, folded, prose, section
from xpu_doctor.report.html.verdict import crashes
from xpu_doctor.report.phrases import hidden_values


def ask_next(questions: Sequence[QuestionDocument]) -> Markup | None:
    """Return the questions whose answers would decide, with what to type."""
    if not questions:
        return None
    asked = (element("li", element("p", prose(item.why)), commands(item.commands, item.why)) for item in questions)
    return section("ask", "Ask next", element("ol", asked, class_="questions"))


def plan(report: Document) -> Markup | None:
    """Return how the doctor can do some of it itself."""
    if not report.fix:
        return None
    mine = sum(1 for step in report.plan if not step.obstacle)
    what = "this" if mine == len(report.plan) == 1 else f"{mine} of these {len(report.plan)} steps"
    text = f"xpu-doctor can do {what} for you, with a way back. This shows the plan:"
    return section("fix", "Let xpu-doctor do it", element("p", text), commands([report.fix], "show the plan"))


def not_known(report: Document) -> Markup | None:
    """Return the layers that could not be judged, where they are all that there is to say."""
    if report.verdict != OverallVerdict.UNDIAGNOSED or report.origin == Origin.PASTED:
        return None
    rungs = [rung for rung in report.ladder if rung.state == "unknown"]
    rows = (element("div", element("dt", rung.layer), element("dd", rung.summary)) for rung in rungs)
    return section("not-known", "Not known", element("dl", rows, class_="rows")) if rungs else None


def undecided(items: Sequence[UndecidedDocument]) -> Markup | None:
    """Return, folded, what was asked without an answer, and whose output would give it."""
    if not items:
        return None
    groups: dict[tuple[str, str, str], list[str]] = {}
    for item in items:
        groups.setdefault((item.needs, item.reason, item.ask), []).append(item.code)
    title = f"{count(len(items), 'further check')} lacked a fact"
    rows = (_group(*group, codes) for group, codes in groups.items())
    return folded(element("h2", title), element("dl", rows, class_="rows"), class_="undecided")


def _group(needs: str, reason: str, ask: str, codes: list[str]) -> Markup:
    asked = joined(" Ask for: ", code(ask)) if ask else None
    said = joined(f"not known ({reason}), so not: ", ", ".join(codes), ".", asked)
    return element("div", element("dt", fact(needs) if needs else "a fact"), element("dd", said))


def about(report: Document) -> Markup:
    """Return what failed, what was hidden, and the figures of the run."""
    lines: list[Child] = [] if report.verdict == OverallVerdict.TOOL_FAILED else list(crashes(report))
    lines += [f"{item.code} was hidden by --ignore ({item.count})" for item in report.ignored]
    lines += map(prose, hidden_values(report.redacted or {}))
    figures = (
        f"{report.tool.name} {report.tool.version}, {report.created or 'no time told'}, exit code {report.exit_code}"
    )
    return section(
        "about",
        "About this report",
        bulleted(lines, "notes") if lines else None,
        _timings(report),
        element("p", figures),
    )


def _timings(report: Document) -> Markup | None:
    if not report.timings:
        return None
    slowest = sorted(report.timings.items(), key=lambda item: -item[1])
    rows = (
        element("tr", element("th", name, scope="row"), element("td", f"{seconds:.2f} s")) for name, seconds in slowest
    )
    return folded("How long each part took", element("table", element("tbody", rows)), class_="timings")
