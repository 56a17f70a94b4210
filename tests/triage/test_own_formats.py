"""What the doctor writes comes back: a format that is not read is named and refused, and misleads nobody within a longer text."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.comparison.plants import healthy
from tests.support.cases import cases
from xpu_doctor import SnapshotError, compare, triage
from xpu_doctor.api import compare_texts
from xpu_doctor.catalogue.knowledge.gpu import gpu_knowledge
from xpu_doctor.model.codec import encode
from xpu_doctor.report.build import Report, rendered
from xpu_doctor.report.comparison.formats import FORMATS
from xpu_doctor.report.formats import View, format_called
from xpu_doctor.report.knowledge import knowledge_json, knowledge_text
from xpu_doctor.report.terminal import Terminal
from xpu_doctor.text.safe import from_bytes

PASTE = "$ python -c 'import torch; print(torch.__version__, torch.xpu.is_available())'\n2.9.1+cpu False\n"
SAVED = json.dumps({"schema": 1, "root_causes": [], "snapshot": encode(healthy())})
FOUND = [case for case in cases() if case.outcome == "found"]
FP64 = "RuntimeError: Required aspect fp64 is not supported on the device"


def report(name: str) -> str:
    """A report in a format."""
    return rendered(triage(PASTE), name, to_file=True, verbose=False)


def comparison(name: str, width: int = 80) -> str:
    """A comparison in a format."""
    texts = [(name, from_bytes(text.encode(), name)) for name, text in (("a.json", SAVED), ("b.txt", PASTE))]
    document = compare_texts(texts)
    if name == "text":
        from xpu_doctor.report.comparison.text import comparison_text

        return comparison_text(document, Terminal(width=width))
    return format_called(name, FORMATS).render(document, View())


OUTPUTS: dict[str, tuple[Callable[[], str], str]] = {
    "html": (lambda: report("html"), "HTML report.*report.json"),
    "junit": (lambda: report("junit"), "JUnit report.*report.json"),
    "github": (lambda: report("github"), "annotations.*report.json"),
    "comparison, html": (lambda: comparison("html"), "a comparison by xpu-doctor, in HTML.*reports that were compared"),
    "comparison, markdown": (lambda: comparison("markdown"), "a comparison.*reports that were compared"),
    "comparison, text": (lambda: comparison("text"), "a comparison.*reports that were compared"),
    "comparison, narrow": (lambda: comparison("text", 40), "a comparison.*reports that were compared"),
    "comparison, json": (lambda: comparison("json"), "a comparison.*reports that were compared"),
    "comparison, cut": (lambda: comparison("json")[:-400], "a comparison.*reports that were compared"),
    "facts": (lambda: knowledge_text(gpu_knowledge("e20b", "2026-11-27"), Terminal()), "`xpu-doctor facts`"),
    "facts, json": (lambda: knowledge_json(gpu_knowledge("e20b", "2026-11-27"), "2026-11-27"), "`xpu-doctor facts`"),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_what_holds_no_facts_is_refused_with_the_way_out(name: str) -> None:
    """Alone, below the command that wrote it, in a fence, with Windows' line ends; in triage and in compare."""
    make, says = OUTPUTS[name]
    text = make()
    for given in (text, f"$ xpu-doctor compare a b\n{text}", f"```\n{text}```\n", text.replace("\n", "\r\n")):
        with pytest.raises(SnapshotError, match=f"(?s)^th.*{says}"):
            triage(given)
    with pytest.raises(SnapshotError, match=f"(?s)^text 2: th.*{says}"):
        compare(SAVED, text)
    with pytest.raises(SnapshotError, match=f"(?s)^text 2: th.*{says}"):
        triage(PASTE, text)


@pytest.mark.parametrize("name", ["text", "markdown", "json"])
def test_a_report_that_holds_facts_is_read_as_before(name: str) -> None:
    assert "torch-cpu-wheel" in [root.code for root in triage(report(name)).root_causes]


@pytest.mark.parametrize("name", ["github", "comparison, markdown", "comparison, text"])
def test_within_a_longer_text_it_is_passed_over(name: str) -> None:
    """The failure beside it is found, and nothing of what the output repeats."""
    text = OUTPUTS[name][0]()
    for given in (f"Hi,\n\n{text}\n{FP64}\n", f"{FP64}\n\n{text}", f"It fails:\n{FP64}\n\n```\n{text}```\nWhy?\n"):
        found = triage(given)
        assert [root.code for root in found.root_causes if root.severity == "error"] == ["fp64-unsupported"], given
        assert any("output of xpu-doctor" in note for note in found.notes)


@pytest.mark.parametrize("name", ["text", "markdown"])
def test_the_ladder_of_a_report_is_taken_as_it_is(name: str) -> None:
    """Layers that it skips or blocks stay so, although the folded facts of another day's rules would prove a fault."""
    for case in FOUND[::8]:
        made = Report(redact=False).of_snapshot(case.facts())
        told = {rung.layer: rung.state for rung in made.ladder}
        read = {rung.layer: rung.state for rung in triage(rendered(made, name, to_file=True, verbose=False)).ladder}
        unlike = {layer: (state, read[layer]) for layer, state in told.items() if state != read[layer]}
        assert set(unlike.values()) <= {("unknown", "ok")}, (case, unlike)


def test_a_ladder_without_its_causes_is_no_good_news() -> None:
    """Of a report that was cut below its ladder a fault is known, and its cause is not."""
    text = report("text")
    found = triage(text[: text.index("Root cause")])
    assert found.verdict == "undiagnosed" and not [root for root in found.root_causes if root.severity == "error"]


def test_a_rung_is_read_with_what_was_seen() -> None:
    """The facts that are folded up in the report would make it a fault."""
    lines = report("markdown").split("\n")
    changed = [
        "| wheel | skipped | no Intel GPU \\| none |" if line.startswith("| wheel | ") else line for line in lines
    ]
    assert changed != lines
    rung = next(rung for rung in triage("\n".join(changed)).ladder if rung.layer == "wheel")
    assert (rung.state, rung.summary) == ("skipped", "no Intel GPU | none")
