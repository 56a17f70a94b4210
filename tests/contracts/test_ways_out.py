"""Every byte leaves the doctor through one module, which makes it harmless: nobody else writes."""

from __future__ import annotations

import ast
import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest

import xpu_doctor
from tests.support.clean_output import steering_characters
from xpu_doctor.text.visible import is_visible, visible, visible_values

PACKAGE = Path(xpu_doctor.__file__).parent
WAYS_OUT = ("text/output.py",)
"""The only module that writes to streams and report files."""
APART = ("target/agent/", "watching/inside/")
"""Runs in other interpreters; what it writes is read by the doctor as the patient's words."""
OTHER_REASONS = {
    ("cli/main.py", "sys.stdout"): "leads stdout nowhere when its reader has gone",
    ("cli/startup.py", "sys.stdout"): "opens closed streams",
    ("cli/startup.py", "sys.stderr"): "opens closed streams",
    ("catalogue/plugin_child.py", "open"): "answers the doctor, in a process of its own",
    ("catalogue/plugin_child.py", "sys.stdout"): "empties what a plug-in printed, which leads to stderr there",
    ("catalogue/plugin_child.py", "sys.stderr"): "empties what a plug-in printed",
    ("catalogue/plugin_process.py", "os.write"): "asks that process",
    (
        "watching/additions.py",
        "open",
    ): "makes the private folder that the hook writes to, and the copy of the hook of one file",
    ("watching/relay_child.py", "os.write"): "passes on what a watched program writes to its own stderr, byte for byte",
    ("watching/witness.py", "os.write"): "tells the watch of a signal, through a pipe of theirs",
    ("watching/live_line.py", "sys.stderr"): "asks whether it is a terminal, and writes to it through to_stderr",
    ("fleet/reading_child.py", "open"): "answers the doctor, in a process of its own",
    ("fleet/workers.py", "open"): "asks that process",
    ("process/channel.py", "os.write"): "gives the agent the key of the run",
    ("target/agent_in_memory.py", "os.write"): "copies the agent into files in memory, for another account to read",
    ("cli/startup.py", "open"): "opens the null device where a stream was closed",
    ("cli/progress.py", "sys.stderr"): "names the stream, and writes to it through to_stderr",
    ("treatment/writable.py", "open"): "tries whether a file can be made in an environment, and takes it away again",
    ("treatment/backup.py", "open"): "keeps the content of files inside of the environment, byte by byte",
    ("treatment/restoration.py", "open"): "puts that content back",
    ("treatment/manifest.py", "open"): "lists it, as JSON in ASCII",
    ("treatment/bundle.py", "write_text"): "lists the hashes of wheels beside them",
    ("treatment/explicit_index.py", "open"): "adds one fixed line to a project's own file",
    ("treatment/rehearsal.py", "write_text"): "tells pdm in a copy of a project which interpreter is examined",
    ("treatment/history.py", "open"): "notes what was done, as JSON in ASCII, in the user's state folder",
    ("report/terminal.py", "sys.stderr"): "asks for its width, where the report goes there",
    ("report/terminal.py", "sys.stdout"): "asks for its width, and which console of Windows it is",
}
"""Module and name of each further use, and why it writes nothing."""


def writing_places(path: Path) -> Iterator[tuple[str, int]]:
    """Names by which a module could write, with their lines: streams, print, click.echo, os.write, files opened for writing."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            name = f"{node.value.id}.{node.attr}"
            if re.fullmatch(
                r"sys\.__?std(out|err)__|sys\.std(out|err)|click\.(s?echo|echo_via_pager|style)|os\.(write|writev|pwrite)",
                name,
            ):
                yield name, node.lineno
        if isinstance(node, ast.Attribute) and node.attr in ("write_text", "write_bytes"):
            yield node.attr, node.lineno
        if isinstance(node, ast.Call):
            called = (
                node.func.id
                if isinstance(node.func, ast.Name)
                else node.func.attr
                if isinstance(node.func, ast.Attribute)
                else ""
            )
            if called == "print":
                yield "print", node.lineno
            modes = [
                item.value
                for item in (*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode"))
                if isinstance(item, ast.Constant)
            ]
            if called in ("open", "fdopen") and any(
                isinstance(mode, str) and set(mode) & set("wax+") for mode in modes
            ):
                yield "open", node.lineno


def test_only_one_module_writes() -> None:
    found = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name in WAYS_OUT or name.startswith(APART):
            continue
        for place, line in writing_places(path):
            found.add((name, place))
            assert (name, place) in OTHER_REASONS, f"{name}:{line} uses {place}: write through xpu_doctor.text.output"
    assert found == set(OTHER_REASONS), "a reason is given for what is not there"


@pytest.mark.parametrize(
    "code",
    [
        "print(1)",
        "import sys\nsys.stdout.write('')",
        "import click\nclick.echo('')",
        "open('x', 'w')",
        "import os\nos.write(1, b'')",
        "p.write_text('')",
    ],
)
def test_the_scan_finds_what_it_is_for(tmp_path: Path, code: str) -> None:
    (tmp_path / "module.py").write_text(code, encoding="utf-8")
    assert list(writing_places(tmp_path / "module.py"))


def test_every_character_that_steers_becomes_visible() -> None:
    for number in range(sys.maxunicode + 1):
        character = chr(number)
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            assert not is_visible(f"a{character}"), f"U+{number:04X}"
            assert visible(f"a{character}", one_line=True).isascii(), f"U+{number:04X}"
            assert not steering_characters(visible(f"a{character}b"))


def test_visible_keeps_everything_else() -> None:
    for text in ("", "plain", "Grüße 中文 ✓ \U0001f600", "two\nlines\tand a tab", "no\u00a0break", "a\\b"):
        assert visible(text) == text
    assert visible("a\r\nb") == "a\nb"
    assert visible("caf\udce9 \u202e\x1b[0m\r") == "caf\\xe9 \\u202e\\x1b[0m\\r"
    assert visible("a\nb\t", one_line=True) == "a\\nb\\t"


def test_values_that_json_has_not() -> None:
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    shown = visible_values({"\x1b": [float("nan"), float("inf"), 1.5], "deep": deep, "t": ("\udc80",)})
    assert shown["\\x1b"] == [None, None, 1.5] and shown["t"] == ["\\x80"]
    assert "too deep" in repr(shown["deep"])
