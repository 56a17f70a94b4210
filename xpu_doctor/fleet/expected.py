"""The nodes that should be there: a list, or a file of lists, as Slurm and ClusterShell write them."""

from __future__ import annotations

import os
import re

MAX_NODES = 1_000_000
MAX_BYTES = 32 << 20
NO_LIBRARY = (
    "a list with brackets needs ClusterShell, which is not installed here: `pip install 'xpu-doctor[fleet]'`, "
    "or write out the names (`scontrol show hostnames` does)"
)
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})(?:/\d{1,9})?")


class NodeListError(ValueError):
    """A list of nodes that cannot be read; the message is one line with the way out."""


def expected_nodes(given: str) -> tuple[str, ...]:
    """Return the names that a list stands for, or the lists in a file of that name: `node[001-200],login1`.

    Raises:
        NodeListError: it cannot be read.
    """
    text = _content(given) if os.path.isfile(given) else given
    lines = (line.partition("#")[0].strip().strip(",") for line in text.splitlines())
    wanted = [part for line in lines for part in _parts(line)]
    if sum(map(_size, wanted)) > MAX_NODES:
        raise NodeListError(f"this list stands for more than {MAX_NODES} nodes")
    names: dict[str, None] = {}
    for part in wanted:
        names.update(dict.fromkeys(_expanded(part) if "[" in part or "]" in part else (part,)))
    if not names:
        raise NodeListError(
            "this list names no node: write node[001-200], names with commas between, or the path of a file"
        )
    return tuple(names)


def _content(path: str) -> str:
    try:
        with open(path, "rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise NodeListError(f"{path}: {error.strerror or error}") from error
    if len(data) > MAX_BYTES:
        raise NodeListError(f"{path} is larger than a list of nodes")
    return data.decode("utf-8-sig", "replace")


def _parts(line: str) -> list[str]:
    """Return the parts between commas and blanks that stand outside of brackets."""
    parts, depth = [""], 0
    for letter in line:
        depth += (letter == "[") - (letter == "]")
        if depth <= 0 and (letter == "," or letter.isspace()):
            parts.append("")
        else:
            parts[-1] += letter
    return [part for part in parts if part]


def _size(part: str) -> int:
    """Return how many names a part stands for at most, without making them."""
    size = 1
    for match in _BRACKETS.finditer(part):
        size *= sum(_length(each) for each in match[1].split(","))
    return size


def _length(each: str) -> int:
    match = _RANGE.fullmatch(each.strip())
    return max(1, int(match[2]) - int(match[1]) + 1) if match else 1


def _expanded(part: str) -> list[str]:
    try:
        from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet
    except ImportError as error:
        raise NodeListError(NO_LIBRARY) from error
    try:
        return list(NodeSet(part, resolver=RESOLVER_NOGROUP))
    except Exception as error:  # its own errors have several bases, and odd digits raise others
        raise NodeListError(f"{part}: no list of nodes ({error})") from error
