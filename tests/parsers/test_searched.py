"""The index of a text's words agrees with a plain search, whatever the text and the words."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.parsers.strategies import hard
from xpu_doctor.text import word_index
from xpu_doctor.text.word_index import IndexedText, WordTable

LETTERS = st.sampled_from("abcxpu019 ._-:/'\n\r\tİß检测")
TEXTS = st.text(LETTERS, max_size=200) | st.text(max_size=80)
WORDS = st.text(st.sampled_from("abcxpu019 ._-:/'检测"), min_size=1, max_size=12).filter(
    lambda word: word.strip() != ""
)


def plain(text: str) -> str:
    """A text in lower case, letter by letter, as long as it was."""
    return "".join(char.lower() if len(char.lower()) == 1 else char for char in text)


@pytest.fixture(autouse=True)
def words_of_its_own() -> Iterator[pytest.MonkeyPatch]:
    """Let no test see, or leave, words that other texts are asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_index, "_asked", word_index._AskedWords())
        patch.setattr(word_index, "MAX_ASKED", 200)
        yield patch


@hard
@given(TEXTS, WORDS)
def test_has_agrees_with_a_plain_search(text: str, word: str) -> None:
    """Neither more nor less is found."""
    assert IndexedText(text).has(word) == (word in IndexedText(text).lowered)


@hard
@given(TEXTS, st.lists(WORDS, max_size=12))
def test_a_table_finds_the_words_that_are_there(text: str, words: list[str]) -> None:
    """Of many words at once, too."""
    table = WordTable(words)
    assert table.present(IndexedText(text)) == {word for word in words if word in IndexedText(text).lowered}


@hard
@given(TEXTS, st.lists(WORDS, max_size=6))
def test_a_long_vocabulary_is_searched_without_pieces(text: str, words: list[str]) -> None:
    """Where pieces would take too much memory the answer is the same."""
    table = WordTable(words)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_index, "MAX_VOCABULARY", 0)
        without = table.present(IndexedText(text))
    assert without == table.present(IndexedText(text))


@hard
@given(TEXTS, TEXTS, st.lists(WORDS, max_size=12))
def test_words_of_earlier_texts_are_looked_up_together(earlier: str, text: str, words: list[str]) -> None:
    """The answer is that of a plain search, whichever words and tokens are known from before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_index, "_asked", word_index._AskedWords())
        table = WordTable(words[:6])
        for body in (earlier, text, text):
            searched = IndexedText(body)
            there = {word for word in words if word in searched.lowered}
            assert table.present(searched) == there.intersection(words[:6])
            assert set(searched.held(words)) == there
            assert searched.looked_up[1] in (len(set(words[:6])), len(set(words)))


@hard
@given(TEXTS, st.lists(WORDS, max_size=4))
def test_lines_with_words(text: str, words: list[str]) -> None:
    """Lines are those between newlines, and their numbers begin at 1."""
    found = IndexedText(text).numbers_with_any(words)
    lines = IndexedText(text).lowered.split("\n")
    one_line = [word for word in words if "\n" not in word]
    assert set(found) >= {number for number, line in enumerate(lines, 1) if any(word in line for word in one_line)}
    assert found == sorted(set(found))
    for number in found:
        assert IndexedText(text).line(number) == text.split("\n")[number - 1]


@hard
@given(TEXTS)
def test_lower_case_keeps_offsets(text: str) -> None:
    """Letters whose lower case is longer than they are stay as they are."""
    assert len(IndexedText(text).lowered) == len(text)
    if len(text.lower()) != len(text):
        assert IndexedText(text).lowered == plain(text)
