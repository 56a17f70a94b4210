"""Writes a document other than a report to where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from xpu_doctor.report.closing import tell_files
from xpu_doctor.report.formats import Format, View, format_called, format_of
from xpu_doctor.text.output import to_each, write
from xpu_doctor.text.output_file import is_stdout


def deliver_as(
    formats: tuple[Format, ...],
    document: Any,
    outcome: str,
    given: str | None = None,
    outputs: Sequence[str] = (),
    *,
    verbose: bool = False,
    private: bool = False,
) -> None:
    """Write a document to each output, in the format that was given or that its ending names; `-` is stdout, and so is no output.

    `outcome` is what it comes to in one line, for stderr where stdout gets none.

    Raises:
        xpu_doctor.text.output.OutputError: one of them cannot be written; the others are.
    """

    def put(path: str) -> None:
        wanted = format_called(format_of(path, given, formats), formats)
        text = wanted.render(document, View(not is_stdout(path), verbose))
        write(text, path, private=private, own_sequences=wanted.name == "text")

    to_each(outputs, put)
    tell_files(outcome, outputs)
