"""What an installer's output says of the index that it asked. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from xpu_doctor.text.visible import visible

LONGEST = 300
"""Characters of an installer's line that are shown."""
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT[\d:,.]{5,20} ")
"""How pip begins each line of its log."""
_DRAWN = re.compile(r"^[\s│├╰─▶×╭╯╮·-]+")
"""What uv draws before a line of its errors."""
_OWN_PAGE = re.compile(r"(?:Could not fetch URL|Skipping page) \S{1,1000}/pip/?:?(?:\s|$)")
"""The page of pip itself, which it looks for to offer its own update: that an index lacks it means nothing."""
_GAVE_UP = r"Retrying \(Retry\(total=0,"
"""What pip prints before the last of its attempts."""
_CAUSES = (
    re.compile(r"(Tunnel connection failed: [^')]{1,80})"),
    re.compile(r"\[(?:Errno|WinError) -?\d{1,6}\] ([^'\")\]<>]{3,150})"),
    re.compile(r"failed to lookup address information: ([^:()]{3,100})"),
    re.compile(r"([A-Z][^:()\[\]]{3,100}) \(os error \d{1,6}\)"),
    re.compile(r"(certificate verify failed[^()'\"]{0,100})"),
    re.compile(r"(Connection to \S{1,200} timed out)"),
    re.compile(r"(Read timed out)"),
)
"""Why a server cannot be reached, as the system says it, in the words of urllib3 and of uv."""
_CREDENTIALS = re.compile(r"://[^/@\s]{1,500}@")


class Fault(Enum):
    """Why an index is of no use for an install."""

    MISSING = "missing"
    """It answers, and has no such package for this interpreter."""
    CONFLICT = "conflict"
    """It has the packages, and they exclude each other."""
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RUBBISH = "rubbish"
    """Something answers that is no package index."""


@dataclass(frozen=True)
class Said:
    """What an installer said, and its own line for it."""

    fault: Fault | None
    """None where the words are not known."""
    line: str = ""


def one_line(text: str) -> str:
    """Return a line of another program as it may be shown: visible, without credentials, not too long."""
    line = _CREDENTIALS.sub("://***@", visible(" ".join(text.split()), one_line=True))
    if len(line) <= LONGEST:
        return line
    # Whole words alone, where there are any.
    start, end = line[: LONGEST * 2 // 3], line[-LONGEST // 3 :]
    return f"{(start.rpartition(' ')[0] or start).rstrip()} ... {(end.partition(' ')[2] or end).lstrip()}"


def cause(text: str) -> str:
    """Return why a server cannot be reached, in the few words of the system; a text without such words is returned as one line."""
    found = next((match[1].strip(" .") for match in (words.search(text) for words in _CAUSES) if match), "")
    proxy = re.search(r"(?:Cannot|Unable to) connect to proxy", text)
    return one_line(f"the proxy: {found}" if found and proxy else found or text)


def said_by_pip(text: str) -> Said:
    """Return why pip found nothing; `text` is its output and its log."""
    lines = _lines(text)
    missing = _first(lines, r"ERROR: (Could not find a version that satisfies|No matching distribution found)")
    failed = failed_page(text)
    offered = re.search(r"from versions: (?!none)", missing)
    if failed is not None and not offered and not (missing and failed.fault is Fault.MISSING):
        return failed
    if (gave_up := _first(lines, _GAVE_UP)) and not offered and failed is None:
        return Said(Fault.UNREACHABLE, cause(gave_up))
    if missing:
        return Said(Fault.MISSING, one_line(missing.removeprefix("ERROR: ")))
    conflict = _first(
        lines,
        r"ERROR: (Cannot install .{1,2000} conflict|ResolutionImpossible|Package .{1,500} requires a different Python)",
    )
    if conflict:
        return Said(Fault.CONFLICT, one_line(conflict.removeprefix("ERROR: ")))
    network = _first(
        lines,
        r"(?:^|[\s.])(ConnectionError|ReadTimeout|ConnectTimeout|MaxRetryError|NewConnectionError|ReadTimeoutError|ProxyError|SSLError)\b",
    )
    if network:
        return Said(Fault.UNREACHABLE, cause(network))
    if broken := _first(lines, r"(^|\.)JSONDecodeError\b"):
        return Said(Fault.RUBBISH, one_line(broken))
    return Said(None, one_line(_first(lines, r"^(ERROR|error)\b") or _last(lines)))


def failed_page(text: str, index: str = "") -> Said | None:
    """Return why pip got no page of an index, of any where none is named; None where nothing of that stands there."""
    lines = [line for line in _lines(text) if index in line and not _OWN_PAGE.search(line)]
    fetch = _first(
        lines, r"Could not fetch URL |ERROR: HTTP error \d+ while getting |Skipping page .{1,500} Content-Type"
    )
    if not fetch:
        return None
    fault = _fault_of_fetch(fetch)
    shown = fetch.removeprefix("WARNING: ")
    return Said(fault, cause(shown) if fault is Fault.UNREACHABLE else one_line(shown))


def said_by_uv(text: str) -> Said:
    """Return why uv found nothing; `text` is its output."""
    lines = [_DRAWN.sub("", line).strip() for line in text.splitlines() if line.strip()]
    start = next((number for number, line in enumerate(lines) if re.match(r"error\b|No solution found", line)), 0)
    whole = " ".join(lines[start:])
    plain = re.sub(r"\b(?:error|cause|Caused by): ", "", whole)
    line = one_line(plain)
    if refused := re.search(r"[^.]{0,200}\b(?:401 Unauthorized|403 Forbidden)\b[^.]{0,100}", whole):
        return Said(Fault.REFUSED, one_line(refused[0]))
    if "No solution found" in whole:
        because = re.search(r"\bBecause .{1,3000}", whole)
        missing = re.search(
            r"not found in the package registry|no versions? of|has no (?:usable )?wheels|(?:only|available|wheels? with a matching)\b",
            whole,
        )
        return Said(Fault.MISSING if missing else Fault.CONFLICT, one_line(because[0]) if because else line)
    if re.search(
        r"Content-Type|(?:Failed|Unable) to (?:parse|read|deserialize)|unexpected (?:HTML|content)|[Ii]nvalid (?:HTML|JSON)",
        whole,
    ):
        return Said(Fault.RUBBISH, line)
    if re.search(
        r"Failed to fetch|error sending request|Could not connect|Request failed|dns error|timed out|HTTP status", whole
    ):
        return Said(Fault.UNREACHABLE, cause(plain))
    return Said(None, line)


def listed_by_pip(text: str) -> tuple[str, ...]:
    """Return the versions that `pip index versions` names, as they stand there."""
    match = re.search(r"^Available versions: (.{0,100000})$", text, re.MULTILINE)
    return tuple(word.strip() for word in match[1].split(",") if word.strip()) if match else ()


def _lines(text: str) -> list[str]:
    return [_STAMP.sub("", line).strip() for line in text.splitlines()]


def _fault_of_fetch(line: str) -> Fault:
    if "Content-Type" in line:
        return Fault.RUBBISH
    status = re.search(r"\b(4\d\d|5\d\d) (?:Client|Server) Error|HTTP error (\d+)", line)
    number = next((part for part in status.groups() if part), "") if status else ""
    if number in ("401", "403", "407"):
        return Fault.REFUSED
    return Fault.MISSING if number in ("404", "410") else Fault.UNREACHABLE


def _first(lines: list[str], pattern: str) -> str:
    searched = re.compile(pattern)
    return next((line for line in lines if searched.search(line)), "")


def _last(lines: list[str]) -> str:
    return next((line for line in reversed(lines) if line), "")
