"""The page of a comparison in a real Chromium: silent, alone, accessible, on a phone, with HTML in every text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.comparison.plants import compared, healthy, like_another
from tests.html.test_browser import DESKTOP, OPEN_ALL, PHONE, SMALL, WIDER_THAN_THE_SCREEN, Scheme, violations
from xpu_doctor.model.facts import Variable
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.report.comparison.document import comparison_document
from xpu_doctor.report.comparison.page import comparison_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<img src=x onerror=alert(1)>\"'`|\u202e\x1b[2J </script><script>alert(2)</script>" + "x" * 300


@cache
def written(name: str) -> str:
    """The page of a comparison: of two, of many, of one with HTML in it, of two that are alike."""
    good = healthy()
    bad = like_another(
        replace(good, torch=replace(good.torch, build="cpu", version="2.13.0+cpu"), gpus=Unknown("/sys: EACCES"))
    )
    hostile = replace(good, environment=replace(good.environment, variables=(Variable("ZE_" + HOSTILE, HOSTILE),)))
    kinds = {
        "two": (good, bad),
        "many": (good, bad, good, good, bad, good),
        "hostile": (good, hostile),
        "alike": (good, good),
    }
    comparison = compared(*kinds[name])
    sides = tuple(
        replace(side, name=HOSTILE if name == "hostile" else f"{side.label}.json") for side in comparison.sides
    )
    document = comparison_document(
        replace(comparison, sides=sides), version="1.0", created="2026-11-27T08:00:00Z", notes=(HOSTILE,)
    )
    return comparison_html(document)


LOOKS: tuple[tuple[str, tuple[int, int], Scheme], ...] = (
    ("two", DESKTOP, "light"),
    ("many", PHONE, "dark"),
    ("hostile", SMALL, "light"),
    ("alike", DESKTOP, "dark"),
)


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS, ids=[look[0] for look in LOOKS])
def test_the_page(browser: Browser, tmp_path: Path, name: str, size: tuple[int, int], scheme: Scheme) -> None:
    """No console message, no dialog, no request, no violation of axe, and nothing wider than the screen."""
    heard: list[str] = []
    file = tmp_path / "page.html"
    file.write_text(written(name), encoding="ascii")
    page = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    say: Callable[[str], None] = heard.append
    page.on("console", lambda message: say(message.text))
    page.on("dialog", lambda dialog: say(dialog.message))
    page.on("request", lambda request: say(request.url))
    page.goto(file.as_uri())
    try:
        page.evaluate(OPEN_ALL)
        assert page.evaluate(WIDER_THAN_THE_SCREEN) == 0
        assert page.locator("h1").count() == 1
        assert page.locator("script").count() == 1 and page.locator("img").count() == 0
        assert [each for each in heard if not each.startswith((file.as_uri(), "data:"))] == []
        assert violations(page) == []
    finally:
        page.context.close()


def test_what_differs_stands_on_the_page(browser: Browser) -> None:
    """The telling facts are open, the others folded; each value with its side, the odd one named for those who listen."""
    page = browser.new_page()
    page.set_content(written("two"))
    first = page.locator("#facts + ul > li").first
    assert first.locator("h3").inner_text() and first.locator(".said").count() == 2
    assert first.locator(".side").all_inner_texts() == ["A", "B"]
    assert page.locator("details[open]").count() == 0
    page.context.close()
