"""What is printed on a terminal: it fits, the answer comes first, and it can be read on black, on white and in ASCII."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import msgspec
import pytest

from tests.support.cases import Case, cases
from xpu_doctor.catalogue.knowledge.gpu import gpu_knowledge
from xpu_doctor.catalogue.knowledge.torch_release import torch_knowledge
from xpu_doctor.catalogue.names import all_rules, probe_rows
from xpu_doctor.catalogue.pages import codes, page
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.pasted.run import triage_texts
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document, FindingDocument
from xpu_doctor.report.knowledge import knowledge_text
from xpu_doctor.report.reference_text import list_text, page_text
from xpu_doctor.report.terminal import MARKS, STYLES, Terminal
from xpu_doctor.report.text import render_text
from xpu_doctor.tables import parse_toml
from xpu_doctor.text.redact import Redactor
from xpu_doctor.text.safe import from_bytes

FIXTURES = Path(__file__).parents[2] / "fixtures"
WIDTHS = range(40, 201)
EVERY = (40, 80)
"""Widths at which everything is printed; the widths between take turns."""
FIRST_LINES = 12
"""Lines below the ladder in which the answer stands."""
SEQUENCE = re.compile(r"\x1b\[([0-9;]*)m")
DAY = "2026-11-27"


@cache
def documents() -> dict[str, Document]:
    """Reports on what fixtures hold: found cases of rules, saved snapshots, pasted cases; all of them where heavy tests run."""
    some = slice(None, None, 1 if os.environ.get("XPU_DOCTOR_HEAVY_TESTS") else 4)
    found = {str(case): Report(redact=False).of_snapshot(case.facts()) for case in chosen(some)}
    for path in sorted((FIXTURES / "snapshots").glob("*.toml")):
        snapshot = msgspec.convert(parse_toml(path.read_text(encoding="utf-8")), Snapshot)
        found[path.stem] = Report(redact=False).of_snapshot(snapshot)
    for path in sorted((FIXTURES / "cases").glob("*.toml")):
        for case in parse_toml(path.read_text(encoding="utf-8"))["case"][some]:
            triaged = triage_texts([("text", from_bytes(case["text"].encode(), "text"))], rules=all_rules())
            report = Report().of_texts(triaged.diagnosis, triaged.snapshot, Redactor(), triaged.notes)
            found[f"{path.stem}: {case['name']}"] = report
    return found


def chosen(some: slice) -> list[Case]:
    """Cases that find something, and some of those that find nothing or lack a fact."""
    return [case for case in cases() if case.outcome == "found"] + [
        case for case in cases() if case.outcome != "found"
    ][some]


def widths(number: int) -> tuple[int, ...]:
    """The widths for the document of a number: together they are all."""
    return (*EVERY, WIDTHS[number % len(WIDTHS)])


def findings(roots: list[FindingDocument]) -> Iterator[FindingDocument]:
    for root in roots:
        yield root
        yield from findings(root.explains)


def to_type(report: Document) -> set[str]:
    """Lines that are there to be typed: they are never broken."""
    remedies = [remedy for root in findings(report.root_causes) for remedy in root.remedies]
    lines = {line for remedy in remedies for line in (*remedy.commands, *remedy.verify)}
    lines |= {line for question in report.ask_next for line in question.commands}
    lines |= {f"More: {report.tool.command} explain {root.code}" for root in report.root_causes}
    return {" ".join(line.split()) for line in (*lines, report.fix, *(item.ask for item in report.undecided))}


def is_whole(line: str) -> bool:
    """Return whether a line is one path, address or word that must not be broken, after its mark and a word before it."""
    words = line.split()
    signs = {sign for pair in MARKS.values() for sign in pair} | {"See", "-"}
    while len(words) > 1 and (words[0] in signs or re.fullmatch(r"\[\d+\]", words[0])):
        del words[0]
    return len(words) == 1


def too_long(text: str, width: int, commands: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Lines that do not fit, and could."""
    return [
        line
        for line in text.splitlines()
        if len(line) > width and not is_whole(line) and " ".join(line.split()).removeprefix("ask for: ") not in commands
    ]


def test_every_line_fits() -> None:
    """Of every report, every other one with -v, at any width from 40 to 200; lines to type and whole paths excepted."""
    for number, (name, report) in enumerate(documents().items()):
        commands = to_type(report)
        for width in widths(number):
            text = render_text(report, Terminal(width=width), verbose=number % 2 == 0)
            assert too_long(text, width, commands) == [], f"{name} at {width}"


def test_a_long_call_of_the_doctor_is_never_broken() -> None:
    """Not even where its path has spaces, and so stands in quotes."""
    call = "'/home/anna/Mein Gerät/Unterlagen und Werkzeuge/der Doktor/.venv/bin/xpu-doctor'"
    report = next(report for report in documents().values() if report.root_causes)
    report = replace(report, tool=replace(report.tool, command=call))
    line = f"  More: {call} explain {report.root_causes[0].code}"
    assert line in render_text(report, Terminal(width=60)).splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_answer_comes_first(width: int) -> None:
    """Root cause and what to do about it stand in the first lines below the ladder, whatever the report says besides."""
    seen = 0
    for name, report in documents().items():
        lines = render_text(report, Terminal(width=width)).splitlines()
        last = max(number for number, line in enumerate(lines) if line.startswith("  ") and is_rung(line, report))
        answer = [line.strip() for line in lines[last + 1 : last + 1 + FIRST_LINES + 1]]  # the first is blank
        if not report.root_causes:
            continue
        root = report.root_causes[0]
        seen += 1
        assert any(line.startswith(("Root cause: ", "Warning: ", "Note: ", "Also: ")) for line in answer), name
        if root.remedies:
            assert any(line.startswith("Do this: ") for line in answer), name
        if root.remedies and root.remedies[0].commands:
            assert root.remedies[0].commands[0].strip() in answer, name
    assert seen > 250


def is_rung(line: str, report: Document) -> bool:
    """Return whether a line is a rung of the ladder."""
    words = line.split()
    return len(words) > 2 and any(words[1:3] == [rung.layer, rung.state] for rung in report.ladder)


def test_no_path_of_a_fact_is_printed() -> None:
    """Neither as proof nor as what is not known."""
    for name, report in documents().items():
        text = render_text(report, Terminal(width=400), verbose=True)
        paths = {row.fact for root in findings(report.root_causes) for row in root.evidence if row.kind == "fact"}
        paths |= {item.needs for item in report.undecided}
        told = [path for path in paths if f"• {path}: " in text or f"not known: {path} (" in text]
        assert [path for path in told if path not in ("torch.xpu", "gpus")] == [], name


# ---------------------------------------------------------------------------------------------- lists and pages


@pytest.mark.parametrize("width", [40, 60, 80, 93, 120, 200])
def test_lists_and_pages_fit(width: int) -> None:
    """`codes`, `probes`, `explain` and `facts`; the lines of a block of code are to be typed."""
    terminal = Terminal(width=width)
    rules = [(rule.code, rule.layer.value, str(type(rule).__doc__).split("\n")[0]) for rule in all_rules()]
    probes = [(name, layer.value, about) for name, layer, about in probe_rows()]
    for text in (list_text(("code", "layer", "means"), rules, terminal), list_text(("a", "b", "c"), probes, terminal)):
        assert too_long(text, width) == []
    for knowledge in (gpu_knowledge("e20b", DAY), torch_knowledge("2.13.0", DAY)):
        assert too_long(knowledge_text(knowledge, terminal), width) == []
    for code in codes():
        text = page_text(page(code), terminal)
        blocks = {" ".join(line.split()) for block in page(code).split("```")[1::2] for line in block.splitlines()}
        assert too_long(text, width, blocks) == [], code


def test_lists_use_the_width_that_is_there() -> None:
    rows = [("torch-cpu-wheel", "wheel", "word " * 40)]
    for width in (80, 120, 200):
        assert (
            max(map(len, list_text(("code", "layer", "means"), rows, Terminal(width=width)).splitlines())) > width - 6
        )
        assert max(map(len, page_text("word " * 90, Terminal(width=width)).splitlines())) > width - 6


def test_a_page_loses_no_word() -> None:
    """Wrapping moves line ends alone; a block of code keeps them."""
    for code in codes():
        for width in (40, 100):
            assert page_text(page(code), Terminal(width=width)).split() == page(code).split()
        blocks = page(code).split("```")[1::2]
        assert page_text(page(code), Terminal(width=60)).split("```")[1::2] == blocks


# ---------------------------------------------------------------------------------------------- colours

XTERM = {"31": "cd0000"}
WINDOWS_TERMINAL = {"31": "c50f1f"}
"""What the first eight colours are there; those above 15 are the same in both, and no theme changes them."""
BACKGROUNDS = {"black": "000000", "white": "ffffff", "Windows Terminal": "0c0c0c", "Solarized's paper": "fdf6e3"}
FOR_TEXT, FOR_MARKS = 4.5, 3.0
"""What WCAG asks for of running text, and of bold words and marks whose shape says the same."""
MARKS_ONLY = ("bad", "careful")
MARK_LENGTH = 36


def palette(code: str, first_eight: dict[str, str]) -> str:
    """The colour of a code of STYLES, as six hexadecimal digits; empty where it is none."""
    if not code.startswith("38;5;"):
        return first_eight.get(code, "")
    number = int(code.rpartition(";")[2])
    if number >= 232:
        return f"{8 + 10 * (number - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    return "".join(f"{steps[(number - 16) // weight % 6]:02x}" for weight in (36, 6, 1))


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("first_eight", [XTERM, WINDOWS_TERMINAL], ids=["xterm", "Windows Terminal"])
@pytest.mark.parametrize("style", STYLES)
def test_every_style_can_be_read_on_black_and_on_white(style: str, first_eight: dict[str, str]) -> None:
    for code in STYLES[style]:
        colour = palette(code, first_eight)
        needed = FOR_MARKS if style in MARKS_ONLY else FOR_TEXT
        for name in ("black", "white") if colour else ():
            assert contrast(colour, BACKGROUNDS[name]) >= needed, f"{style} on {name}"
        for background in BACKGROUNDS.values() if colour else ():
            assert contrast(colour, background) >= FOR_MARKS
    assert contrast("cdcd00", "ffffff") < FOR_MARKS, "plain yellow on white, which this is about"


def test_red_and_orange_colour_marks_and_not_sentences() -> None:
    """What is coloured for attention is a mark, a state or the word before a sentence."""
    alarming = {STYLES[name][0] for name in MARKS_ONLY}
    for name, report in documents().items():
        text = render_text(report, Terminal(colour=True))
        for codes_, said in re.findall(r"\x1b\[([0-9;]+)m([^\x1b]*)\x1b\[0m", text):
            if any(code in codes_ for code in alarming):
                assert len(said.strip()) <= MARK_LENGTH, f"{name}: {said}"


def test_blocked_does_not_alarm() -> None:
    """A rung that only waits for another one steps back as a whole."""
    text = render_text(documents()["import-segfault"], Terminal(colour=True))
    rung = next(line for line in text.splitlines() if "blocked" in line)
    assert set(SEQUENCE.findall(rung)) == {STYLES["quiet"][0], "0"}


def test_colour_changes_no_text() -> None:
    """Without the sequences it is the same; where few colours are known, none of 256 is used."""
    for report in documents().values():
        plain = render_text(report, Terminal())
        assert SEQUENCE.sub("", render_text(report, Terminal(colour=True))) == plain
        few = render_text(report, Terminal(colour=True, few_colours=True))
        assert SEQUENCE.sub("", few) == plain and "38;5" not in few


def test_a_terminal_of_ascii() -> None:
    """What the doctor itself says is ASCII there; names and messages of others stay what they are."""
    for report in documents().values():
        text = render_text(report, Terminal(unicode=False), verbose=True)
        own = {sign for pretty, plain in MARKS.values() if pretty != plain for sign in pretty} | set("→…—≥×")
        lines = [line for line in text.splitlines() if own & set(line)]
        assert not lines or [line for line in lines if " ".join(line.split()) not in to_type(report)] == []
