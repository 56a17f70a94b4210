"""The whole page: the report as one file that asks for nothing else, neither network nor script."""

from __future__ import annotations

from collections.abc import Iterator

from xpu_doctor.report.document import Document, FindingDocument
from xpu_doctor.report.html import findings
from xpu_doctor.report.html.about import about, ask_next, not_known, plan, undecided
from xpu_doctor.report.html.chain import chain
from xpu_doctor.report.html.facts import facts
from xpu_doctor.report.html.ladder import ladder, places_of
from xpu_doctor.report.html.markup import Markup, element, joined
from xpu_doctor.report.html.pieces import section
from xpu_doctor.report.html.program import program
from xpu_doctor.report.html.shell import shell
from xpu_doctor.report.html.speeds import speeds
from xpu_doctor.report.html.verdict import headline, hero, leading
from xpu_doctor.report.phrases import in_full

Named = tuple[FindingDocument, str]
"""A finding and the name of its place on the page."""


def render_html(report: Document) -> str:
    """Return the report as one HTML document in ASCII that ends with a newline."""
    title = headline(report)[0].replace("`", "")
    return shell(title, _main(report), about(report), tool=report.tool, created=report.created)


def _main(report: Document) -> Markup:
    names = [f"finding-{number}" for number, _ in enumerate(report.root_causes, 1)]
    stack = ladder(report.ladder, places_of(report.root_causes, names)) if report.ladder else None
    parts = [part for part in _flow(report, names) if part is not None]
    flow = element("div", parts, class_="flow") if parts else None
    columns = element("div", stack, flow, class_="columns")
    return joined(hero(report), columns, undecided(report.undecided), facts(report.snapshot, report.origin))


def _flow(report: Document, names: list[str]) -> Iterator[Markup | None]:
    """Yield the parts beside the ladder."""
    lead = leading(report)
    if lead is not None:
        yield _root(report, names[0])
    yield from _others(report, names, 1 if lead else 0)
    yield program(report.program)
    yield plan(report)
    yield ask_next(report.ask_next)
    yield not_known(report)
    yield speeds(report.speeds)


def _root(report: Document, name: str) -> Markup:
    lead = report.root_causes[0]
    ways = findings.remedies(lead, first=1)
    return element(
        "div",
        section("proof", "Proof", findings.proof(lead.evidence)) if lead.evidence else None,
        section("explains", "This explains", chain(lead)) if lead.explains else None,
        section("ways", "Other steps", ways) if ways else None,
        findings.more(lead, report.tool.command),
        class_="root",
        id=name,
    )


def _others(report: Document, names: list[str], first: int) -> Iterator[Markup]:
    """Yield the findings beside the leading one: errors that are more than possible in full, all else folded."""
    guesses = in_full(report)[1]
    others = list(zip(report.root_causes, names, strict=True))[first:]
    told = [item for item in others if item[0] not in guesses]
    opened = [item for item in told if item[0].severity == "error" and item[0].confidence != "possible"]
    opened = opened or ([] if first else told[:1])
    yield from _articles("findings", "Also found" if first else "Findings", told, opened, report)
    yield from _articles("possible", "Also possible", [item for item in others if item not in told], [], report)


def _articles(name: str, title: str, told: list[Named], opened: list[Named], report: Document) -> Iterator[Markup]:
    if told:
        doctor = report.tool.command
        articles = (findings.other(each, own, doctor, opened=(each, own) in opened) for each, own in told)
        yield section(name, title, articles)
