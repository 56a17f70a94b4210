"""The watched program on the page: what it used of each GPU, of the CPUs, and its ranks."""

from __future__ import annotations

from xpu_doctor.report.html.markup import Markup, element
from xpu_doctor.report.html.pieces import prose, section
from xpu_doctor.report.program import ProgramDocument
from xpu_doctor.report.program_words import headline, of_rank, rows, shown_ranks


def program(watched: ProgramDocument | None) -> Markup | None:
    """Return the section, None where no program was watched."""
    if watched is None:
        return None
    lines = (
        element("tr", element("th", label, scope="row"), element("td", prose(text))) for label, text in rows(watched)
    )
    return section(
        "program",
        "The program",
        element("p", prose(headline(watched)), class_="hint"),
        element("table", element("tbody", lines), class_="bars program"),
        _ranks(watched),
        class_="speeds",
    )


def _ranks(watched: ProgramDocument) -> Markup | None:
    shown, more = shown_ranks(watched)
    if not shown:
        return None
    head = element("tr", (element("th", word, scope="col") for word in ("Rank", "GPU", "CPUs")))
    body = (element("tr", (element("td", cell) for cell in of_rank(row))) for row in shown)
    rest = element("p", f"and {more} more", class_="hint") if more else None
    table = element("table", element("thead", head), element("tbody", body), class_="bars ranks")
    return element("div", table, rest)
