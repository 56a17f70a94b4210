"""Quoting: what a shell makes of a printed line is the argument list that was meant."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xpu_doctor.model.commands import Command
from xpu_doctor.remedies.commands import Shell, Unprintable, invisible, lines, quote, sequence, shells

WORDS = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=12).filter(
    lambda word: not word.endswith("\n")
)
SHOW = "import sys; print(ascii(sys.argv[1:]))"


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
@settings(max_examples=60, deadline=None)
@given(st.lists(WORDS, max_size=5))
def test_sh_reads_back_what_was_meant(words: list[str]) -> None:
    """Any words, printed for sh and run by a real sh, arrive unchanged."""
    (line,) = lines([Command((sys.executable, "-c", SHOW, *words))], Shell.SH)
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ascii(words)
    assert not any(map(invisible, line)), "each character shows as itself"


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_sh_environment() -> None:
    """Variables are set and unset for the one command."""
    code = "import os; print(os.environ.get('GONE'), os.environ['NEW VALUE'.split()[0]])"
    (line,) = lines([Command((sys.executable, "-c", code), unset=("GONE",), variables={"NEW": "a b"})], Shell.SH)
    done = subprocess.run(
        ["sh", "-c", line], env={"GONE": "here", "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
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
    assert lines([command], Shell.CMD) == (
        'set "UV_INDEX="',
        'set "PIP_CONFIG_FILE=nul"',
        r'"C:\My Env\python.exe" -m pip',
    )


def test_shells_of_systems() -> None:
    """Windows has two usual shells, every other system sh."""
    assert shells("windows") == (Shell.POWERSHELL, Shell.CMD)
    assert shells("linux") == shells("macos") == (Shell.SH,)


AWKWARD = [
    "a\u200bb",
    "two\nlines",
    "tab\there",
    "\x1b[2Kred",
    "\u202egnp",
    "b\\x",
    "b\\\\x",
    "-n",
    "50%s",
    "nbsp\u00a0",
    "bad\udcff",
    "it's",
    "!x",
    "a && b",
    "größe",
]


@pytest.mark.parametrize("shell", [name for name in ("sh", "bash", "zsh", "fish") if shutil.which(name)])
def test_awkward_words_in_each_shell(shell: str) -> None:
    """What does not show is written by its number, so that the bytes arrive whatever copies the line."""
    argv = (sys.executable, "-c", "import os, sys; print([os.fsencode(word) for word in sys.argv[1:]])", *AWKWARD)
    (line,) = lines([Command(argv)], Shell.SH)
    assert not any(map(invisible, line))
    done = subprocess.run([shell, "-c", line], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str([os.fsencode(word) for word in AWKWARD])


def test_what_windows_shells_can_write() -> None:
    """PowerShell evaluates a character by its number; cmd.exe cannot, and says so in place of a wrong command."""
    assert quote("C:\\a\u200bb $x", Shell.POWERSHELL) == '"C:\\a$([char]0x200B)b `$x"'
    assert quote("C:\\a&b^c", Shell.CMD) == '"C:\\a&b^c"'
    for word in ("C:\\50%OS%", "C:\\a\u200bb"):
        with pytest.raises(Unprintable, match="PowerShell"):
            quote(word, Shell.CMD)
        assert lines([Command((word, "-m", "pip"))], Shell.CMD)[0].startswith("rem no command is printed here")


def test_a_line_end_at_the_end_of_a_name() -> None:
    """sh drops it from what a command prints: no command is better than one for another path."""
    with pytest.raises(Unprintable):
        quote("dir\n", Shell.SH)


@pytest.mark.skipif(sys.platform == "win32", reason="needs sh")
def test_a_sequence_stops_at_the_first_failure(tmp_path: Path) -> None:
    """Pasted as a whole: what stands after a failure is not run."""
    steps = [
        Command((sys.executable, "-c", f"import sys; open({name!r}, 'w'); sys.exit({code})"))
        for name, code in (("a", 0), ("b", 1), ("c", 0))
    ]
    (line,) = sequence(steps, Shell.SH)
    assert subprocess.run(["sh"], input=line + "\n", text=True, cwd=tmp_path, check=False).returncode == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_sequences_of_windows() -> None:
    """PowerShell 5 has no `&&`; `$?` is true again after an `if`, so each step stands inside of the one before."""
    steps = [Command(("a", "1")), Command(("b", "2"), variables={"X": "y"}), Command(("c", "3"))]
    assert sequence(steps, Shell.POWERSHELL) == ('$env:X = "y"', "a 1; if ($?) { b 2; if ($?) { c 3 } }")
    assert sequence(steps, Shell.CMD) == ('set "X=y"', "a 1 && b 2 && c 3")
