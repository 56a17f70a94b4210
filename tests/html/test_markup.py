"""Markup that nothing can break: whatever a text holds, a browser's parser reads back that text and nothing else."""

from __future__ import annotations

from xml.etree import ElementTree

import html5lib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xpu_doctor.report.html.markup import Markup, element, joined, page, script, source_hash, stylesheet
from xpu_doctor.report.html.pieces import commands, link, path, prose
from xpu_doctor.text.visible import visible

MARKS = st.sampled_from(
    ["<", ">", "&", '"', "'", "`", "=", "/", "</", "<!--", "-->", "<![CDATA[", "]]>", "&lt", "&#x41;", "<script>", "\x00", "\r", "\r\n", "\n", "\ud800", "\u202e", " "]
)  # fmt: skip
TEXTS = st.lists(st.one_of(MARKS, st.text(st.characters(), max_size=5)), max_size=8).map("".join)
"""Texts of all characters, lone surrogates too, dense in what HTML gives a meaning."""


def parsed(body: Markup) -> html5lib.treebuilders.base.Node:
    """The body of a page as a parser of the standard reads it."""
    written = page(
        element("head", element("meta", charset="utf-8"), element("title", "x")), element("body", body), language="en"
    )
    assert written.isascii()
    tree = html5lib.HTMLParser(namespaceHTMLElements=False).parse(written)
    return tree.find("body")


@given(TEXTS)
def test_a_text_is_read_back_as_it_was(text: str) -> None:
    read = parsed(element("p", text)).find("p")
    assert list(read) == []
    assert (read.text or "") == visible(text)


@given(TEXTS)
def test_an_attribute_is_read_back_as_it_was(text: str) -> None:
    read = parsed(element("p", title=text)).find("p")
    assert dict(read.attrib) == {"title": visible(text)}


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_lines_to_type_are_read_back_as_they_were(lines: list[str]) -> None:
    """They are set word by word, which must not change a letter."""
    block = commands(lines, "says")
    assert block is not None
    assert "".join(parsed(block).find("div").find("pre").itertext()) == "\n".join(map(visible, lines))


@given(TEXTS)
def test_sentences_and_paths_lose_no_letter_but_backticks(text: str) -> None:
    said = "".join(parsed(element("p", prose(text))).find("p").itertext())
    assert said.replace("`", "") == visible(text).replace("`", "")
    assert "".join(parsed(element("p", path(text))).find("p").itertext()) == visible(text)


@given(TEXTS)
@pytest.mark.parametrize(
    "scheme",
    [
        "",
        "javascript:",
        " javascript:",
        "data:text/html,",
        "file:///",
        "//",
        "http:",
        "HTTPS://x",
        "https://",
        "https://x ",
    ],
)
def test_a_link_leads_to_a_page_or_nowhere(scheme: str, text: str) -> None:
    read = parsed(element("p", link(scheme + text))).find("p")
    for anchor in read.iter("a"):
        assert anchor.get("href").startswith(("http://", "https://"))
    if scheme.strip() in ("javascript:", "data:text/html,", "file:///", "//"):
        assert list(read) == []


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("a", {"href": "javascript:alert(1)"}),
        ("a", {"href": "data:text/html,x"}),
        ("img", {"src": "https://example.org/a b"}),
        ("p", {"onclick": "x"}),
        ("p", {"style": "x"}),
        ("p", {'a"b': "x"}),
        ("p x", {}),
        ("script", {}),
        ("style", {}),
    ],
)
def test_what_could_hold_code_is_refused(name: str, attributes: dict[str, str]) -> None:
    with pytest.raises(ValueError):
        element(name, "x", **attributes)


def test_a_text_is_no_markup_and_markup_no_text() -> None:
    """Neither can be taken for the other by mistake."""
    with pytest.raises(TypeError):
        Markup("<b>", made_by=None)
    with pytest.raises(TypeError):
        f"{element('b', 'x')}"


def test_children_stand_in_order() -> None:
    read = parsed(
        element(
            "p", "a", None, element("b", "c"), ["d", [joined("e", element("i"))]], hidden=True, title=None, lang=False
        )
    )
    assert (
        ElementTree.tostring(read.find("p"), encoding="unicode", method="html").strip()
        == '<p hidden="">a<b>c</b>de<i></i></p>'
    )


@pytest.mark.parametrize("source", ["a</style>", "<!-- x", "é"])
def test_style_and_script_cannot_end_early(source: str) -> None:
    for made in (stylesheet, script):
        with pytest.raises(ValueError):
            made(source)


def test_a_hash_is_what_the_policy_calls_it() -> None:
    """As in the example of the specification of Content Security Policy."""
    assert source_hash("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"
