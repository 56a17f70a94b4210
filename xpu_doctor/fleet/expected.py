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
WAYS = "write node[001-200], names with commas between, or the path of a file"
_BRACKETS = re.compile(r"\[([^\[\]]*)\]")
_PATH = re.compile(r"(?i)[/\\]|\.(?:te?xt|list|lst|hosts|nodes|conf|cfg|csv|json|ya?ml|ini)$")
_RANGE = re.compile(r"(\d{1,12})-(\d{1,12})(?:/\d{1,9})?")


class NodeListError(ValueError):
    """A list of nodes that cannot be read; the message is one line with the way out."""


def expected_nodes(*given: str) -> tuple[str, ...]:
    """Return the names that lists stand for, or the lists in files of such names: `node[001-200],login1`.

    Raises:
        NodeListError: one of them cannot be read.
    """
    wanted = [part for each in given for part in _wanted(each)]
    if sum(map(_size, wanted)) > MAX_NODES:
        raise NodeListError(f"this list stands for more than {MAX_NODES} nodes")
    names: dict[str, None] = {}
    for part in wanted:
        names.update(dict.fromkeys(_expanded(part) if "[" in part or "]" in part else (part,)))
    return tuple(names)


def _wanted(given: str) -> list[str]:
    """Return the parts of one list, or of the lists in a file; at least one."""
    if os.path.isdir(given):
        raise NodeListError(
            f"{given}: this is a folder: name a file of lists, or write '{given},' for a node of this name"
        )
    is_file = os.path.exists(given)
    parts = _listed(_content(given) if is_file else given)
    if not parts:
        raise NodeListError(f"this list names no node: {WAYS}")
    path = next(filter(_is_path, parts), "") if not is_file else ""
    if path:
        raise NodeListError(f"{path}: there is no such file: {WAYS}")
    return parts


def _listed(text: str) -> list[str]:
    lines = (line.partition("#")[0].strip().strip(",") for line in text.splitlines())
    return [part for line in lines for part in _parts(line)]


def _is_path(part: str) -> bool:
    """Return whether a part is written like the path of a file, and not like names of nodes: those have slashes in brackets alone."""
    return _PATH.search(_BRACKETS.sub("", part)) is not None


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
