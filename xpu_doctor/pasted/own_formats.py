"""What the doctor itself writes and triage does not read: told by what each format carries, and refused with the way out."""

from __future__ import annotations

import re
from typing import NamedTuple

from xpu_doctor.model.codec import SnapshotError
from xpu_doctor.pasted.readers.own_blocks import ANNOTATIONS, COMPARISON, own_blocks
from xpu_doctor.text.late_pattern import late_pattern

MAX_START = 20_000
"""Characters at the beginning of a text in which its format shows."""
ASK_FOR_REPORT = "ask for the report as JSON (`xpu-doctor check --json -o report.json` writes it), Markdown or text"
ASK_FOR_NODES = "give the reports of the nodes in question"
ASK_FOR_COMPARED = "give the reports that were compared"


class OwnFormat(NamedTuple):
    """A format of the doctor's own."""

    called: str
    """Begins the sentence that refuses it."""
    begins: str
    """What a text of this format begins with."""
    sign: re.Pattern[str]
    """What is found near its beginning."""
    way_out: str
    holds: tuple[str, ...] = ()
    """Words one of which stands where the sign is, for a sign that is slow to look for; none where it is not."""


FORMATS = (
    OwnFormat(
        "this is a comparison by xpu-doctor, in HTML",
        "<",
        late_pattern(r"<title>Comparison of [^<>]{1,500} - xpu-doctor</title>"),
        ASK_FOR_COMPARED,
    ),
    OwnFormat(
        "this is a fleet by xpu-doctor, in HTML",
        "<",
        late_pattern(r"<title>Fleet of \d{1,9} nodes - xpu-doctor</title>"),
        ASK_FOR_NODES,
    ),
    OwnFormat(
        "this is a fleet by xpu-doctor",
        "{",
        late_pattern(r'"outliers":\s{0,9}\d{1,9},\s{0,9}"kinds":\s{0,9}\['),
        ASK_FOR_NODES,
    ),
    OwnFormat(
        "this is a fleet by xpu-doctor, for Prometheus",
        "# HELP xpu_doctor_fleet_",
        late_pattern(r"# TYPE xpu_doctor_fleet_"),
        ASK_FOR_NODES,
    ),
    OwnFormat(
        "this is a fleet by xpu-doctor",
        "**",
        late_pattern(r"(?m)^### (?:Outliers, the worst first|What most are|Largest groups)$"),
        ASK_FOR_NODES,
    ),
    OwnFormat(
        "this is a fleet by xpu-doctor",
        "",
        late_pattern(
            r"(?m)^\d{1,9} nodes?: [^\n]{1,200}\n(?:[^\n]{0,200}\n){0,20}(?:Outliers, the worst first|What most are|Largest groups):$"
        ),
        ASK_FOR_NODES,
        ("Outliers, the worst first:", "What most are:", "Largest groups:"),
    ),
    OwnFormat(
        "this is xpu-doctor's HTML report",
        "<",
        late_pattern(r'<meta [^<>]{0,40}name="generator" [^<>]{0,40}content="xpu-doctor '),
        ASK_FOR_REPORT,
    ),
    OwnFormat(
        "this is xpu-doctor's JUnit report",
        "<",
        late_pattern(r'<testsuites [^<>]{0,200}\bname="xpu-doctor"'),
        ASK_FOR_REPORT,
    ),
    OwnFormat(
        "this is the plan of `xpu-doctor fix`",
        "Environment ",
        late_pattern(r"(?m)^The plan has \d{1,3} steps?\b"),
        ASK_FOR_REPORT,
    ),
    OwnFormat(
        "this is an answer of `xpu-doctor facts`",
        "{",
        late_pattern(r'"kind":\s{0,5}"(?:torch|gpu|driver|stack)",\s{0,20}"asked":'),
        ASK_FOR_REPORT,
    ),
    OwnFormat(
        "this is an answer of `xpu-doctor facts`",
        "",
        late_pattern(r"(?m)^  Sources:\n    \[1\] https?://\S"),
        ASK_FOR_REPORT,
        ("  Sources:",),
    ),
)
BLOCKS = {
    COMPARISON: ("this is a comparison by xpu-doctor", ASK_FOR_COMPARED),
    ANNOTATIONS: ("these are xpu-doctor's annotations for a GitHub workflow", ASK_FOR_REPORT),
}
"""What a text may consist of, by the name of its blocks."""

_FENCES = ("```", "~~~")
_COMMANDS = tuple(f"xpu-doctor {name} " for name in ("check", "triage", "compare", "fleet", "fix", "facts"))


def refuse_own_format(text: str) -> None:
    """Refuse a text that is an output of the doctor which holds no facts to judge.

    Raises:
        SnapshotError: it is one; the message names the format and the way out.
    """
    found = _format(text[:MAX_START]) or _only_blocks(text)
    if found is not None:
        called, way_out = found
        raise SnapshotError(f"{called}, from which nothing is read: {way_out}")


def _format(start: str) -> tuple[str, str] | None:
    lines = start.lstrip("\ufeff").split("\n")
    begin = next((line for line in lines if not _says_nothing(line)), "")
    return next(((each.called, each.way_out) for each in FORMATS if _is_of(each, begin, start)), None)


def _is_of(form: OwnFormat, begin: str, start: str) -> bool:
    if not begin.startswith(form.begins) or (form.holds and not any(word in start for word in form.holds)):
        return False
    return form.sign.search(start) is not None


def _only_blocks(text: str) -> tuple[str, str] | None:
    """Return what a text consists of that says nothing besides."""
    blocks = own_blocks(text)
    if not blocks:
        return None
    own = set().union(*blocks.values())
    rest = (line for number, line in enumerate(text.split("\n")) if number not in own)
    return BLOCKS[next(iter(blocks))] if all(map(_says_nothing, rest)) else None


def _says_nothing(line: str) -> bool:
    """Return whether a line may stand above or below an output that was copied from a terminal: blank, a fence, or the command."""
    bare = line.strip(" \t>")
    return not bare or bare.startswith(_FENCES) or any(command in f"{bare} " for command in _COMMANDS)
