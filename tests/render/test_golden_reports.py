"""Whole text reports of saved snapshots, compared letter by letter; the exit code is part of each file's name.

Run pytest with --update-golden to write them anew, and read the diff.
"""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
import tomllib

from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.terminal import MARKS, Terminal
from xpu_doctor.report.text import render_text
from xpu_doctor.text.redact import Redactor

FIXTURES = Path(__file__).parents[2] / "fixtures"
SNAPSHOTS = sorted((FIXTURES / "snapshots").glob("*.toml"))


def report(path: Path) -> Document:
    """The document of a saved snapshot, with nothing in it that changes between runs."""
    snapshot = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Snapshot)
    document = Report(created="2026-11-21T00:00:00Z").of_snapshot(snapshot)
    return msgspec.structs.replace(document, timings={}) if isinstance(document, msgspec.Struct) else document


@pytest.fixture(autouse=True)
def called_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The golden reports were written by a doctor that is on PATH, on a machine whose own names stand in none of them."""
    monkeypatch.setattr("xpu_doctor.report.build.own_command", lambda: "xpu-doctor")
    monkeypatch.setattr("xpu_doctor.text.redact.redactor_here", lambda **known: Redactor())


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("verbose", [False, True], ids=["", "v"])
def test_golden(path: Path, verbose: bool, request: pytest.FixtureRequest) -> None:
    document = report(path)
    text = render_text(document, Terminal(width=80), verbose=verbose)
    text = text.replace(document.tool.version, "VERSION")
    golden = FIXTURES / "reports" / f"{path.stem}{'.v' if verbose else ''}.{document.exit_code}.txt"
    if request.config.getoption("--update-golden"):
        for old in golden.parent.glob(f"{path.stem}{'.v' if verbose else ''}.[0-9]*.txt"):
            old.unlink()
        golden.write_text(text, encoding="utf-8")
    assert golden.exists(), (
        f"no golden report with this exit code: {sorted(item.name for item in golden.parent.glob(path.stem + '*'))}"
    )
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", [40, 60, 80, 110])
def test_lines_fit_the_terminal(path: Path, width: int) -> None:
    document = report(path)
    commands = {
        line for root in document.root_causes for remedy in root.remedies for line in (*remedy.commands, *remedy.verify)
    }
    for line in render_text(document, Terminal(width=width), verbose=True).splitlines():
        unbreakable = (
            any(command in line for command in commands)
            or len(max(line.split() or [""], key=len)) > width // 2
            or "ask for:" in line
            or line.startswith("  More: ")
        )
        assert len(line) <= width or unbreakable, line


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_a_code_page_without_marks(path: Path) -> None:
    text = render_text(report(path), Terminal(unicode=False), verbose=True)
    for pretty, plain in MARKS.values():
        assert pretty == plain or pretty not in text


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_colour_changes_no_text(path: Path) -> None:
    document = report(path)
    coloured = render_text(document, Terminal(colour=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == render_text(document, Terminal())
    assert "\x1b[" in coloured
