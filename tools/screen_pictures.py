"""Draws what xpu-doctor prints: each screen at 80 and 120 columns, dark and light, as SVG, to be looked at.

    python tools/screen_pictures.py FOLDER              # all of them
    python tools/screen_pictures.py --readme            # docs/images/screen.svg, the picture of the README

Needs `rich`, which is in the extra `test`. The colours are those of xterm; a terminal is played as it is: a line that is longer than
the screen goes on in the next row.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import msgspec
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from xpu_doctor.catalogue.knowledge.gpu import gpu_knowledge
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.catalogue.pages import page
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.knowledge import knowledge_text
from xpu_doctor.report.plan_text import plan_text
from xpu_doctor.report.reference_text import list_text, page_text
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.report.text import render_text
from xpu_doctor.tables import parse_toml
from xpu_doctor.text.redact import Redactor
from xpu_doctor.text.safe import from_bytes

ROOT = Path(__file__).resolve().parents[1]
README_PICTURE = ROOT / "docs" / "images" / "screen.svg"
DAY = "2026-11-27T00:00:00Z"
WIDTHS = (80, 120)
README_WIDTH = 100
XTERM = [
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205), (229, 229, 229),
]  # fmt: skip
THEMES = {
    "dark": TerminalTheme((0, 0, 0), (229, 229, 229), XTERM),
    "light": TerminalTheme((255, 255, 255), (0, 0, 0), XTERM),
}
SVG = """<svg viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: {char_height}px;
  line-height: {line_height}px; white-space: pre; }}
.{unique_id}-title {{ font-family: ui-sans-serif, Arial, sans-serif; font-size: 15px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""The frame of a picture: no font is loaded from anywhere."""

Screen = Callable[[Terminal], str]


def document(name: str) -> Document:
    """Return the report on a saved snapshot of fixtures/snapshots."""
    text = (ROOT / "fixtures" / "snapshots" / f"{name}.toml").read_text(encoding="utf-8")
    with patch("xpu_doctor.report.build.own_command", lambda: "xpu-doctor"):  # not as it is called on this machine
        return Report(created=DAY).of_snapshot(msgspec.convert(parse_toml(text), Snapshot))


def check(name: str, *, verbose: bool = False) -> Screen:
    """Return the screen of a check."""
    return lambda terminal: render_text(document(name), terminal, verbose=verbose)


def triage(terminal: Terminal) -> str:
    """Return the screen of a pasted text: the first case of fixtures/cases/wheel.toml."""
    cases = parse_toml((ROOT / "fixtures" / "cases" / "wheel.toml").read_text(encoding="utf-8"))["case"]
    triaged = triage_texts([("the text", from_bytes(cases[0]["text"].encode(), "the text"))], rules=all_rules())
    report = Report(created=DAY).of_texts(triaged.diagnosis, triaged.snapshot, Redactor(), triaged.notes)
    return render_text(report, terminal)


def codes(terminal: Terminal) -> str:
    """Return the screen of `codes`."""
    rows = [(rule.code, rule.layer.value, (type(rule).__doc__ or "").split("\n")[0]) for rule in all_rules()]
    return list_text(("code", "layer", "means"), rows, terminal)


SCREENS: dict[str, tuple[str, Screen]] = {
    "cpu-wheel": ("xpu-doctor check", check("cpu-wheel-beside-arc-b580")),
    "import-segfault": ("xpu-doctor check", check("import-segfault")),
    "no-gpu": ("xpu-doctor check", check("no-gpu")),
    "bus-not-readable": ("xpu-doctor check", check("bus-not-readable")),
    "healthy": ("xpu-doctor check", check("healthy-arc-b580")),
    "verbose": ("xpu-doctor check -v", check("import-segfault", verbose=True)),
    "triage": ("xpu-doctor triage report.txt", triage),
    "fix": ("xpu-doctor fix", lambda terminal: plan_text(document("cpu-wheel-beside-arc-b580"), {}, terminal)),
    "codes": ("xpu-doctor codes", codes),
    "explain": ("xpu-doctor explain torch-cpu-wheel", lambda terminal: page_text(page("torch-cpu-wheel"), terminal)),
    "facts": (
        "xpu-doctor facts gpu e20b",
        lambda terminal: knowledge_text(gpu_knowledge("e20b", DAY[:10]), terminal),
    ),
}
"""What is drawn: the line that was typed, and what it prints."""


def drawn(name: str, width: int, theme: str) -> str:
    """Return a screen as SVG."""
    typed, screen = SCREENS[name]
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    for line in Text.from_ansi(screen(Terminal(colour=True, width=width)) + "\n ").split("\n"):
        for row in line.divide(range(width, len(line), width)):
            console.print(row, no_wrap=True, overflow="ignore", crop=False, highlight=False)
    return console.export_svg(title=typed, theme=THEMES[theme], code_format=SVG, unique_id=f"{name}-{theme}")


def main() -> int:
    """Write the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="where the pictures go")
    parser.add_argument("--readme", action="store_true", help=f"write {README_PICTURE.relative_to(ROOT)}")
    arguments = parser.parse_args()
    if arguments.readme:
        README_PICTURE.parent.mkdir(exist_ok=True)
        README_PICTURE.write_text(drawn("cpu-wheel", README_WIDTH, "dark"), encoding="utf-8")
    if arguments.folder:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        for name in SCREENS:
            for width in WIDTHS:
                for theme in THEMES:
                    path = arguments.folder / f"{name}-{width}-{theme}.svg"
                    path.write_text(drawn(name, width, theme), encoding="utf-8")
                    print(path)
    return 0 if arguments.readme or arguments.folder else parser.error("name a folder, or --readme")


if __name__ == "__main__":
    sys.exit(main())
