"""Commands as people read them."""

from __future__ import annotations

import pytest

from xpu_doctor.text.command_line import command_line


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["python", "train.py", "--lr=0.1"], "python train.py --lr=0.1"),
        (["python", "-c", "import torch"], "python -c 'import torch'"),
        (["sh", "-c", "echo 'a b'"], "sh -c \"echo 'a b'\""),
        (["python", ""], "python ''"),
        ([r"C:\env\python.exe", r"C:\my work\t.py"], r"C:\env\python.exe 'C:\my work\t.py'"),
        (["echo", 'it\'s "so"'], 'echo it\'s "so"'),
    ],
)
def test_words_are_told_apart_where_quotes_can_do_it(words: list[str], line: str) -> None:
    assert command_line(words) == line
