"""The report for an issue: nothing of it breaks out, and triage reads it as it reads the doctor's other output."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest
import tomllib
from click.testing import CliRunner

from tests.render.test_markdown_text import CMARK, LINKED, rendered
from tests.support import planted
from xpu_doctor.api import triage as triage_texts
from xpu_doctor.cli.triage import triage
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.pasted.readers.own_markdown import own_markdown, unescaped
from xpu_doctor.report.build import Report
from xpu_doctor.report.document import Document
from xpu_doctor.report.environment_block import environment_block
from xpu_doctor.report.markdown import MAX_CHARACTERS, render_markdown
from xpu_doctor.report.markdown_text import escaped

SNAPSHOTS = sorted((Path(__file__).parents[2] / "fixtures" / "snapshots").glob("*.toml"))
HOSTILE = (
    "</details>\n\n# @octocat #12 GH-7 https://github.com/a/b/issues/3 ``` ~~~ | `x` <script>alert(1)</script> <!-- [a](b) ![c](d)\n"
    "- [ ] e\n```sh\nrm -rf /\n```\n:tada: $f$ &#64;g"
)


def snapshot(path: Path) -> Snapshot:
    return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), Snapshot)


def planted_report(monkeypatch: pytest.MonkeyPatch, text: str) -> Document:
    """A report in which every text field of facts and findings holds the same text."""
    monkeypatch.setattr(
        "xpu_doctor.report.build.diagnose", lambda *_: planted.diagnosis(lambda _: text, ("echo 'a' | `true`",))
    )
    return Report(redact=False).of_snapshot(planted.snapshot(lambda _: text), notes=(text,))


@pytest.mark.skipif(CMARK is None, reason="cmark-gfm is not installed")
@pytest.mark.parametrize("verbose", [False, True])
def test_no_text_breaks_out(monkeypatch: pytest.MonkeyPatch, verbose: bool) -> None:
    """A report full of hostile texts has the same elements, in the same order, as one full of harmless ones."""
    pages = [
        rendered(render_markdown(planted_report(monkeypatch, text), verbose=verbose)) for text in (HOSTILE, "harmless")
    ]
    assert pages[0].tags == pages[1].tags
    assert {"h3", "h4", "table", "details", "summary", "pre", "code", "ul"} <= set(pages[0].tags)
    assert not {"script", "img", "input"} & set(pages[0].tags)
    assert LINKED.search(pages[0].prose.replace("://", "", pages[1].prose.count("://"))) is None
    assert pages[0].prose.replace("\u200b", "").count("@octocat #12 GH-7") > 10


@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: path.stem)
def test_triage_finds_the_same_cause(path: Path) -> None:
    """Whole, quoted in an answer, and after words of somebody else; a log that follows is read."""
    report = Report().of_snapshot(snapshot(path))
    markdown = render_markdown(report)
    for text in (markdown, "".join(f"> {line}\n" for line in markdown.splitlines()), f"Hello, it fails:\n\n{markdown}"):
        again = triage_texts(text)
        roots = [root.code for root in again.root_causes if root.confidence != "possible"]
        assert roots == [root.code for root in report.root_causes][: len(roots)]
        assert bool(roots) == bool(report.root_causes)
        assert any("output of xpu-doctor" in note for note in again.notes)
    followed = triage_texts(
        f"{markdown}\n```\nRuntimeError: UR error code 39 OUT_OF_DEVICE_MEMORY\ntorch.OutOfMemoryError: XPU out of memory.\n```"
    )
    assert "out-of-memory" in [root.code for root in followed.root_causes]


def test_what_is_read_is_what_was_written() -> None:
    text = "a *b* `c` | <d> @e #1 https://f"
    assert unescaped(escaped(text)) == text
    own = own_markdown(["### xpu-doctor: x", "```sh", "cmd", "```", "```text", "PyTorch version: 1", "```", "end"], "t")
    assert own.lines == {0, 1, 2, 3, 4, 6, 7}


def test_an_issue_takes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """GitHub refuses a text of more than 65,536 characters."""
    report = planted_report(monkeypatch, "`x|" * 2000)
    assert len(render_markdown(report)) < MAX_CHARACTERS + 100


def test_the_facts_are_called_as_in_collect_env(torch_env: Path) -> None:
    """Read from the collect_env of a real torch: the same names, in the same order."""
    source = next(torch_env.rglob("torch/utils/collect_env.py")).read_text(encoding="utf-8")
    names = re.findall(r"(?m)^([A-Z][\w ()]+):", source[source.index('env_info_fmt = """') :].split('"""')[1])
    at = names.index("Is XPU available") + 1
    names[at:at] = re.findall(r'f"(XPU used to build PyTorch|Intel GPU [a-z ]+):', source)
    block = environment_block(snapshot(SNAPSHOTS[-1])).lines
    ours = [line.split(":")[0] for line in block if re.match(r"[A-Z][\w ()]+:", line)]
    ours = [name for name in ours if name not in ("Model name", "CPU(s)")]
    assert [name for name in names if name in ours] == ours and len(ours) > 13


def test_a_file_ending_with_md_is_markdown(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    CliRunner().invoke(
        triage,
        ["-o", str(path), "-"],
        input="torch 2.9.1+cpu\nTorch not compiled with XPU enabled",
        standalone_mode=False,
    )
    assert path.read_text(encoding="utf-8").startswith("### xpu-doctor: a fault was found\n")
