"""Of a text that is too long its middle is left out; lines behind that keep their numbers."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from xpu_doctor.api import report_on_texts
from xpu_doctor.report.build import Report
from xpu_doctor.report.text import Terminal, render_text
from xpu_doctor.text import safe
from xpu_doctor.text.cuts import Cut
from xpu_doctor.text.safe import read_safely

FAILURE = "RuntimeError: Required aspect fp64 is not supported on the device"


def written(ends: int, filler: str = "step %d of the run, nothing to see", newline: str = "\n") -> tuple[bytes, int]:
    """A long log with a failure before its last lines, and the number of the line that holds it."""
    lines = [filler % number for number in range(ends)]
    lines.insert(len(lines) - 40, FAILURE)
    return newline.join(lines).encode(), lines.index(FAILURE) + 1


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("piped", [True, False], ids=["pipe", "file"])
def test_a_line_behind_the_cut_keeps_its_number(tmp_path: Path, piped: bool, newline: str) -> None:
    """From a file and from a pipe, and with each kind of line end."""
    data, number = written(60_000, newline=newline)
    path = tmp_path / "log.txt"
    path.write_bytes(data)
    with io.BytesIO(data) if piped else path.open("rb") as stream:
        text = read_safely(stream, "the text")
    assert text.cut
    document, _ = report_on_texts([("the text", text)], Report())
    (place,) = {item.source for item in document.root_causes[0].evidence if "fp64" in item.value}
    assert place == f"the text, line {number}"
    assert f"line {number}: {FAILURE}" in " ".join(render_text(document, Terminal()).split())


@pytest.mark.parametrize("piped", [True, False], ids=["pipe", "file"])
def test_one_long_line_is_no_line_more(tmp_path: Path, piped: bool) -> None:
    """A cut inside of a line adds none."""
    data = b"x" * 3_000_000 + f"\n{FAILURE}\n".encode()
    path = tmp_path / "log.txt"
    path.write_bytes(data)
    with io.BytesIO(data) if piped else path.open("rb") as stream:
        document, _ = report_on_texts([("the text", read_safely(stream, "the text"))], Report())
    assert any(item.source == "the text, line 2" for item in document.root_causes[0].evidence)


def test_what_is_too_much_to_count_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers that are not those of the whole text are called so."""
    monkeypatch.setattr(safe, "MOST_COUNTED", 100_000)
    data, _ = written(60_000)
    path = tmp_path / "log.txt"
    path.write_bytes(data)
    with path.open("rb") as stream:
        text = read_safely(stream, "the text")
    assert text.middle is None
    assert any("numbers of lines" in note for note in text.notes)


@pytest.mark.parametrize("skipped", [0, 1, 17])
def test_numbers_go_both_ways(skipped: int) -> None:
    """What was read and the whole text count the same lines."""
    cut = Cut.after(b"a\nb\nc", skipped)
    for number in (1, 2, cut.line, cut.line + 1, cut.line + 100):
        assert cut.read(cut.whole(number)) == number
