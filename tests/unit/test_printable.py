"""Commands are shown exactly or not at all."""

from __future__ import annotations

import pytest

from xpu_doctor.model.findings import Confidence, Finding, Layer, Remedy, Severity
from xpu_doctor.report.document import finding_document
from xpu_doctor.report.printable import NOT_SHOWN, printable


@pytest.mark.parametrize("character", ["\u200b", "\n", "\t", "\x1b", "\u202e", "\udce9", "\u2028", "\u00ad"])
@pytest.mark.parametrize("place", ["commands", "verify"])
def test_a_command_that_cannot_be_shown_is_not(character: str, place: str) -> None:
    lines = {place: (f"rm -rf -- '/x/a{character}b'",)}
    remedy = Remedy("Remove it", "It is in the way.", **lines)  # type: ignore[arg-type]
    shown = printable(remedy)
    assert not shown.commands and not shown.verify and shown.why == f"It is in the way. {NOT_SHOWN}"
    finding = Finding("a-code", Layer.WHEEL, Severity.ERROR, Confidence.CERTAIN, "s", "t", (), (remedy,))
    assert not finding_document(finding).remedies[0].commands and not finding_document(finding).remedies[0].verify


def test_other_commands_are_shown_as_they_are() -> None:
    remedy = Remedy(
        "Remove it", "why", ("rm -rf -- '/x/Grüße 中文'", "rm -- $'/x/a\\u200bb'"), verify=("python  -c 'x'",)
    )
    assert printable(remedy) is remedy
