"""The page as a file: valid, whole, in order, without anything from outside, and nothing that a stranger wrote is more than text."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from itertools import pairwise
from typing import Any

import html5lib
import msgspec
import pytest

from tests.support.example_reports import HOSTILE, MADE, example, report, snapshot
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.report.document import CrashDocument, Document, QuestionDocument
from xpu_doctor.report.formats import View, format_called, format_of
from xpu_doctor.report.html.fact_rows import groups
from xpu_doctor.report.html.markup import source_hash
from xpu_doctor.report.html.page import render_html
from xpu_doctor.text.visible import visible

ALLOWED_ELEMENTS = """
    html head meta title link style body svg symbol circle path use rect header main footer section article div p span b em a code pre h1 h2 h3 h4
    ul ol li dl dt dd table thead tbody tr th td details summary label input time wbr script
""".split()  # noqa: SIM905 - a list of words


@cache
def written(name: str) -> str:
    """The page of an example."""
    return render_html(example(name))


@cache
def parsed(name: str) -> Any:
    """The page of an example as a parser of the standard reads it."""
    return tree(written(name))


def tree(page: str) -> Any:
    """A page as a parser of the standard reads it; a single error ends the test."""
    read = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)
    for node in read.iter():
        node.tag = str(node.tag).removeprefix("{http://www.w3.org/2000/svg}")
    return read


def words(node: Any) -> str:
    """The text of a node, as it is laid out."""
    return " ".join("".join(node.itertext()).split())


@pytest.mark.parametrize("name", MADE)
def test_valid_whole_and_alone(name: str) -> None:
    """Valid HTML in ASCII; one heading of the first level, none left out; every name once; no address but of pages."""
    page = written(name)
    assert page.isascii() and page.endswith("</html>\n")
    read = parsed(name)
    assert read.get("lang") == "en"
    levels = [int(node.tag[1]) for node in read.iter() if re.fullmatch("h[1-6]", str(node.tag))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(later <= level + 1 for level, later in pairwise(levels)), levels
    names = [node.get("id") for node in read.iter() if node.get("id")]
    assert len(names) == len(set(names))
    for node in read.iter():
        assert node.tag in ALLOWED_ELEMENTS, node.tag
        assert not [
            key
            for key in node.attrib
            if key.startswith("on") or key in ("style", "src", "srcset", "action", "background")
        ]
        target = node.get("href", "")
        assert target.startswith(("https://", "data:image/svg+xml;base64,")) or not target or target[1:] in names, (
            target
        )
        for key in ("aria-labelledby", "for"):
            assert node.get(key) is None or node.get(key) in names


@pytest.mark.parametrize("name", MADE)
def test_the_policy_lets_in_its_own_style_and_script_alone(name: str) -> None:
    read = parsed(name)
    [policy] = [
        node.get("content") for node in read.iter("meta") if node.get("http-equiv") == "Content-Security-Policy"
    ]
    [style], [code] = list(read.iter("style")), list(read.iter("script"))
    assert policy.startswith("default-src 'none'; ")
    assert source_hash(style.text) in policy and source_hash(code.text) in policy
    assert "unsafe" not in policy and "http" not in policy
    assert "url(" not in style.text and "@import" not in style.text


def texts(value: Any) -> list[str]:
    """Every text of a part of the document."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, (list, tuple)):
        return [text for item in value for text in texts(item)]
    if dataclasses.is_dataclass(value):
        return [text for field in dataclasses.fields(value) for text in texts(getattr(value, field.name))]
    return []


@pytest.mark.parametrize("name", [name for name in MADE if name != "hostile"])
def test_everything_is_told(name: str) -> None:
    """Each summary, proof, command and answer of the document, and each fact of its snapshot, stands in the text of the page."""
    document = example(name)
    body = words(parsed(name).find("body"))
    told: list[str] = [document.reason.rstrip(":.").partition(". ")[0]]
    for rung in document.ladder:
        told += [rung.layer, rung.state, rung.summary]
    for root in document.root_causes:
        told += texts(
            [root.summary, root.code, [[item.value, item.fact] for item in root.evidence if item.kind == "fact"]]
        )
        told += texts([[item.title, item.commands, item.verify] for item in root.remedies])
        told += [child.summary for child in root.explains]
    told += texts([document.notes, document.ask_next, [[item.code, item.reason] for item in document.undecided]])
    told += [row.value for group in groups(document.snapshot, document.origin).values() for row in group.rows]
    plain = body.replace("`", "")
    assert [text for text in told if " ".join(text.replace("`", "").split()) not in plain] == []


def test_the_answer_comes_first() -> None:
    """Verdict, cause and the line to type stand before the ladder, and the ladder has the device at its foot."""
    body = words(parsed("cpu-wheel").find("body"))
    order = [
        "Root cause",
        "torch 2.13.0+cpu is a CPU build",
        "Do this",
        "uv pip install",
        "Layers",
        "compute",
        "wheel",
        "the hardware",
        "Proof",
        "This explains",
        "All facts",
        "About this report",
    ]
    place = -1
    for each in order:
        assert each in body[place + 1 :], each
        place = body.index(each, place + 1)
    stack = next(node for node in parsed("cpu-wheel").iter("ol") if node.get("class") == "stack")
    layers = [words(node.find(".//b")) for node in stack]
    assert layers == [rung.layer for rung in reversed(example("cpu-wheel").ladder)]


def test_the_title_is_the_answer() -> None:
    assert parsed("possible").find("head/title").text.endswith("as UR error - xpu-doctor")


def test_bars_are_as_long_as_their_figures() -> None:
    read = parsed("healthy")
    bodies = [node for table in read.iter("table") if table.get("class") == "bars" for node in table.iter("tbody")]
    widths = [
        [float(rect.get("width")) for rect in body.iter("rect") if "fill" in rect.get("class")] for body in bodies
    ]
    assert widths[0] == [
        pytest.approx(11.84 / 13.67 * 100, abs=0.01),
        pytest.approx(0.412 / 13.67 * 100, abs=0.01),
        100.0,
    ]
    assert widths[1] == [pytest.approx(71.3 / 116.5 * 100, abs=0.01), 100.0]
    said = words(bodies[0])
    assert "11.8 TFLOP/s87% of the peak, 28.7 times this CPU" in said and "13.67 TFLOP/s" in said
    assert "computed on the CPU" in words(parsed("fallback").find("body"))


def test_a_stranger_writes_text_and_nothing_else() -> None:
    """HTML in every text of a report makes no element, no attribute and no link; what steers a terminal is made visible."""
    page = written("hostile")
    read = parsed("hostile")
    assert [node.get("href") for node in read.iter("a") if "alert" in node.get("href", "")] == []
    assert len(list(read.iter("script"))) == len(list(read.iter("style"))) == 1
    assert not list(read.iter("img")) and "\u202e" not in page and "\x1b" not in page
    body = words(read.find("body"))
    shown = " ".join(visible(HOSTILE).split()).replace("`", "")
    assert body.replace("`", "").count(shown) > 100


def test_of_many_some_are_folded() -> None:
    """The bars of sixty-four devices: four are seen at once, the rest is one click away; all are there."""
    read = parsed("many")
    tables = [node for node in read.iter("table") if node.get("class") == "bars"]
    folded = [node for block in read.iter("details") for node in block.iter("table") if node.get("class") == "bars"]
    assert (len(tables), len(folded)) == (64, 60)


def test_a_question_is_asked_with_its_lines() -> None:
    asked = [QuestionDocument("Is the `render` node there?", ["ls -l /dev/dri", "id"])]
    body = tree(render_html(dataclasses.replace(example("paste"), ask_next=asked))).find("body")
    assert "Is the render node there?ls -l /dev/dri id" in words(body)


@pytest.mark.parametrize("verdict", ["findings", "undiagnosed", "healthy", "tool-failed"])
def test_a_document_with_nothing_in_it(verdict: str) -> None:
    """A page all the same, with a verdict; nothing of it is empty."""
    bare = dataclasses.replace(
        report(Snapshot()), verdict=verdict, reason="", ladder=[], root_causes=[], undecided=[], timings={}, snapshot={}, created="", redacted=None
    )  # fmt: skip
    read = tree(render_html(bare))
    assert words(next(read.iter("h1")))
    assert all(words(node) or len(node) for node in read.iter() if node.tag in ("section", "p", "ul", "dl", "h2", "h3"))


@pytest.mark.parametrize(("verdict", "where"), [("tool-failed", "main"), ("findings", "footer")])
def test_a_crash_of_the_doctor_stands_where_it_matters(verdict: str, where: str) -> None:
    """Before all else where it is the whole story, else at the end."""
    crashed = [CrashDocument("tool", "check", "ValueError: <b>")]
    read = tree(render_html(dataclasses.replace(example("crash"), verdict=verdict, crashed=crashed)))
    told = {
        part: "tool check failed: ValueError: <b>" in words(read.find(f"body/{part}")) for part in ("main", "footer")
    }
    assert told == {"main": where == "main", "footer": where == "footer"}


def test_the_format_has_a_name_and_endings() -> None:
    document = example("crash")
    assert format_called("html").render(document, View()) == render_html(document)
    assert [format_of(path) for path in ("report.html", "C:\\Reports\\R.HTM", "html")] == ["html", "html", "text"]


def test_facts_are_read_as_people_say_them() -> None:
    """Numbers of devices in hexadecimal, sizes with GiB; parts of one thing together; what is unknown by reason."""
    document = report(snapshot("healthy-arc-b580"))
    found = groups(document.snapshot, document.origin)
    [gpu] = found["gpus"].rows
    assert gpu.name == "gpus[0]" and dict(gpu.parts)["device_id"] == "0xe20b"
    assert dict(gpu.parts)["pci_class"] == "0x030000"
    devices = next(row for row in found["xpu"].rows if row.name == "xpu.devices[0]")
    assert dict(devices.parts)["total_memory"] == "12168933376 (11.33 GiB)"
    assert found["compute"].silence == "unknown: not examined" and found["plugins"].silence == "none"
    assert "pasted" not in found and "pasted" in groups(document.snapshot, "pasted")


def test_rows_of_any_plain_values() -> None:
    """A plug-in gives what it likes."""
    odd = {
        "plugins": {
            "site": {"a": [1, {"b": [{"c": None}, 2]}, {"reason": "x"}], "d": 1.5, "e": {"reason": "y", "z": 1}}
        }
    }
    rows = {row.name: row.value or row.parts for row in groups(odd, "live")["plugins"].rows}
    assert rows["plugins.site.a[0]"] == "1" and rows["plugins.site.d"] == "1.5" and rows["plugins.site.e.z"] == "1"
    assert rows["plugins.site.a[1].b[1]"] == "2"
    gpus = groups({"gpus": [{"name": "B580", "bar_bytes": {"reason": "no rights", "fact": ""}, "slot": ""}]}, "live")[
        "gpus"
    ].rows
    assert gpus[0].parts == (("name", "B580"), ("unknown (no rights)", "bar_bytes"))
    document: Document = dataclasses.replace(example("crash"), snapshot=odd)
    assert "plugins.site.a[1].b[1]" in words(tree(render_html(document)).find("body"))
    assert msgspec.to_builtins(document)["snapshot"] == odd
