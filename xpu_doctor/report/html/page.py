"""The whole page: the report as one file that asks for nothing else, neither network nor script."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from importlib.resources import files

from xpu_doctor.model.terms import Origin
from xpu_doctor.report.document import Document
from xpu_doctor.report.html import findings
from xpu_doctor.report.html.about import about, ask_next, not_known, plan, undecided
from xpu_doctor.report.html.chain import chain
from xpu_doctor.report.html.facts import facts
from xpu_doctor.report.html.ladder import ladder, places_of
from xpu_doctor.report.html.markup import Markup, element, page, script, source_hash, stylesheet
from xpu_doctor.report.html.pieces import section, sprite
from xpu_doctor.report.html.speeds import speeds
from xpu_doctor.report.html.verdict import headline, hero, leading

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="#1f66b5">'
    '<rect x="2" y="2" width="12" height="3" rx="1" opacity=".45"/><rect x="2" y="6.5" width="12" height="3" rx="1" opacity=".7"/>'
    '<rect x="2" y="11" width="12" height="3" rx="1"/></svg>'
)


def render_html(report: Document) -> str:
    """Return the report as one HTML document in ASCII that ends with a newline."""
    css, code = _source("page.css"), _source("page.js")
    return page(_head(report, css, code), _body(report, code), language="en")


def _source(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="ascii")


def _head(report: Document, css: str, code: str) -> Markup:
    policy = (
        f"default-src 'none'; style-src {source_hash(css)}; script-src {source_hash(code)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    icon = base64.b64encode(ICON.encode()).decode()
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("meta", name="format-detection", content="telephone=no"),
        element("meta", name="generator", content=f"{report.tool.name} {report.tool.version}"),
        element("title", f"{headline(report)[0]} - xpu-doctor"),
        element("link", rel="icon", href=f"data:image/svg+xml;base64,{icon}"),
        stylesheet(css),
    )


def _body(report: Document, code: str) -> Markup:
    names = [f"finding-{number}" for number, _ in enumerate(report.root_causes, 1)]
    stack = ladder(report.ladder, places_of(report.root_causes, names)) if report.ladder else None
    parts = [part for part in _flow(report, names) if part is not None]
    flow = element("div", parts, class_="flow") if parts else None
    columns = element("div", stack, flow, class_="columns")
    return element(
        "body",
        sprite(),
        _banner(report),
        element("main", hero(report), columns, undecided(report.undecided), facts(report.snapshot, report.origin)),
        element("footer", about(report)),
        script(code),
    )


def _banner(report: Document) -> Markup:
    logo = element(
        "svg",
        (
            element("rect", x="1", y=str(y), width="14", height="3.2", rx="1", class_=f"slab-{n}")
            for n, y in enumerate((1, 6.4, 11.8))
        ),
        viewBox="0 0 16 16",
        class_="logo",
        aria_hidden="true",
    )
    brand = element("span", logo, element("b", report.tool.name), " ", report.tool.version, class_="brand")
    moment = (
        element("time", report.created.replace("T", " ").replace("Z", " UTC"), datetime=report.created)
        if report.created
        else None
    )
    return element("header", brand, moment, class_="banner")


def _flow(report: Document, names: list[str]) -> Iterator[Markup | None]:
    """Yield the parts beside the ladder."""
    lead = leading(report)
    if lead is not None:
        yield _root(report, names[0])
    yield from _others(report, names, 1 if lead else 0)
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
    """Yield the findings beside the leading one: errors in full, all else folded."""
    others = list(zip(report.root_causes, names, strict=True))[first:]
    if not others:
        return
    sure = [item for item in others if item[0].severity == "error" and item[0].confidence != "possible"]
    opened = sure or ([] if first else others[:1])
    articles = (findings.other(each, name, report.tool.command, opened=(each, name) in opened) for each, name in others)
    title = "Also found" if first else "Findings" if report.origin != Origin.PASTED else "What it may be"
    yield section("findings", title, articles)
