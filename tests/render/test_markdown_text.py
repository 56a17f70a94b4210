"""What strangers write stays text in GitHub's own Markdown program, and leads to no link, mention or reference."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from xpu_doctor.report.markdown_text import MAX_INLINE, code, escaped, fenced
from xpu_doctor.text.visible import visible

CMARK = shutil.which("cmark-gfm")
pytestmark = pytest.mark.skipif(CMARK is None, reason="cmark-gfm is not installed")
EXTENSIONS = ("table", "strikethrough", "autolink", "tagfilter", "tasklist")
LINKED = re.compile(r"@\w|#\w|(?i:gh-\d)|://|(?i:\bwww\.)|:[A-Za-z_+-][\w+-]*:")
"""What GitHub makes links, mentions and pictures of in text that is no code."""

markup = st.text(
    st.sampled_from(list("`~*_#-+=<>[]()!|\\&;:/@$^.\"'{}0123456789aw gh\t\n\r\x1b\u200b\u202e\x00\ud800é")),
    max_size=40,
)
pieces = st.lists(
    st.sampled_from(
        ["@octocat ", "#12", "a/b#3", "GH-7", "https://github.com/a/b/issues/1", "www.example.org", "<!--", "-->", "</details>",
         "<script>", "&#64;", "\\", "|", "```", "~~~", "- [ ] ", "1. ", "![x](y)", "[a]: b", ":tada:", "$x$", "[^1]", "    ", "\n\n", "==="]
    )
    | markup,
    max_size=8,
).map("".join)  # fmt: skip


class Shown(HTMLParser):
    """The elements of a page, and its text in and outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.prose = ""
        self.code = ""
        self.inside = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.inside += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        self.inside -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.code += data
        else:
            self.prose += data


def rendered(markdown: str) -> Shown:
    """Markdown as GitHub's own program renders it."""
    options = [part for name in EXTENSIONS for part in ("-e", name)]
    ran = subprocess.run(
        [str(CMARK), "--unsafe", *options], input=markdown.encode(), capture_output=True, check=True, timeout=30
    )
    return Shown(ran.stdout.decode())


def in_one_line(text: str) -> str:
    """What a reader should see of a text."""
    return " ".join(visible(" ".join(text.split()), one_line=True).split())


@settings(max_examples=150)
@given(pieces)
@example("1. one")
@example("# heading @me")
@example("\\|")
def test_a_text_stays_a_text(text: str) -> None:
    wanted = in_one_line(text)
    page = rendered(
        f"- before {escaped(text)} after\n- {escaped(text)}\n\n| a | b |\n|---|---|\n| {escaped(text)} | c |\n"
    )
    assert page.tags == ["ul", "li", "li", "table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    plain = page.prose.replace("\u200b", "")
    assert plain.split() == f"before {wanted} after {wanted} a b {wanted} c".split()
    assert LINKED.search(page.prose) is None


@settings(max_examples=150)
@given(pieces)
@example("`")
@example("``` ```")
def test_code_stays_code(text: str) -> None:
    wanted = in_one_line(text)
    page = rendered(f"before {code(text)} after\n\n" + "\n".join(fenced([text, "last"], "sh")) + "\n\nend\n")
    assert page.tags == ["p", *(["code"] if wanted else []), "pre", "code", "p"]
    assert page.prose.split() == ["before", "after", "end"]
    lines = [visible(line) for line in (text.splitlines() or [""])]
    assert page.code == wanted + "\n".join([*lines, "last"]) + "\n"


def test_a_very_long_text_is_cut_in_its_middle() -> None:
    text = "a" * 5000 + "z"
    assert len(escaped(text)) < MAX_INLINE + 10 and escaped(text).endswith("z") and " ... " in code(text)
