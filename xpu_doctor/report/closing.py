"""What a terminal is told where a report went into files alone: what it came to, and where it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from xpu_doctor.report.phrases import VERDICTS, sureness, title_of
from xpu_doctor.text.output import to_stderr
from xpu_doctor.text.output_file import is_stdout

if TYPE_CHECKING:
    from xpu_doctor.report.document import Document


def tell_files(outcome: str, outputs: Sequence[str]) -> None:
    """Say on stderr what a report came to and which files hold it, unless stdout has the report."""
    if outputs and not any(map(is_stdout, outputs)):
        lines = (outcome, f"wrote {', '.join(outputs)}")
        to_stderr("".join(f"{' '.join(line.splitlines())}\n" for line in lines))


def in_one_line(report: Document) -> str:
    """Return what a report comes to: its first root cause, else the verdict in words."""
    unmet = [item for item in report.expectations if item.state == "unmet"]
    if report.root_causes and not report.reason:
        lead, more = report.root_causes[0], report.independent_faults - 1
        others = f", and {more} more fault{'' if more == 1 else 's'}" if more > 0 else ""
        return f"{title_of(1, lead)}: {lead.summary}{sureness(lead)} [{lead.code}]{others}"
    if report.reason or not unmet:
        return report.reason.rstrip(":") or f"{VERDICTS.get(report.verdict, report.verdict)}."
    return f"Expected, but not so: {unmet[0].expect} ({unmet[0].reason})"
