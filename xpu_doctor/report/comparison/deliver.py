"""Writes a comparison to where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.report.closing import tell_files
from xpu_doctor.report.comparison.document import ComparisonDocument
from xpu_doctor.report.comparison.formats import comparison_format
from xpu_doctor.report.comparison.words import headline
from xpu_doctor.report.formats import View
from xpu_doctor.text.output import to_each, write
from xpu_doctor.text.output_file import is_stdout


def deliver(
    document: ComparisonDocument,
    given: str | None = None,
    outputs: Sequence[str] = (),
    *,
    verbose: bool = False,
    private: bool = False,
) -> None:
    """Write a comparison to each output, in the format that was given or that its ending names; `-` is stdout, and so is no output.

    Raises:
        xpu_doctor.text.output.OutputError: one of them cannot be written; the others are.
    """

    def put(path: str) -> None:
        wanted = comparison_format(path, given)
        text = wanted.render(document, View(not is_stdout(path), verbose))
        write(text, path, private=private, own_sequences=wanted.name == "text")

    to_each(outputs, put)
    tell_files(headline(document), outputs)
