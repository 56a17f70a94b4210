"""Takes pictures of HTML reports with a headless Chromium, to be looked at.

    python tools/html_pictures.py FOLDER [NAME...]      light, dark, phone and paper of the example reports
    python tools/html_pictures.py --readme              docs/images/report-html.png, the picture of the README

CHROMIUM names the browser where it is not on PATH.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.example_reports import MADE, example  # noqa: E402 - the checkout comes first
from xpu_doctor.report.html.page import render_html  # noqa: E402

README = ROOT / "docs" / "images" / "report-html.png"
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")


def shoot(browser: Browser, page: Path, picture: Path, size: tuple[int, int], scheme: Scheme) -> None:
    """Write a picture of a whole page."""
    tab = browser.new_page(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme)
    tab.goto(page.as_uri())
    tab.screenshot(path=picture, full_page=True)
    tab.close()


def shoot_for_readme(browser: Browser, page: Path) -> None:
    """Write the picture of the README: the first screen, smaller than it is."""
    tab = browser.new_page(viewport={"width": 1120, "height": 1120}, color_scheme="light", device_scale_factor=0.8)
    tab.goto(page.as_uri())
    tab.screenshot(path=README)
    tab.close()


def print_pdf(browser: Browser, page: Path, target: Path) -> None:
    """Print a page to a PDF file."""
    tab = browser.new_page()
    tab.goto(page.as_uri())
    tab.pdf(path=target, format="A4", print_background=True)
    tab.close()


def write(name: str, folder: Path) -> Path:
    """Write an example report."""
    page = folder / f"{name}.html"
    page.write_text(render_html(example(name)), encoding="ascii")
    return page


def pictures(browser: Browser, folder: Path, names: list[str]) -> None:
    """Write all pictures of some examples."""
    for name in names:
        page = write(name, folder)
        for kind, size in SIZES.items():
            for scheme in SCHEMES:
                shoot(browser, page, folder / f"{name}-{kind}-{scheme}.png", size, scheme)
        print_pdf(browser, page, folder / f"{name}.pdf")


def main() -> None:
    """Take what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(MADE)}")
    parser.add_argument("--readme", action="store_true")
    asked = parser.parse_args()
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not executable or not (asked.folder or asked.readme):
        parser.error("name a folder, or --readme; and there must be a chromium")
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as temporary:
        browser = playwright.chromium.launch(executable_path=executable)
        if asked.readme:
            README.parent.mkdir(exist_ok=True)
            shoot_for_readme(browser, write("cpu-wheel", Path(temporary)))
        if asked.folder:
            asked.folder.mkdir(parents=True, exist_ok=True)
            pictures(browser, asked.folder, asked.names or list(MADE))
        browser.close()


if __name__ == "__main__":
    main()
