"""The pictures of screens are whole, load nothing from anywhere, and that of the README shows what is printed today."""

from __future__ import annotations

import html
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
try:
    from screen_pictures import README_PICTURE, README_WIDTH, SCREENS, THEMES, drawn
except ImportError as error:
    pytest.skip(f"not installed: {error.name}", allow_module_level=True)
finally:
    sys.path.pop(0)

LARGEST = 120_000
"""Bytes of a picture."""


def rows(svg: str) -> list[str]:
    """The rows of a picture, as text without spaces: a run of spaces between two colours is not drawn."""
    found: dict[str, dict[float, str]] = {}
    for x, y, said in re.findall(r'<text [^>]*?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]*)</text>', svg):
        found.setdefault(y, {})[float(x)] = html.unescape(said).replace("\xa0", " ")
    return ["".join("".join(parts[x] for x in sorted(parts)).split()) for parts in found.values()]


@pytest.mark.parametrize("name", SCREENS)
def test_a_picture_is_whole(name: str) -> None:
    for theme in THEMES:
        svg = drawn(name, 80, theme)
        ElementTree.fromstring(svg)
        assert len(svg.encode()) < LARGEST
        assert "@font-face" not in svg and "href" not in svg and "<script" not in svg
        assert "/work/" not in svg and "-m xpu_doctor" not in svg, "drawn as it is called on this machine"


def test_the_picture_of_the_readme_shows_what_is_printed_today() -> None:
    """`python tools/screen_pictures.py --readme` draws it anew."""
    kept = README_PICTURE.read_text(encoding="utf-8")
    assert rows(kept) == rows(drawn("cpu-wheel", README_WIDTH, "dark")) != []
    assert "Rootcause:torch2.13.0+cpuisaCPUbuild:ithasnoXPUsupport" in rows(kept)
