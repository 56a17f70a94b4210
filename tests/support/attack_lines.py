"""Lines that are as hard as can be for a regular expression, made from its own parse tree.

A pattern is slow where a part that repeats can begin or end in many places, and the search fails only at its end. So each part
that repeats is repeated over the whole line, behind what must stand before it, and what begins a match is repeated without its end.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

if sys.version_info >= (3, 11):
    from re import _compiler as compiler  # type: ignore[attr-defined]
    from re import _parser as parser  # type: ignore[attr-defined]
else:
    import sre_compile as compiler
    import sre_parse as parser

LENGTH = 4096
"""Characters of a line that the patterns of the doctor see."""
LETTERS = " a0./:-_\"'`,()[]=>#\\~\tAx|+*\n"
"""Characters that stand for the classes of patterns."""
RUNS = (" ", "a", "0", "/", ".", ":", "-", "_", "a ", "a.", "0.", "a/", "0 ", ", ", "a-", "> ", "\t", "\n", "\n ", "\\")
"""What is repeated whatever the pattern."""
BREAK = "\u00a7"
"""Ends a line in a way that no pattern waits for."""
REPEATS = ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT")
CLASSES = ("IN", "ANY", "NOT_LITERAL", "CATEGORY")


def attack_lines(pattern: str, flags: int = 0, length: int = LENGTH) -> Iterator[str]:
    """Yield hostile lines of a length for a pattern, each once."""
    tree = parser.parse(pattern, flags)
    known: set[str] = set()
    for line in _Attack(tree).lines(length):
        shown = line[: length - 1] + BREAK
        if shown not in known:
            known.add(shown)
            yield shown


class _Attack:
    """Makes lines of one parse tree."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        self.flags = tree.state.flags
        self._compiled: dict[tuple[str, int], re.Pattern[str]] = {}
        self.letters = tuple(self._telling_letters())

    def lines(self, length: int) -> Iterator[str]:
        """Yield lines of at least a length."""
        beginnings: dict[str, None] = {}
        for letter in self.letters:
            for before, part in self.repeated(self.tree, "", letter):
                yield before + part * (length // len(part) + 1)
                beginnings.update(dict.fromkeys((before, before + part, before + part * 12)))
            beginnings[self.sample(self.tree, letter)] = None
        for begin in filter(None, beginnings):
            yield begin * (length // len(begin) + 1)
        first = self.sample(self.tree, "a")
        for run in RUNS:
            yield run * length
            yield first[: len(first) // 2] + run * length

    def repeated(self, parts: Sequence[Any], before: str, letter: str) -> Iterator[tuple[str, str]]:
        """Yield what stands before each part that repeats, and one turn of the part."""
        for operation, argument in parts:
            name = str(operation)
            if name in REPEATS:
                turn = self.sample(argument[2], letter)
                if turn and (argument[1] == parser.MAXREPEAT or argument[1] > 1):
                    yield before, turn
            for branch in _below(name, argument):
                yield from self.repeated(branch, before, letter)
            before += self.sample([(operation, argument)], letter)

    def sample(self, parts: Sequence[Any], letter: str) -> str:
        """Return a text that parts match, made of a letter wherever a class accepts it; optional parts are there."""
        made = []
        for operation, argument in parts:
            name = str(operation)
            if name == "LITERAL":
                made.append(chr(argument))
            elif name in CLASSES:
                made.append(
                    next(
                        char
                        for char in chain(letter, LETTERS, map(chr, range(33, 0x3000)), map(chr, range(33)))
                        if self._accepts(operation, argument, char)
                    )
                )
            elif name in REPEATS:
                made.append(self.sample(argument[2], letter) * max(1, argument[0]))
            elif name == "BRANCH":
                made.append(self.sample(argument[1][ord(letter) % len(argument[1])], letter))
            elif name in ("SUBPATTERN", "ATOMIC_GROUP"):
                made.append(self.sample(_below(name, argument)[0], letter))
        return "".join(made)

    def _telling_letters(self) -> Iterator[str]:
        """Yield letters, one for each set of letters between which no class of the pattern tells a difference."""
        classes = list(_classes(self.tree))
        known: set[tuple[bool, ...]] = set()
        for letter in LETTERS:
            accepted = tuple(self._accepts(*part, letter) for part in classes)
            if accepted not in known:
                known.add(accepted)
                yield letter

    def _accepts(self, operation: Any, argument: Any, letter: str) -> bool:
        """Whether a part of the tree that matches one character matches this one."""
        key = (str(operation), id(argument))
        found = self._compiled.get(key)
        if found is None:
            state = parser.State()
            state.flags = self.flags
            found = self._compiled[key] = compiler.compile(
                parser.SubPattern(state, [(operation, argument)]), self.flags
            )
        return found.match(letter) is not None


def _classes(parts: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the parts that match one character of several."""
    for operation, argument in parts:
        if str(operation) in CLASSES:
            yield operation, argument
        for branch in _below(str(operation), argument):
            yield from _classes(branch)


def _below(name: str, argument: Any) -> list[Any]:
    """Return the trees that a part holds."""
    if name in REPEATS:
        return [argument[2]]
    if name == "SUBPATTERN":
        return [argument[-1]]
    if name == "ATOMIC_GROUP":
        return [argument]
    if name == "BRANCH":
        return list(argument[1])
    if name in ("ASSERT", "ASSERT_NOT"):
        return [argument[1]]
    if name == "GROUPREF_EXISTS":
        return [branch for branch in argument[1:] if branch]
    return []
