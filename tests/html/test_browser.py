"""The page in a real Chromium: silent, alone, accessible, readable on a phone, on paper, and without script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.support.example_reports import MADE, example
from xpu_doctor.report.html.page import render_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESKTOP, PHONE, SMALL = (1280, 800), (390, 844), (360, 740)
Scheme = Literal["light", "dark"]
Open = Callable[..., "Page"]
WIDER_THAN_THE_SCREEN = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach(block => block.open = true)"


@cache
def written(name: str) -> str:
    """The page of an example."""
    return render_html(example(name))


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens the page of an example, and fails at the end where it said or asked for anything."""
    pages: list[Page] = []
    heard: list[str] = []
    address = ""

    def open_page(name: str, size: tuple[int, int] = DESKTOP, scheme: Scheme = "light", **options: Any) -> Page:
        nonlocal address
        path = tmp_path / f"{name}.html"
        path.write_text(written(name), encoding="ascii")
        address = path.as_uri()
        page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options)
        page.on("console", lambda message: heard.append(f"console: {message.type}: {message.text}"))
        page.on("pageerror", lambda error: heard.append(f"error: {error}"))
        page.on("dialog", lambda dialog: heard.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: heard.append(f"request: {request.url}"))
        page.set_default_timeout(20_000)
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.context.close()
    assert [each for each in heard if not each.startswith((f"request: {address}", "request: data:"))] == []


def violations(page: Page) -> list[str]:
    """What axe finds wrong on a page, with everything opened."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.evaluate(OPEN_ALL)
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {json.dumps([node['html'][:200] for node in each['nodes'][:3]])}" for each in found]


LOOKS: list[tuple[tuple[int, int], Scheme]] = [(DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light")]
LOOKED_AT = [name for name in MADE if name != "many"]
"""Sixty-four devices are the same markup sixty-four times."""


@pytest.mark.parametrize("name", LOOKED_AT)
def test_accessible(opened: Open, name: str) -> None:
    """No violation of any rule of axe: one kind of report in all four looks, each other kind in one of them."""
    turn = LOOKED_AT.index(name) % len(LOOKS)
    for size, scheme in LOOKS if name == "cpu-wheel" else LOOKS[turn : turn + 1]:
        assert violations(opened(name, size, scheme)) == [], (size, scheme)


@pytest.mark.heavy
@pytest.mark.parametrize("name", MADE)
@pytest.mark.parametrize(("size", "scheme"), LOOKS)
def test_accessible_in_every_look(opened: Open, name: str, size: tuple[int, int], scheme: Scheme) -> None:
    assert violations(opened(name, size, scheme)) == []


@pytest.mark.parametrize("name", MADE)
def test_fits_the_smallest_phone(opened: Open, name: str) -> None:
    """Nothing is wider than 360 pixels, also where everything is unfolded."""
    page = opened(name, SMALL)
    page.evaluate(OPEN_ALL)
    assert page.evaluate(WIDER_THAN_THE_SCREEN) == 0
    wide = "[...document.querySelectorAll('main *')].filter(node => node.getBoundingClientRect().right > innerWidth + 1).length"
    assert page.evaluate(wide) == 0


def test_reads_without_script(opened: Open) -> None:
    """All is there and opens; what only the script serves is not."""
    page = opened("cpu-wheel", java_script_enabled=False)
    assert page.get_by_role("heading", level=1).inner_text() == "torch 2.13.0+cpu is a CPU build: it has no XPU support"
    assert page.get_by_role("button").count() == 0 and page.get_by_label("Filter facts").is_hidden()
    row = page.get_by_text("glibc 2.39")
    assert not row.is_visible()
    page.locator("summary", has_text="python").click()
    assert row.is_visible()


def test_the_filter_finds_facts(opened: Open) -> None:
    """Words narrow the rows, all of them have to be there; an empty field brings back what was open."""
    page = opened("cpu-wheel")
    page.locator("summary", has_text="machine").click()
    page.get_by_label("Filter facts").fill("torch.version 2.13")
    assert page.locator(".group tbody tr:visible").count() == 1
    assert page.get_by_text("1 row", exact=True).is_visible()
    page.get_by_label("Filter facts").fill("nothing has this")
    assert page.locator(".group:visible").count() == 0
    page.get_by_label("Filter facts").fill("")
    assert page.locator("details.group[open]").count() == 1


def test_lines_to_type_are_copied_as_they_are(opened: Open) -> None:
    """By the button, by a click that selects, and each line on its own line."""
    [root] = example("cpu-wheel").root_causes
    remedy = root.remedies[0]
    page = opened("cpu-wheel", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name=f"Copy {remedy.title}").press("Enter")
    page.get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "\n".join(remedy.commands)
    page.locator(".verify pre").click()
    page.keyboard.press("Control+C")
    assert page.evaluate("navigator.clipboard.readText()").rstrip("\n") == "\n".join(remedy.verify)


def test_the_keyboard_reaches_everything(opened: Open) -> None:
    """Each link, button and block in turn, and each shows that it is there."""
    page = opened("three-faults")
    expected = page.evaluate("document.querySelectorAll('a, button, summary, input').length")
    reached = set()
    for _ in range(expected + 5):
        page.keyboard.press("Tab")
        seen = "(node => node === document.body ? '' : getComputedStyle(node).outlineStyle + ' ' + [...document.querySelectorAll('*')].indexOf(node))(document.activeElement)"
        reached.add(page.evaluate(seen))
    visible = page.evaluate(
        "[...document.querySelectorAll('a, button, summary, input')].filter(node => node.checkVisibility()).length"
    )
    assert len(reached - {""}) == visible
    assert {each.split()[0] for each in reached if each} <= {"solid", "auto"}


def test_a_layer_leads_to_its_finding(opened: Open) -> None:
    page = opened("three-faults")
    page.locator("#finding-2 > details > summary").click()
    assert page.locator("#finding-2 details").get_attribute("open") is None
    page.locator(".slab.fault a", has_text="driver").click()
    assert page.locator("#finding-2 details").get_attribute("open") is not None


def test_on_paper_everything_is_open(opened: Open) -> None:
    """No button, no folded block; the colours of the layers stay."""
    page = opened("cpu-wheel", scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.get_by_text("glibc 2.39").is_visible() and page.get_by_text("oneapi-env-conflict").is_visible()
    assert page.locator("button:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    printed = page.pdf(format="A4", print_background=True)
    assert printed.startswith(b"%PDF-") and printed.count(b"/Type /Page\n") >= 2
