"""The doctor's own output, pasted: a report comes to the cause that it names or to none, and its advice is no symptom."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.cases import Case, cases
from xpu_doctor.catalogue.names import all_rules
from xpu_doctor.catalogue.pages import codes, page
from xpu_doctor.cli.reference import codes as list_codes
from xpu_doctor.cli.triage import triage
from xpu_doctor.model.findings import Severity
from xpu_doctor.pasted.run import Triaged, triage_texts
from xpu_doctor.report.build import Report
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.report.text import render_text
from xpu_doctor.text.safe import from_bytes

REPORTS = Path(__file__).parents[2] / "fixtures" / "reports"
GOLDEN = [*sorted(REPORTS.glob("*.txt")), *sorted((REPORTS / "older").glob("*.txt"))]
"""Reports as they are printed now, and as older versions printed them."""
FOUND = [
    case
    for case in cases()
    if case.outcome == "found"
    and case.code not in ("probe-failed", "plugin-failed", "snapshot-too-new", "transcript-tampered")
]
"""Findings about a machine; those about the doctor itself say nothing of it."""
FP64 = "RuntimeError: Required aspect fp64 is not supported on the device"

DISGUISES: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quoted": lambda text: textwrap.indent(text, "> ", lambda _: True),
    "quoted twice": lambda text: textwrap.indent(text, "> > ", lambda _: True),
    "in a fence": lambda text: f"```text\n{text}```\n",
    "indented": lambda text: textwrap.indent(text, "    "),
    "coloured": lambda text: re.sub(r"(?m)^(\S.*)$", "\x1b[1;31m\\1\x1b[0m", text),
    "wrapped": lambda text: "\n".join(
        line[at : at + 80] for line in text.split("\n") for at in range(0, max(1, len(line)), 80)
    ),
    "without indentation": lambda text: "\n".join(line.strip() for line in text.split("\n")),
    "with other marks": lambda text: re.sub("[✓✗↑·•]", "x", text).replace("└─", "L"),
    "without marks": lambda text: re.sub("(?m)^  [✓✗↑·?] ", "", text),
    "double spaced": lambda text: text.replace("\n", "\n\n").replace("\n\n\n\n", "\n\n\n"),
    "with Windows' line ends": lambda text: text.replace("\n", "\r\n"),
    "without its first lines": lambda text: text.split("\n", 3)[-1],
    "cut after two thirds": lambda text: text[: len(text) * 2 // 3],
    "cut after a third": lambda text: text[: len(text) // 3],
    "the last third": lambda text: text[len(text) * 2 // 3 :],
    "of a version without addresses": lambda text: re.sub(r"(?m)^  https://xpu-doctor\.\S+\n", "", text),
    "in an issue": lambda text: f"Hi, I ran it as you said:\n\n{text}\nWhat can I do?\n",
}


def of(text: str) -> Triaged:
    """What triage makes of a text."""
    return triage_texts([("text", from_bytes(text.encode(), "text"))], rules=all_rules())


def first(text: str) -> str:
    """The first cause, empty where there is none that is more than a note."""
    return next((root.code for root in of(text).diagnosis.root_causes if root.severity is not Severity.INFO), "")


def named(report: str) -> str:
    """The first cause that a report names, by its own words."""
    found = re.search(r"(?m)^  \[([a-z0-9-]+)\] \w+ layer, (?:error|warning)$", report)
    return found[1] if found else ""


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_golden_report_comes_to_its_own_cause(path: Path, disguise: str) -> None:
    """Whole ones to the same cause; of a part that does not name it, to none."""
    report = path.read_text(encoding="utf-8")
    told = first(DISGUISES[disguise](report))
    parts = ("cut after a third", "the last third", "cut after two thirds")
    assert told in ((named(report), "") if disguise in parts else (named(report),))


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_every_report_comes_to_its_own_cause(case: Case) -> None:
    """Reports of all findings, short and long."""
    for verbose in (False, True):
        whole = ("plain", "without indentation", "wrapped", "double spaced")
        report = render_text(Report(redact=False).of_snapshot(case.facts()), Terminal(), verbose=verbose)
        for name in (*(whole if verbose else whole[:2]), "the last third", "cut after two thirds"):
            text = DISGUISES[name](report)
            assert first(text) in (named(report), *(() if name in whole else ("",))), text


@pytest.mark.parametrize("width", [40, 60, 120])
def test_a_report_of_any_terminal_comes_to_its_own_cause(width: int) -> None:
    """On a narrow one the code and the layer of a finding take two lines."""
    for case in FOUND[::9]:
        document = Report(redact=False).of_snapshot(case.facts())
        causes = [root.code for root in document.root_causes if root.severity != "info"]
        assert first(render_text(document, Terminal(width=width))) == (causes or [""])[0], case


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_report_cut_at_any_line_end_names_no_other_cause(path: Path) -> None:
    """Wherever it was cut, its own cause or none."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for end in range(10, len(lines), 2):
        assert first("".join(lines[:end])) in (named("".join(lines)), ""), "".join(lines[:end])


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.name)
def test_a_log_beside_a_report_is_still_read(path: Path) -> None:
    """Above it, below it, directly below it; the causes of the report stay."""
    report = path.read_text(encoding="utf-8")
    for text in (
        f"{FP64}\n\n{report}",
        f"{report}\n{FP64}\n",
        f"{report.rstrip()}\nTraceback (most recent call last):\n{FP64}\n",
        f"> {FP64}\n\n```\n{report}```\n",
    ):
        roots = [root.code for root in of(text).diagnosis.root_causes]
        assert "fp64-unsupported" in roots, text
        assert not named(report) or roots[0] == named(report)


def test_prose_beside_a_report_hides_no_cause_of_it() -> None:
    """What an examination proved does not go under what a sentence makes possible."""
    report = next(path for path in GOLDEN if "import-segfault" in path.name).read_text(encoding="utf-8")
    assert first(f"ComfyUI does not see my Arc A770 after the update, it says:\n\n{report}\nWhat can I do?\n") == named(
        report
    )


def test_a_report_is_said_to_be_one() -> None:
    """The reader is told that the JSON says more."""
    assert any("--json -o report.json" in note for note in of(GOLDEN[0].read_text(encoding="utf-8")).notes)
    assert not of(FP64).notes


def test_a_healthy_report_is_no_fault() -> None:
    """What it says of the device counts."""
    triaged = of(next(path for path in GOLDEN if "healthy" in path.name).read_text(encoding="utf-8"))
    assert (triaged.diagnosis.exit_code, triaged.diagnosis.root_causes) == (0, ())


@pytest.mark.parametrize("code", codes())
def test_a_page_of_explain_says_nothing_of_a_machine(code: str) -> None:
    """Whole, quoted, and with a log below it."""
    for text in (page(code), textwrap.indent(page(code), "> ", lambda _: True)):
        assert first(text) == ""
        assert first(f"{text}\n\n{FP64}\n") == "fp64-unsupported"


def test_the_list_of_codes_says_nothing_of_a_machine() -> None:
    """All its rows are the doctor's own."""
    text = CliRunner().invoke(list_codes).stdout
    assert first(text) == ""
    assert first(f"{text}\n{FP64}") == "fp64-unsupported"


@pytest.mark.parametrize(
    "pasted",
    [
        FP64,
        "torch: 2.9.1+cpu\n>>> torch.xpu.is_available()\nFalse\n",
        "ImportError: libze_loader.so.1: cannot open shared object file",
        "ls: cannot access '/dev/dri': No such file",
        "",
    ],
)
def test_a_reply_comes_back(pasted: str) -> None:
    """Its opinion is an opinion, its commands and questions are no symptoms; what the customer adds counts more."""
    reply = CliRunner().invoke(triage, ["--reply", "-"], input=pasted, standalone_mode=False).stdout
    opinion = re.search(r"\(\[`([a-z0-9-]+)`\]", reply)
    of_before = re.sub(r"\[(`[a-z0-9-]+`)\]\(\S+/\)", r"\1", reply)
    for text in (reply, textwrap.indent(reply, "> ", lambda _: True), of_before):
        assert first(text) in (opinion[1] if opinion else "", "")
        assert (
            first(f"{text}\nDone, here it is:\nRuntimeError: Cannot re-initialize XPU in forked subprocess.\n")
            == "fork-reinit"
        )


def test_prose_that_only_looks_like_a_report_is_prose() -> None:
    """One line is no ladder, and a title without a code no finding."""
    for line in (
        "Root cause: ",
        "Note: ",
        "driver unknown\n",
        "Examined everything\n",
        "import ok\n",
        "More: see below\n",
        "Do this: nothing\n",
    ):
        assert first(f"{line}{FP64}\n") == "fp64-unsupported"


def test_the_block_about_a_watched_program_is_the_doctors_own() -> None:
    """Neither its command nor the names of GPUs in it are read as what somebody says."""
    text = (
        "Watched `torchrun --nproc-per-node=2 train.py` for 12 min; it ended with exit code 0.\n"
        "  GPU        Intel UHD Graphics 630: 25 % busy\n"
        "  CPU        1.9 of 8 busy on average (22 min of CPU time)\n"
        "\nExamined /v/bin/python (Python 3.12.1): --python.\n\n"
        "  + device      ok         Intel UHD Graphics 630\n"
        "  + kernel      ok         i915 bound\n"
    )
    assert first(text) == ""
    assert not isinstance(of(text).snapshot.gpus, tuple)
