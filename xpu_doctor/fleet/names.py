"""Names of nodes: from reports and the names of their files, in the order of people, many in few words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

GENERAL = frozenset({"report", "reports", "check", "result", "results", "output", "out", "stdout", "xpu-doctor", "xpu_doctor", "latest", "-"})  # fmt: skip
"""Names of files that say nothing of a node: the folder's name does."""
STANDARD_INPUT = "standard input"
"""What a stream without a name is called."""
MAX_NAME = 253
"""Letters of a name: as many as DNS allows."""

MAX_RANGES = 48
"""Letters between two brackets."""

_ENDINGS = re.compile(r"(?i)(?:\.(?:json|jsonl|ndjson|txt|gz|tar|tgz)){1,4}$")
_REPORT = re.compile(r"(?i)\.(?:(?:json|tar)(?:\.(?:gz|bz2|xz))?|tgz|tbz2?|txz)(?:#\d+)?$")
_LINES = re.compile(r"(?i)\.(?:jsonl|ndjson)(?:\.(?:gz|bz2|xz))?$")
_TIME = re.compile(
    r"(?:^|[._@+-])20\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])"
    r"(?:[T_.-](?:[01]\d|2[0-3])[:-]?[0-5]\d(?:[:-]?[0-5]\d(?:\.\d+)?)?)?Z?$"
)
_RANK = re.compile(r"(?i)[._-]rank[._-]?\d+$")
_OWN = re.compile(r"(?i)^xpu[-_]doctor[._-]|[._-](?:xpu[-_]doctor|report|check)$")
_NUMBERS = re.compile(r"(\d+)")
_LAST_NUMBER = re.compile(r"^(.*?)(\d+)(\D*)$")
_PLACEHOLDER = re.compile(r"<[a-z]{2,20}\d{0,9}>")


def node_name(said: str | None, label: str) -> str:
    """Return a node's name: as its report says it, else as the file is called, or the folder where that says nothing."""
    if said and (name := said.strip()) and not _PLACEHOLDER.fullmatch(name):
        return name[:MAX_NAME]
    parts = [part for part in re.split(r"[/\\]|: ", label) if part]
    for part in reversed(parts):
        if not is_general(part):
            return _bare(part)[:MAX_NAME]
    return (parts[-1] if parts else label)[:MAX_NAME]


def promises_report(label: str) -> bool:
    """Return whether a file is called like a report or an archive of them, so that a node may be lost where it gives none."""
    return _REPORT.search(label) is not None


def promises_reports(label: str) -> bool:
    """Return whether a file that holds nothing at all is called like one that should hold reports."""
    return promises_report(label) or _LINES.search(label) is not None


def is_general(name: str) -> bool:
    """Return whether a file's name says nothing of a node."""
    bare = _bare(name)
    return not bare or bare.lower() in GENERAL


def _bare(part: str) -> str:
    """Return a file's name without endings, time and rank."""
    name = _ENDINGS.sub("", part)
    for pattern in (_TIME, _RANK, _TIME, _OWN):
        name = pattern.sub("", name)
    return name.strip("._-@+ ")


def natural(name: str) -> str:
    """Return by what names are put in the order of people: node2 before node10."""
    return f"{_NUMBERS.sub(_with_length, name)}\0{name}"


def _with_length(match: re.Match[str]) -> str:
    digits = match[0].lstrip("0")
    return f"{len(digits):03}{digits}"


def folded(names: Iterable[str]) -> list[str]:
    """Return names in few words, in the order of people: `node[001-004,007]`."""
    ordered = sorted(set(names), key=natural)
    padded = {key for key in map(_key, ordered) if key[2] > 0}
    rows: dict[tuple[str, str, int], list[int]] = {}
    for name in ordered:
        prefix, suffix, width, digits = _split(name)
        if width == 0 and (prefix, suffix, len(digits)) in padded:  # 10 after 08 and 09: as wide, and without a zero
            width = len(digits)
        numbers = rows.setdefault((prefix, suffix, width), [])
        if width >= 0:
            numbers.append(int(digits))
    return [row for key, numbers in rows.items() for row in _rows(*key, numbers)]


def _key(name: str) -> tuple[str, str, int]:
    """Return what names with other numbers share: what stands before and after the number, and its width."""
    return _split(name)[:3]


def _split(name: str) -> tuple[str, str, int, str]:
    """Return what stands before and after the last number, its width where zeros pad it, else 0, and its digits; -1 without a number."""
    match = _LAST_NUMBER.match(name)
    if match is None or len(match[2]) > 15 or not match[2].isascii():
        return name, "", -1, ""
    is_padded = match[2].startswith("0") and len(match[2]) > 1
    return match[1], match[3], len(match[2]) if is_padded else 0, match[2]


def _rows(prefix: str, suffix: str, width: int, numbers: list[int]) -> Iterator[str]:
    """Yield names that differ in a number alone, in pieces that fit in a line."""
    if width < 0:
        yield prefix
        return
    pieces = [""]
    for each in _ranges(sorted(numbers), width):
        if pieces[-1] and len(pieces[-1]) + len(each) >= MAX_RANGES:
            pieces.append("")
        pieces[-1] += f",{each}" if pieces[-1] else each
    for piece in pieces:
        yield f"{prefix}{piece}{suffix}" if piece.isdecimal() else f"{prefix}[{piece}]{suffix}"


def _ranges(numbers: list[int], width: int) -> Iterator[str]:
    start = before = numbers[0]
    for number in [*numbers[1:], None]:
        if number is not None and number == before + 1:
            before = number
            continue
        yield f"{start:0{width}}" if start == before else f"{start:0{width}}-{before:0{width}}"
        if number is not None:
            start = before = number


def told_apart(names: Iterable[str], expected: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return which of the expected names are missing, and which names nobody expected; a short name stands for the full one.

    A name in a domain and one without are the same node where their first parts are alike and only one of the two is in a domain.
    """
    there, wanted = set(names), set(expected)
    short = {name.partition(".")[0]: name for name in there}
    wanted_short = {name.partition(".")[0] for name in wanted if "." not in name}
    missing = [
        name for name in wanted if name not in there and not _other_form(name, short.get(name.partition(".")[0], ""))
    ]
    full = {name.partition(".")[0] for name in wanted if "." in name}
    extra = [
        name
        for name in there
        if name not in wanted
        and not ("." in name and name.partition(".")[0] in wanted_short)
        and not ("." not in name and name in full)
    ]
    return sorted(missing, key=natural), sorted(extra, key=natural)


def _other_form(name: str, other: str) -> bool:
    """Return whether of two names with the same first part exactly one is in a domain."""
    return bool(other) and ("." in name) != ("." in other)
