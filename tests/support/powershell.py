"""PowerShell's lines read by its grammar: the programs of a line with their arguments, as PowerShell would start them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

DOUBLE = '"“”„'
SINGLE = "'‘’‚‛"
BARE_LIST = re.compile(r"(?<=[ ])[A-Za-z][\w:]*(?:,[A-Za-z][\w:]*)+(?=[ ]|$)")
EVALUATED = re.compile(r"\[char\]0x([0-9A-F]+)|\[char\]::ConvertFromUtf32\(0x([0-9A-F]+)\)")


class NotPowerShell(ValueError):
    """A line that the grammar does not take, or whose value depends on what is not in it."""


@cache
def _parser() -> Any:
    tree_sitter = pytest.importorskip("tree_sitter", reason="PowerShell's grammar needs the package tree-sitter")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="the package tree-sitter-powershell is not here")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language()))


def commands_of(line: str) -> list[tuple[str, ...]]:
    """Return each program of a line with its arguments, in the order in which they run.

    Raises:
        NotPowerShell: the line is none.
    """
    check_line(line)
    root = _parser().parse(line.encode("utf-8", "surrogatepass")).root_node
    return [_words(node) for node in _nodes(root, "command")]


def check_line(line: str) -> None:
    """Make sure that a line is one of PowerShell, whatever its variables hold.

    Raises:
        NotPowerShell: it is none.
    """
    # The grammar takes a list of words only where they are quoted; PowerShell takes bare ones.
    quoted = BARE_LIST.sub(lambda found: re.sub(r"[\w:]+", r"'\g<0>'", found[0]), line)
    if _parser().parse(quoted.encode("utf-8", "surrogatepass")).root_node.has_error:
        raise NotPowerShell(line)


def _nodes(node: Any, kind: str) -> Iterator[Any]:
    if node.type == kind:
        yield node
    elif node.type != "sub_expression":
        for child in node.children:
            yield from _nodes(child, kind)


def _words(command: Any) -> tuple[str, ...]:
    found: list[str] = []
    called = False
    for child in command.children:
        if child.type == "command_invokation_operator":
            called = True
        elif child.type in ("command_name", "command_name_expr"):
            if child.type == "command_name_expr" and not called:
                raise NotPowerShell(f"a quoted program without &: {command.text.decode()}")
            found.append(_value(child.text.decode()))
        elif child.type == "command_elements":
            found += [
                _value(element.text.decode()) for element in child.children if element.type != "command_argument_sep"
            ]
        else:
            raise NotPowerShell(f"{child.type}: {command.text.decode()}")
    return tuple(found)


def _value(text: str) -> str:
    """Return what a word of a command means."""
    if text[:1] == '"':
        return _expanded(text[1:-1])
    if text[:1] == "'":
        return _verbatim(text[1:-1])
    if any(mark in text for mark in ("$", "`", ",", "@", *DOUBLE, *SINGLE)) or re.match(r"-[A-Za-z_][^:]*[.:]", text):
        raise NotPowerShell(f"a bare word that PowerShell changes: {text}")
    return text


def _verbatim(text: str) -> str:
    pairs = re.sub(rf"([{SINGLE}])[{SINGLE}]", r"\1", text)
    if len(re.findall(f"[{SINGLE}]", text)) != 2 * len(re.findall(f"[{SINGLE}]", pairs)):
        raise NotPowerShell(f"an apostrophe that ends the text: {text}")
    return pairs


def _expanded(text: str) -> str:
    result, place = "", 0
    while place < len(text):
        mark = text[place]
        if mark == "`":
            result += text[place + 1]
            place += 2
        elif text.startswith("$(", place):
            end = text.index(")", place) if "::" not in text[place : place + 12] else text.index("))", place) + 1
            found = EVALUATED.fullmatch(text[place + 2 : end])
            if found is None:
                raise NotPowerShell(f"an expression of unknown value: {text}")
            result += chr(int(found[1] or found[2], 16))
            place = end + 1
        elif mark == "$" or mark in DOUBLE:
            raise NotPowerShell(f"a variable, or a quotation mark that ends the text: {text}")
        else:
            result += mark
            place += 1
    return result
