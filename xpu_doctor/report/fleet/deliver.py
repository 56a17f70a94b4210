"""Writes what a fleet comes to where it was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from xpu_doctor.report.closing import tell_files
from xpu_doctor.report.fleet.document import FleetDocument
from xpu_doctor.report.fleet.formats import fleet_format
from xpu_doctor.report.fleet.words import headline
from xpu_doctor.report.formats import View
from xpu_doctor.text.output import to_each, write
from xpu_doctor.text.output_file import is_stdout


def deliver(
    document: FleetDocument,
    given: str | None = None,
    outputs: Sequence[str] = (),
    *,
    verbose: bool = False,
    private: bool = False,
) -> None:
    """Write a fleet to each output, in the format that was given or that its ending names; `-` is stdout, and so is no output.

    Raises:
        xpu_doctor.text.output.OutputError: one of them cannot be written; the others are.
    """

    def put(path: str) -> None:
        wanted = fleet_format(path, given)
        text = wanted.render(document, View(not is_stdout(path), verbose))
        write(text, path, private=private, own_sequences=wanted.name == "text")

    to_each(outputs, put)
    tell_files(headline(document), outputs)
