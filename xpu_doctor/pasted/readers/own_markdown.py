"""The doctor's own report in Markdown, as it stands in an issue: its advice is no symptom, the facts folded up in it are."""

from __future__ import annotations

from dataclasses import dataclass, field

from xpu_doctor.model.facts.pasted import Reported, ReportedRung
from xpu_doctor.report.phrases import MARKDOWN_BEGINS, MARKDOWN_ENDS
from xpu_doctor.text.late_pattern import late_pattern

MAX_LINES = 1500
"""Lines that a report has at most."""
MAX_SUMMARY = 400
"""Characters that are kept of what a report says of a layer."""
_PREFIX = late_pattern(r"[ \t]{0,20}(?:>[ \t]?){0,20}")
_FENCE = late_pattern(r"(`{3,30})(\w{0,20})$")
_TITLE = late_pattern(r"#### (Root cause|Also|Warning|Note): (\S.{0,2000})$")
_CODE = late_pattern(r"\\\[`([a-z0-9]{1,30}(?:-[a-z0-9]{1,30}){1,8})`\\\] [a-z]{2,20} layer, (error|warning|info)$")
_RUNG = late_pattern(r"\| ([a-z]{2,20}) \| \*{0,2}(ok|fault|blocked|unknown|skipped)\*{0,2} \| (.{0,2000}?)(?: \|)?$")
_SURE = late_pattern(r" \((likely|possible)\)$")
_ESCAPE = late_pattern(r"\\([!-/:-@\[-`{-~])|&#8203;")


@dataclass
class OwnMarkdown:
    """What one report in Markdown holds."""

    lines: set[int] = field(default_factory=set)
    """Numbers of its lines from 0, without those of the facts that are folded up in it."""
    reported: list[Reported] = field(default_factory=list)
    rungs: dict[str, ReportedRung] = field(default_factory=dict)
    """What the ladder says, by layer."""


def own_markdown(lines: list[str], name: str) -> OwnMarkdown:
    """Return what reports in Markdown say in a text of these lines."""
    found = OwnMarkdown()
    bare = [_bare(line) for line in lines]
    at = 0
    while at < len(bare):
        at = _report(bare, at, name, found) if bare[at].startswith(MARKDOWN_BEGINS) else at + 1
    return found


def _bare(line: str) -> str:
    prefix = _PREFIX.match(line)
    return line[prefix.end() if prefix else 0 :].rstrip()


def _report(bare: list[str], at: int, name: str, found: OwnMarkdown) -> int:
    """Take one report; return where it ends."""
    fence = language = title = ""
    place = ""
    for number in range(at, min(at + MAX_LINES, len(bare))):
        line = bare[number]
        opened = _FENCE.match(line)
        if fence:
            if line == fence:
                fence = ""
            if language != "text" or not fence:
                found.lines.add(number)
            continue
        if number > at and (line.startswith(MARKDOWN_BEGINS) or line == MARKDOWN_ENDS):
            found.lines.add(number)
            return number + (line == MARKDOWN_ENDS)
        found.lines.add(number)
        if opened:
            fence, language = opened[1], opened[2]
        elif heading := _TITLE.match(line):
            title, place = unescaped(heading[2]), f"{name}, line {number + 1}"
        elif code := _CODE.match(line):
            sure = _SURE.search(title)
            found.reported.append(
                Reported(code[1], _SURE.sub("", title)[:400], code[2], sure[1] if sure else "certain", place)
            )
        elif rung := _RUNG.match(line):
            place = f"{name}, line {number + 1}"
            found.rungs.setdefault(rung[1], ReportedRung(rung[1], rung[2], unescaped(rung[3])[:MAX_SUMMARY], place))
    return min(at + MAX_LINES, len(bare))


def unescaped(markdown: str) -> str:
    """Return the text that an escaped one shows."""
    return _ESCAPE.sub(lambda match: match[1] or "", markdown)
