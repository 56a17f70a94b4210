"""What patterns require of a line is derived from them, is up to date, and leaves out no line that a pattern matches."""

from __future__ import annotations

import re

import pytest

from tools.update_required_words import TARGET, required, text
from xpu_doctor.diagnosis.known_messages import match_pasted
from xpu_doctor.tables.required_words import required_words
from xpu_doctor.tables.signatures import signatures
from xpu_doctor.text.word_index import IndexedText, WordTable


def test_the_file_is_up_to_date() -> None:
    """A changed pattern is derived anew."""
    assert TARGET.read_text(encoding="utf-8") == text(), "run python tools/update_required_words.py"


@pytest.mark.parametrize(
    ("pattern", "alternatives"),
    [
        (r"\bcannot open\b", [[{"cannot open"}]]),
        (r"(?i)Cannot[ ]Open", [[{"cannot open"}]]),
        (r"cannot\s+open", [[{"cannot"}, {"open"}]]),
        (r"foo.{0,20}(?:crash|hang)ed", [[{"foo"}, {"crashed"}], [{"foo"}, {"hanged"}]]),
        (r"a.{2}(?:crash|(?:no|not) (?:foo|bars?))", [[{"crash"}], [{"foo", "bar"}]]),
        (r"foo.{0,20}crash|(?:no|without) foo (?:hung|froze)", [[{"foo"}, {"crash"}], [{"foo"}, {"hung", "froze"}]]),
        (r"\b(?:crash|no foo)\b", [[{"crash"}], [{"no foo"}]]),
        (r"foo (?=(?:crash|hangs)ing)", [[{"foo"}, {"crash", "hangs"}, {"ing"}]]),
        (r"(?:crash)?ed by", [[{"ed by"}]]),
        (r"foo|\d", [[{"foo"}], []]),
        (r"(?!crash)(?<!hang)ing", [[{"ing"}]]),
        (r"(?:abc){2}[0-9]x\tyzz", [[{"abc"}, {"yzz"}]]),
        (r"[Tt]orch[-_]xpu", [[{"torch"}, {"xpu"}]]),
    ],
)
def test_sets_of_a_pattern(pattern: str, alternatives: list[list[set[str]]]) -> None:
    """Letters in a row are a word, what branches within an alternative a set; what may be left out or is denied requires nothing."""
    assert required(pattern) == alternatives


def test_lines_that_match_hold_a_word_of_each_set() -> None:
    """No example is left out, whatever its case."""
    for signature in signatures():
        for line in (variant for example in signature.examples for variant in (example, example.upper())):
            for each in filter(signature.compiled.search, line.split("\n")):
                searched = IndexedText(each)
                assert any(all(table.present(searched) for table in sets) for sets in signature.required), signature.id


def test_a_row_of_another_pattern_is_tried_without_them() -> None:
    """Words that were derived from another pattern leave out nothing."""
    nothing = ((),)
    known = next(row for row in signatures() if required_words(row.id, row.pattern) != nothing)
    assert required_words(known.id, f"{known.pattern}|other") == nothing
    assert required_words("no-such-row", known.pattern) == nothing


def test_a_line_is_left_out_where_a_word_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pattern is not tried on lines that lack a required word; a line is tried that holds it with other digits."""
    tried: list[str] = []
    signature = next(row for row in signatures() if row.id == "count-zero")

    class Noting:
        def search(self, line: str, *where: int) -> re.Match[str] | None:
            tried.append(line)
            return re.compile(signature.pattern).search(line, *where)

    monkeypatch.setitem(signature.__dict__, "compiled", Noting())
    monkeypatch.setitem(
        signature.__dict__, "required", ((WordTable(("xpu device",)), WordTable(("count is 0", "zero"))),)
    )
    lines = ["the XPU device works", "the count is 0", "XPU device count is 7", "XPU device count is zero!"]
    met = match_pasted(IndexedText("\n".join(lines)), "text")
    assert [error.source for error in met.told if error.signature == "count-zero"] == ["text, line 4"]
    assert tried == lines[2:]
