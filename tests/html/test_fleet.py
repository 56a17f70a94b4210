"""The page of a fleet in a real Chromium: silent, alone, accessible, on a phone, with HTML in every text, and with many nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.html.test_browser import DESKTOP, OPEN_ALL, PHONE, SMALL, WIDER_THAN_THE_SCREEN, Scheme, violations
from tests.support.fleets import fleet
from xpu_doctor.api import fleet as judge
from xpu_doctor.report.fleet.document import (
    ChangeDocument,
    FleetDocument,
    NodeDetail,
    NotRead,
    NotReadFile,
    StaleDocument,
    StepOfNode,
)
from xpu_doctor.report.fleet.page import fleet_html

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<img src=x onerror=alert(1)>\"'`|\u202e\x1b[2J </script><script>alert(2)</script>" + "x" * 300


def written(name: str, folder: Path) -> str:
    """The page of a fleet: of all kinds of difference, of very many nodes, with HTML in it, of nodes that are alike."""
    document = judged(folder)
    if name == "alike":
        group = replace(document.groups[-1], number=1)
        document = replace(
            document,
            groups=[group],
            slow_cards=[],
            missing=[],
            outliers=0,
            nodes=group.size,
            states={**document.states, "error": 0, "healthy": group.size},
        )
    elif name == "many":
        names = [f"node{number:05}" for number in range(30_000)]
        document = replace(
            document,
            groups=[*document.groups[:-1], replace(document.groups[-1], nodes=names, ranges=["node[00000-29999]"])],
        )
    elif name == "hostile":
        document = hostile(document)
    return fleet_html(document)


@cache
def judged(folder: Path) -> FleetDocument:
    """A fleet with every kind of difference."""
    for made in fleet(60, seed=3, slow=2):
        (folder / f"{made.node}.json").write_bytes(made.data)
    return judge(str(folder), expected=["node001", "gone1", "gone2"])


def hostile(document: FleetDocument) -> FleetDocument:
    """A fleet with HTML in every text."""
    first = document.groups[0]
    cause = replace(
        first.causes[0],
        summary=HOSTILE,
        code=HOSTILE,
        remedies=[replace(first.causes[0].remedies[0], title=HOSTILE, commands=[HOSTILE])],
    )
    fact = replace(first.facts[0], label=HOSTILE, value=HOSTILE, others=HOSTILE)
    group = replace(
        first,
        causes=[cause],
        facts=[fact, fact],
        also=[fact],
        nodes=[HOSTILE],
        ranges=[HOSTILE],
        details=[NodeDetail(HOSTILE, HOSTILE)],
    )
    return replace(
        document,
        groups=[group],
        missing=[HOSTILE],
        unexpected=[HOSTILE],
        slow_cards=[replace(document.slow_cards[0], node=HOSTILE, model=HOSTILE)],
        changes=[ChangeDocument(HOSTILE, 2, True, [StepOfNode(HOSTILE, HOSTILE)])],
        stale=[StaleDocument(HOSTILE, HOSTILE)],
        not_read=[NotRead("damaged", 3, [NotReadFile(HOSTILE, HOSTILE)])],
        notes=[HOSTILE],
    )


LOOKS: tuple[tuple[str, tuple[int, int], Scheme], ...] = (
    ("planted", DESKTOP, "light"),
    ("many", PHONE, "dark"),
    ("hostile", SMALL, "light"),
    ("alike", DESKTOP, "dark"),
)


@pytest.mark.parametrize(("name", "size", "scheme"), LOOKS, ids=[look[0] for look in LOOKS])
def test_the_page(browser: Browser, tmp_path: Path, name: str, size: tuple[int, int], scheme: Scheme) -> None:
    """No console message, no dialog, no request, no violation of axe, and nothing wider than the screen."""
    heard: list[str] = []
    file = tmp_path / "page.html"
    (tmp_path / "reports").mkdir()
    file.write_text(written(name, tmp_path / "reports"), encoding="ascii")
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
        assert 0 < page.locator(".map > li").count() <= 2000
    finally:
        page.context.close()
