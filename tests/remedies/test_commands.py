"""Quoting: what a shell makes of a printed line is the argument list that was meant."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpu_doctor.remedies.commands import Command, Shell, lines, quote, shells

WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12)
SHOW = "import sys; print(ascii(sys.argv[1:]))"


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=5))
def test_sh_reads_back_what_was_meant(words: list[str]) -> None:
    """Any words, printed for sh and run by a real sh, arrive unchanged."""
    (line,) = lines([Command((sys.executable, "-c", SHOW, *words))], Shell.SH)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(words)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_sh_environment() -> None:
    """Variables are set and unset for the one command."""
    code = "import os; print(os.environ.get('GONE'), os.environ['NEW VALUE'.split()[0]])"
    (line,) = lines([Command((sys.executable, "-c", code), unset=("GONE",), variables={"NEW": "a b"})], Shell.SH)
    done = subprocess.run(["sh", "-c", line], env={"GONE": "here", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[0] == "None a b"


def test_plain_words_stay_bare() -> None:
    """Requirements and addresses need no quotes in any shell."""
    for shell in Shell:
        for word in ("torch==2.14.0+xpu", "--index-url", "https://download.pytorch.org/whl/xpu", "-m"):
            assert quote(word, shell) == word


@pytest.mark.parametrize(
    ("word", "powershell", "cmd"),
    [
        (r"C:\venv\Scripts\python.exe", r"C:\venv\Scripts\python.exe", r"C:\venv\Scripts\python.exe"),
        (r"C:\Program Files\p.exe", r'"C:\Program Files\p.exe"', r'"C:\Program Files\p.exe"'),
        (r"C:\Users\Jürgen\p.exe", r'"C:\Users\Jürgen\p.exe"', r'"C:\Users\Jürgen\p.exe"'),
        ("C:\\a $b\\p.exe", "'C:\\a $b\\p.exe'", '"C:\\a $b\\p.exe"'),
        ("it’s $x", "'it’’s $x'", '"it’s $x"'),
        ("C:\\a b\\", "'C:\\a b\\'", '"C:\\a b\\\\"'),
        ("print(1, 'xpu')", "\"print(1, 'xpu')\"", "\"print(1, 'xpu')\""),
        ("", '""', '""'),
    ],
)
def test_windows_words(word: str, powershell: str, cmd: str) -> None:
    """PowerShell keeps $ and typographic quotes literal in single quotes only; cmd.exe knows double quotes only."""
    assert quote(word, Shell.POWERSHELL) == powershell
    assert quote(word, Shell.CMD) == cmd


def test_powershell_calls_a_quoted_program() -> None:
    """A quoted path is a string in PowerShell: & runs it."""
    command = Command((r"C:\My Env\python.exe", "-m", "pip"), unset=("UV_INDEX",), variables={"PIP_CONFIG_FILE": "nul"})
    assert lines([command], Shell.POWERSHELL) == (
        "Remove-Item Env:UV_INDEX -ErrorAction SilentlyContinue",
        '$env:PIP_CONFIG_FILE = "nul"',
        r'& "C:\My Env\python.exe" -m pip',
    )
    assert lines([command], Shell.CMD) == ('set "UV_INDEX="', 'set "PIP_CONFIG_FILE=nul"', r'"C:\My Env\python.exe" -m pip')


def test_shells_of_systems() -> None:
    """Windows has two usual shells, every other system sh."""
    assert shells("windows") == (Shell.POWERSHELL, Shell.CMD)
    assert shells("linux") == shells("macos") == (Shell.SH,)
