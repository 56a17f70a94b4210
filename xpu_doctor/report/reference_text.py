"""What `codes`, `probes` and `explain` print: lists and pages that use the width of the terminal, and fit it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from xpu_doctor.report.terminal import Terminal

GAP = "  "
ROOM_FOR_WORDS = 30
"""Columns that the last column of a list needs: with less, each row takes lines of its own."""
_ITEM = re.compile(r"(?:[-*]|\d{1,2}\.) ")


def list_text(header: Sequence[str], rows: Sequence[Sequence[str]], terminal: Terminal) -> str:
    """Return rows as aligned columns of which the last is wrapped; on a narrow terminal the last stands below the others."""
    widths = [max(map(len, column)) for column in list(zip(header, *rows, strict=True))[:-1]]
    at = sum(widths) + len(GAP) * len(widths)
    beside = terminal.width - at >= ROOM_FOR_WORDS
    lines = (
        [terminal.style(_row(header, widths), "strong"), GAP.join("-" * width for width in (*widths, len(header[-1])))]
        if beside
        else []
    )
    for row in rows:
        indent = " " * (at if beside else 4)
        said = textwrap.wrap(row[-1], terminal.width - len(indent), break_on_hyphens=False) or [""]
        head = _row((*row[:-1], said.pop(0)), widths) if beside else _row(row[:-1], widths[:-1])
        lines += [head, *(indent + line for line in said)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join([*(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=False)), cells[-1]])


def page_text(page: str, terminal: Terminal) -> str:
    """Return a page in Markdown as it is, with its prose wrapped anew; code, headings and links keep their lines."""
    return "\n".join(_page(page.splitlines(), terminal)).rstrip() + "\n"


def _page(lines: Sequence[str], terminal: Terminal) -> Iterator[str]:
    paragraph: list[str] = []
    fenced = False
    for line in lines:
        fence = line.startswith("```")
        if fence or fenced or not line.strip() or line.startswith("#") or _ITEM.match(line):
            yield from _wrapped(paragraph, terminal)
            paragraph = []
        if fence or fenced:
            yield terminal.style(line, "quiet" if fence else "command")
        elif line.startswith("#"):
            yield terminal.style(line, "strong")
        elif line.strip():
            paragraph.append(line.strip())
        else:
            yield ""
        fenced ^= fence
    yield from _wrapped(paragraph, terminal)


def _wrapped(paragraph: Sequence[str], terminal: Terminal) -> Iterator[str]:
    """Yield a paragraph, or an item of a list with its lines under each other."""
    text = " ".join(paragraph)
    item = _ITEM.match(text)
    sign = item[0] if item else ""
    yield from textwrap.wrap(
        text[len(sign) :],
        terminal.width,
        initial_indent=sign,
        subsequent_indent=" " * len(sign),
        break_long_words=False,
        break_on_hyphens=False,
    )
