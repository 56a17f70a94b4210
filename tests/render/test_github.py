"""Annotations as GitHub's runner reads them; no text of others becomes a command."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.render.test_junit import finding, report
from tests.render.test_markdown import planted_report, snapshot
from tests.support.cli import doctor
from tests.support.environments import CPU_LIBRARIES, StubEnvironment
from tests.support.workflow_commands import WorkflowCommand, commands
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import CrashDocument, ExpectationDocument
from xpu_doctor.report.github import annotation, render_github
from xpu_doctor.text.output import styled

FIXTURES = Path(__file__).parents[2] / "fixtures"
pieces = st.lists(
    st.sampled_from(["::set-output name=a::b", "::stop-commands::x", "##[error]x", "##[set-env name=PATH]/tmp", "\n", "\r", "\r\n", "%0A", "%",
                     "%25", ",", ":", "::", "\u2028", "\x85", "\x0b", "]", ";", "title=x", " "]) | st.text(max_size=5),
    max_size=8,
).map("".join)  # fmt: skip


def test_the_reader_finds_what_the_runner_obeys() -> None:
    log = "a ##[error]b\n  ::warning title=x%3A%2Cy,file=f::m%0An%25\n::unknown::x\n::set-output name=a::b\rtext"
    assert commands(log) == [
        WorkflowCommand("error", "b"),
        WorkflowCommand("warning", "m\nn%", {"title": "x:,y", "file": "f"}),
        WorkflowCommand("set-output", "b", {"name": "a"}),
    ]


@settings(max_examples=200)
@given(pieces, pieces)
@example("##[error]", "\n::stop-commands::x")
def test_one_annotation_is_one_command(title: str, message: str) -> None:
    read = commands(styled(annotation("error", title, [message, "last"]) + "\n"))
    assert [command.name for command in read] == ["error"]
    assert set(read[0].properties) == {"title"} and read[0].properties["title"].startswith("xpu-doctor:")
    assert read[0].data.split("\n")[1:] == ["last"]


def test_what_was_written_is_what_is_read() -> None:
    (read,) = commands(annotation("notice", "50% a:b, c", ["100 %0A :: ,", "  indented"]))
    assert read == WorkflowCommand("notice", "100 %0A :: ,\n  indented", {"title": "xpu-doctor: 50% a:b, c"})


def test_a_whole_report() -> None:
    text = render_github(Report().of_snapshot(snapshot(FIXTURES / "snapshots" / "cpu-wheel-beside-arc-b580.toml")))
    (read,) = commands(text)
    assert read.name == "error" and read.properties == {"title": "xpu-doctor: torch-cpu-wheel"}
    assert "torch 2.13.0+cpu is a CPU build" in read.data and "--reinstall-package torch" in read.data


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"verdict": "healthy", "reason": "All clear"}, [("notice", "xpu-doctor: healthy", "All clear")]),
        ({"verdict": "undiagnosed", "reason": "not every layer"}, [("warning", "xpu-doctor: could not be diagnosed", "not every layer")]),
        ({"root_causes": [finding("warning"), finding("info")]}, [("warning", "xpu-doctor: rebar-disabled", "a summary"), ("notice", "xpu-doctor: rebar-disabled", "a summary")]),
        ({"crashed": [CrashDocument("probe", "pci", "ValueError")]}, [("error", "xpu-doctor: probe pci failed", "ValueError")]),
        ({"expectations": [ExpectationDocument("devices>=1", "unmet", "none"), ExpectationDocument("xpu-wheel", "met", "")]},
         [("error", "xpu-doctor: expected devices>=1", "unmet: none")]),
    ],
)  # fmt: skip
def test_levels(fields: dict[str, object], expected: list[tuple[str, str, str]]) -> None:
    read = commands(render_github(report(**fields)))
    assert [(each.name, each.properties["title"], each.data) for each in read] == expected


def test_planted_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    planted = planted_report(monkeypatch, "\n::set-output name=a::b\r##[error]c\u2028::stop-commands::d")
    lines = render_github(planted).splitlines()
    assert len(lines) == 2 and all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)
    assert {each.name for each in commands("\n".join(lines))} <= {"error", "warning", "notice"}


def test_a_check_prints_them(stub: StubEnvironment) -> None:
    stub.add_torch("2.9.1+cpu", libraries=CPU_LIBRARIES)
    ran = doctor("check", "--python", str(stub.python), "--only", "wheel", "--format", "github")
    assert ran.code == 1 and [each.name for each in commands(ran.stdout)] == ["error"]
