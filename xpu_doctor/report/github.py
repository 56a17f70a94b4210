"""The report as annotations of a GitHub workflow: one command of the runner for each root cause.

Every line is a whole command. That matters twice: the runner obeys a command that begins a line, and the older form `##[...]` wherever in a
line it stands, unless the line is a command of the newer form. So no text of others ever has a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from xpu_doctor.model.terms import OverallVerdict
from xpu_doctor.report.phrases import VERDICTS, sureness
from xpu_doctor.report.plain import finding_lines
from xpu_doctor.text.visible import visible

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document

LEVELS = {"error": "error", "warning": "warning", "info": "notice"}
MAX_LENGTH = 4000
"""Characters of a message; the runner itself takes a few more."""


def render_github(report: Document) -> str:
    """Return one annotation for each root cause, unmet expectation and crash; at least one, with the verdict."""
    return "".join(f"{line}\n" for line in _annotations(report))


def _annotations(report: Document) -> Iterator[str]:
    told = list(_told(report))
    yield from told
    undiagnosed = report.verdict == OverallVerdict.UNDIAGNOSED
    if undiagnosed or not told:
        level = "warning" if undiagnosed else "notice"
        yield annotation(level, VERDICTS.get(report.verdict, report.verdict), [report.reason or report.verdict])


def _told(report: Document) -> Iterator[str]:
    for finding in report.root_causes:
        lines = [finding.summary + sureness(finding), *finding_lines(finding, other_ways=False)]
        yield annotation(LEVELS.get(finding.severity, "notice"), finding.code, lines)
    for item in report.expectations:
        if item.state != "met":
            level = "error" if item.state == "unmet" else "warning"
            yield annotation(level, f"expected {item.expect}", [f"{item.state}: {item.reason}"])
    for crash in report.crashed:
        yield annotation("error", f"{crash.part} {crash.name} failed", [crash.error])


def annotation(level: str, title: str, lines: Iterable[str]) -> str:
    """Return one command of the runner, in one line, whatever the texts hold."""
    message = "\n".join(visible(" ".join(line.splitlines()), one_line=True) for line in lines)
    if len(message) > MAX_LENGTH:
        message = message[:MAX_LENGTH] + " ..."
    heading = visible(" ".join(f"xpu-doctor: {title}".split()), one_line=True)
    return f"::{level} title={_property(heading)}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
