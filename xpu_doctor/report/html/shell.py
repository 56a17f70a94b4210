"""What stands around the content of a page: policy, style, marks, the name of the doctor, and the script."""

from __future__ import annotations

from base64 import b64encode

from xpu_doctor.report.document import Tool
from xpu_doctor.report.html.markup import Markup, element, page, script, source_hash, stylesheet
from xpu_doctor.report.html.pieces import sprite
from xpu_doctor.text.packaged import packaged_text

ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="#1f66b5">'
    '<rect x="1" y="1" width="14" height="3.2" rx="1" opacity=".4"/><rect x="1" y="6.4" width="14" height="3.2" rx="1" opacity=".7"/>'
    '<rect x="1" y="11.8" width="14" height="3.2" rx="1"/></svg>'
)


def shell(title: str, main: Markup, footer: Markup, *, tool: Tool, created: str, more_css: str = "") -> str:
    """Return a whole page in ASCII that ends with a newline, around what it says; `more_css` is what it needs besides the common style."""
    css, code = f"{_source('page.css')}{more_css}", _source("page.js")
    body = element(
        "body",
        sprite(),
        _banner(tool, created),
        element("main", main),
        element("footer", footer),
        script(code),
    )
    return page(_head(title, tool, css, code), body, language="en")


def _source(name: str) -> str:
    return packaged_text("report", "html", name)


def _head(title: str, tool: Tool, css: str, code: str) -> Markup:
    allowed = f"style-src {source_hash(css)}; script-src {source_hash(code)}; img-src data:"
    policy = f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"
    icon = b64encode(ICON.encode()).decode()
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("meta", name="format-detection", content="telephone=no"),
        element("meta", name="generator", content=f"{tool.name} {tool.version}"),
        element("title", f"{title} - {tool.name}"),
        element("link", rel="icon", href=f"data:image/svg+xml;base64,{icon}"),
        stylesheet(css),
    )


def _banner(tool: Tool, created: str) -> Markup:
    rows = ((str(y), f"slab-{number}") for number, y in enumerate((1, 6.4, 11.8)))
    slabs = (element("rect", x="1", y=y, width="14", height="3.2", rx="1", class_=name) for y, name in rows)
    logo = element("svg", slabs, viewBox="0 0 16 16", class_="logo", aria_hidden="true")
    brand = element("span", logo, element("b", tool.name), " ", tool.version, class_="brand")
    shown = created.replace("T", " ").replace("Z", " UTC")
    moment = element("time", shown, datetime=created) if created else None
    return element("header", brand, moment, class_="banner")
