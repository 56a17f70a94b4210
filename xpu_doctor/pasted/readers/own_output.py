"""The doctor's own output in a pasted text: what a report says is read from its codes and its ladder, its advice is no symptom."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

from xpu_doctor.model.facts.pasted import Reported, ReportedRung
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.own_blocks import TELLING as OF_BLOCKS
from xpu_doctor.pasted.readers.own_blocks import own_blocks
from xpu_doctor.pasted.readers.own_markdown import MAX_SUMMARY, own_markdown
from xpu_doctor.report.phrases import MARKDOWN_BEGINS
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import WordTable

LAYERS = "device|kernel|access|driver|runtime|wheel|import|enumeration|compute|application|doctor"
TELLING = (
    " layer, error", " layer, warning", " layer, info", "named by", "could not be decided", "explain ", "Thank you for the report.", "## What it means",
    "wheel ", MARKDOWN_BEGINS, "Ask next (", "so not: ", "ask for: ",
    "lacked a fact", "Watched `", "Watched process", "The program computed on ", "This explains:", "Then verify:",
)  # fmt: skip
"""One of these is in every output of the doctor."""
MAX_LINES = 80
"""Lines that one part of an output has at most."""

_PREFIX = late_pattern(r"[ \t]{0,200}(?:>[ \t]?){0,20}")
_FENCE = late_pattern(r"(?:`{3,9}|~{3,9})\w{0,20}$")
_HEADLINE = late_pattern(
    r"Examined \S|xpu-doctor \S{1,40} examined (?:a \w{1,10} report|this machine; no Python is known to examine)\."
)
_WATCHED = late_pattern(r"Watched (?:`|process\b).{0,400}(?: for \d|\.$|; it |$)")
"""The first line of the block about a watched program."""
_RUNG = late_pattern(
    rf"(?:[^\w\s]{{1,3}} {{1,3}}|[A-Za-z.] {{1,3}})?({LAYERS})\s{{1,20}}(ok|fault|blocked|unknown|skipped)(?:\s{{1,20}}(\S.{{0,300}}))?$"
)
_TITLE = late_pattern(r"(Root cause|Also|Warning|Note): (\S.{0,600})")
_CODE = late_pattern(
    rf"\W?([a-z0-9]{{1,30}}(?:-[a-z0-9]{{1,30}}){{1,8}})\W? ({LAYERS}) layer, (error|warning|info)\W?$"
)
_SURE = late_pattern(r" \((likely|possible)\)$")
_MORE = late_pattern(r"More: .{0,200}\bexplain(?: [a-z0-9-]{3,80})?$")
_SITE = r"https://xpu-doctor\.github\.io/xpu-doctor/findings/[a-z0-9-]{3,80}/"
_ADDRESS = late_pattern(rf"{_SITE}$")
"""What stands below the line `More:`."""
_WORD = late_pattern(r"[a-z0-9]{1,30}(?:-[a-z0-9]{1,30}){1,8}$")
_INSIDE = late_pattern(r"(?:Proof:|This explains:|Do this: |Or: |Risk: |Then verify:|See https://|More: )")
_SECTION = late_pattern(
    r"""
    Possible[ ]as[ ]well[ ]\(-v[ ]shows
    | Ask[ ]next[ ]\(--reply
    | Could[ ]not[ ]be[ ]decided:
    | No[ ]fault[ ]was[ ]proved,[ ]but[ ]not[ ]every[ ]layer
    | The[ ]text[ ]does[ ]not[ ]prove[ ]a[ ]cause
    | All[ ]clear:[ ]
    | Nothing[ ]here[ ]has[ ]to[ ]be[ ]
    (?:mended|fixed);[ ]what[ ]follows
    | Nothing[ ]in[ ]the[ ]text[ ]is[ ]wrong:[ ]torch[ ]finds
    | The[ ]install[ ]works:[ ]
    | The[ ]program[ ]computed[ ]on[ ](?:the[ ]GPU|\d{1,4}[ ]GPUs):[ ]
    | The[ ]text[ ]shows[ ]a[ ]failure[ ]whose
    | No[ ]error[ ]was[ ]found;[ ]what[ ]the[ ]warnings
    | Nothing[ ]was[ ]found[ ]besides[ ]what
    | Layers[ ]that[ ]could[ ]not[ ]be[ ]judged:
    | \d{1,4}[ ]questions?[ ]could[ ]not[ ]be[ ]decided;[ ]-v[ ]lists
    | \d{1,4}[ ]further[ ]checks?[ ]lacked[ ]a[ ]fact;[ ]-v[ ]lists
    """,
    re.VERBOSE,
)
_UNDECIDED = late_pattern(r"^(?:ask for: \S|.{0,400}(?: is not known \(|\), so not:|, so not: ))")
_OTHER = late_pattern(
    r"""
    Traceback[ ]\(most[ ]recent[ ]call[ ]last\)
    | \$[ ]
    | >>>[ ]
    | PS[ ][A-Z]:
    | [A-Z]:\\[^>\n]{0,200}>
    | [\w.+-]{1,60}@[\w.-]{1,60}[:~][^\n]{0,120}[$#]
    | \d{4}-\d\d-\d\d[ T]
    """,
    re.VERBOSE,
)
"""What begins a line that is no part of the doctor's output."""
_OPINION = late_pattern(
    rf"(?:The cause is|Most likely|It is possible that this is the cause): (\S.{{0,600}}?) \(\W{{0,2}}([a-z0-9-]{{3,80}})\W{{0,2}}(?:\({_SITE}\))?\)\.$"
)
_REPLY_ENDS = (
    "Please paste it as text, whole, between lines of three backticks.",
    "If that does not help, please send the whole output of the commands above.",
)
_PAGE = late_pattern(r"# ([a-z0-9]{1,30}(?:-[a-z0-9]{1,30}){1,8})$")
_LISTED = late_pattern(rf"[a-z0-9]{{1,30}}(?:-[a-z0-9]{{1,30}}){{1,8}}\s{{1,60}}({LAYERS})\s{{1,20}}\S")
_LISTING = late_pattern(r"code\s{1,60}layer\s{1,20}means$")


@dataclass
class Own:
    """What was the doctor's own in a text."""

    lines: set[int] = field(default_factory=set)
    """Numbers of its lines, from 0."""
    reported: list[Reported] = field(default_factory=list)
    rungs: dict[str, ReportedRung] = field(default_factory=dict)
    """What the ladder says, by layer."""


@cache
def _telling() -> WordTable:
    return WordTable(word.lower() for word in (*TELLING, *OF_BLOCKS))


def own_output(text: Text) -> Own:
    """Return which lines of a text are the doctor's own, and what a report among them says."""
    if not _telling().present(text.searched):
        return Own()
    body, name = text.body, text.name
    blocks = own_blocks(body)
    if not (blocks or any(word in body for word in TELLING)):
        return Own()
    own = _Reader(body, name).read()
    own.lines.update(*blocks.values())
    if MARKDOWN_BEGINS in body:
        markdown = own_markdown(body.split("\n"), name)
        own.lines |= markdown.lines
        own.reported += markdown.reported
        own.rungs = {**own.rungs, **markdown.rungs}
    return own


def without(body: str, own: Own) -> str:
    """Return the text with the doctor's own lines left blank, so that the numbers of the others stay true."""
    return "\n".join("" if number in own.lines else line for number, line in enumerate(body.split("\n")))


def put(own: Own, facts: Collected, name: str) -> None:
    """Record what the ladder of a report saw to work; what it calls a fault is told by its findings."""
    facts.put("pasted.own_output", True, name)
    for layer, path in (("import", "imported.succeeded"), ("enumeration", "xpu.available")):
        rung = own.rungs.get(layer)
        if rung is not None and rung.state == "ok":
            facts.put(path, True, rung.source)
    known = {rung.layer for rung in facts.reported_ladder}
    facts.reported_ladder.extend(rung for rung in own.rungs.values() if rung.layer not in known)


class _Reader:
    """Goes through the lines of a text once."""

    def __init__(self, body: str, name: str) -> None:
        self.name = name
        self.raw = body.split("\n")
        prefixes = [_PREFIX.match(line) for line in self.raw]
        ends = [match.end() if match else 0 for match in prefixes]
        self.depth = [line[:end].count(">") for line, end in zip(self.raw, ends, strict=True)]
        self.bare = [line[end:].strip() for line, end in zip(self.raw, ends, strict=True)]
        self.indent = [end - line[:end].rfind(">") - 1 for line, end in zip(self.raw, ends, strict=True)]
        self.own = Own()
        apart = sum(1 for line, following in zip(self.bare, self.bare[1:], strict=False) if line and not following)
        self.doubled = apart > 0.9 * sum(map(bool, self.bare))
        """Whether every other line is blank, as some forums and text recognition make it."""
        self.begun = False
        """Whether the beginning of a report was seen: its first line, its ladder or its first cause."""

    def read(self) -> Own:
        """Take part after part; each says where it ends."""
        parts: tuple[Callable[[int], int], ...] = (
            self.program,
            self.headline,
            self.ladder,
            self.finding,
            self.section,
            self.reply,
            self.page,
            self.listing,
            self.address,
        )
        at = 0
        while at < len(self.bare):
            end = next((end for part in parts if self.bare[at] and (end := part(at)) > at), at)
            if end > at and not self.own.lines:
                self.own.lines.update(range(self.headless(at), at))
            self.own.lines.update(range(at, end))
            at = max(end, at + 1)
        return self.own

    # ------------------------------------------------------------------------------------------ parts

    def program(self, at: int) -> int:
        """Return where the block about a watched program ends: at the first line of the report below it, or at a blank line where that was cut."""
        if not _WATCHED.match(self.bare[at]):
            return at
        lines = range(at + 1, min(at + MAX_LINES, len(self.bare)))
        below = next((line for line in lines if _HEADLINE.match(self.bare[line]) or self.is_rung(line)), None)
        if below is not None:
            return below
        return next((line for line in lines if not self.bare[line] or self.leaves(line, at)), lines.stop)

    def headline(self, at: int) -> int:
        """Return where the first line and the notes below it end, which is at the ladder."""
        if not _HEADLINE.match(self.bare[at]):
            return at
        return next((line for line in range(at + 1, min(at + 14, len(self.bare))) if self.is_rung(line)), at)

    def ladder(self, at: int) -> int:
        """Return where a ladder of two rungs or more ends."""
        if not self.is_rung(at):
            return at
        rungs = [at]
        last = at
        doubled = at + 2 < len(self.bare) and not self.bare[at + 1] and self.is_rung(at + 2)
        for line in range(at + 1, min(at + MAX_LINES, len(self.bare))):
            if self.is_rung(line):
                rungs.append(line)
                last = line
            elif doubled and not self.bare[line] and line + 1 < len(self.bare) and self.bare[line + 1]:
                continue
            elif self.leaves(line, at) or (
                not self.bare[line] and line + 1 < len(self.bare) and not self.is_rung(line + 1)
            ):
                break
            elif self.bare[line] and line - rungs[-1] <= (4 if doubled else 2):
                last = line  # a summary takes up to three lines
            elif self.bare[line]:
                break
        if len(rungs) < 2:
            return at
        for line, following in zip(rungs, (*rungs[1:], last + 1), strict=True):
            match = _RUNG.match(self.bare[line])
            if match:
                summary = " ".join(filter(None, (match[3], *self.bare[line + 1 : following])))[:MAX_SUMMARY]
                rung = ReportedRung(match[1], match[2], summary, f"{self.name}, line {line + 1}")
                self.own.rungs.setdefault(rung.layer, rung)
        self.begun = True
        return last + 1

    def finding(self, at: int) -> int:
        """Return where a root cause ends: a whole one, one cut at its end, or one cut before its title."""
        title = _TITLE.match(self.bare[at])
        code = self.code_below(at) if title else at if self.code_at(at) else -1
        if code < 0:
            cut_off = title is not None and self.begun and self.ends_here(at)
            return len(self.bare) if cut_off else self.rest_of_finding(at)
        match = self.code_at(code)
        summary = " ".join(filter(None, (title[2] if title else "", *self.bare[at + 1 : code])))
        sure = _SURE.search(summary)
        self.begun |= title is not None and title[1] == "Root cause"
        if match and self.begun:  # of a report that was cut before it, the first cause is not known
            place = f"{self.name}, line {at + 1}"
            confidence = sure[1] if sure else "certain"
            self.own.reported.append(Reported(match[1], _SURE.sub("", summary)[:400], match[3], confidence, place))
        return self.end_of_finding(code)

    def rest_of_finding(self, at: int) -> int:
        """Return where the last part of a root cause ends whose code is not shown: with the line that names the page."""
        if not _INSIDE.match(self.bare[at]):
            return at
        for line in range(at, min(at + MAX_LINES, len(self.bare))):
            if _MORE.match(self.bare[line]):
                return self.after_more(line)
            if self.leaves(line, at) or (not self.bare[line] and not self.goes_on(line)):
                break
        return at

    def section(self, at: int) -> int:
        """Return where verdict, guesses, questions or footnotes end: at a blank line."""
        if not (_SECTION.match(self.bare[at]) or _UNDECIDED.match(self.bare[at])):
            return at
        for line in range(at + 1, min(at + 2 * MAX_LINES, len(self.bare))):
            if self.leaves(line, at) or (
                not self.bare[line] and not (self.doubled and line + 1 < len(self.bare) and self.bare[line + 1])
            ):
                return line
        return min(at + 2 * MAX_LINES, len(self.bare))

    def reply(self, at: int) -> int:
        """Return where the message of --reply ends: with its last sentence, or where its quotation ends."""
        if self.bare[at] != "Thank you for the report.":
            return at
        end = at + 1
        for line in range(at + 1, min(at + MAX_LINES, len(self.bare))):
            opinion = _OPINION.match(self.bare[line])
            if opinion:
                self.own.reported.append(
                    Reported(opinion[2], opinion[1][:400], "", "possible", f"{self.name}, line {line + 1}")
                )
            if self.leaves(line, at):
                break
            if self.bare[line]:
                end = line + 1
            if self.bare[line] in _REPLY_ENDS:
                break
        return end

    def page(self, at: int) -> int:
        """Return where a page of `explain` ends: with its references."""
        if not _PAGE.match(self.bare[at]) or "## What it means" not in self.bare[at + 1 : at + 4]:
            return at
        references = False
        for line in range(at + 1, min(at + 4 * MAX_LINES, len(self.bare))):
            references |= self.bare[line] == "## References"
            follows = self.bare[line + 1] if line + 1 < len(self.bare) else ""
            if self.depth[line] < self.depth[at] and self.bare[line]:
                return line
            if (
                references
                and not self.bare[line]
                and self.bare[line - 1] != "## References"
                and not follows.startswith(("- ", "http", "* "))
            ):
                return line
        return min(at + 4 * MAX_LINES, len(self.bare))

    def listing(self, at: int) -> int:
        """Return where the list of `codes` ends."""
        following = at + 1 < len(self.bare) and _LISTED.match(self.bare[at + 1])
        if not (_LISTING.match(self.bare[at]) or (_LISTED.match(self.bare[at]) and following)):
            return at
        for line in range(at + 1, min(at + 6 * MAX_LINES, len(self.bare))):
            if not self.bare[line] or self.leaves(line, at):
                return line
        return min(at + 6 * MAX_LINES, len(self.bare))

    def address(self, at: int) -> int:
        """Return where the address of a page ends, wherever its report was cut."""
        return at + 1 if _ADDRESS.match(self.bare[at]) else at

    # ------------------------------------------------------------------------------------------ helpers

    def is_rung(self, at: int) -> bool:
        """Return whether a line is a rung of the ladder."""
        return _RUNG.match(self.bare[at]) is not None

    def headless(self, at: int) -> int:
        """Where a report begins that was cut before its title: with the lines just above the first part that can be told."""
        if not (_INSIDE.match(self.bare[at]) or self.code_at(at) or _UNDECIDED.match(self.bare[at])):
            return at
        begin = at
        while begin and at - begin < MAX_LINES and self.bare[begin - 1] and not self.leaves(begin - 1, at):
            begin -= 1
        return begin

    def leaves(self, at: int, start: int) -> bool:
        """Return whether a line is somebody else's: less deeply quoted, or of a shell, a traceback, a log."""
        return bool(self.bare[at]) and (
            self.depth[at] < self.depth[start]
            or _OTHER.match(self.bare[at]) is not None
            or _FENCE.match(self.bare[at]) is not None
        )

    def after_more(self, at: int) -> int:
        """Return the line after the one that names the page, which a narrow terminal makes two."""
        two = self.bare[at].endswith("explain") and at + 1 < len(self.bare) and _WORD.match(self.bare[at + 1])
        end = at + 2 if two else at + 1
        return end + 1 if end < len(self.bare) and _ADDRESS.match(self.bare[end]) else end

    def ends_here(self, at: int) -> bool:
        """Return whether the text ends in the paragraph that begins at a line."""
        end = len(self.bare)
        while end > at and not self.bare[end - 1]:
            end -= 1
        return end - at <= 16 and all(self.bare[line] and not self.leaves(line, at) for line in range(at + 1, end))

    def code_at(self, at: int) -> re.Match[str] | None:
        """Return the code, layer and severity of a finding that stand on a line, or on two of a narrow terminal."""
        two = at + 1 < len(self.bare) and self.bare[at + 1].endswith(("error", "warning", "info"))
        return _CODE.match(self.bare[at]) or (_CODE.match(f"{self.bare[at]} {self.bare[at + 1]}") if two else None)

    def code_below(self, at: int) -> int:
        """Return the line with the code of the finding whose title begins here; -1 where there is none."""
        for line in range(at + 1, min(at + 16, len(self.bare))):
            if self.code_at(line):
                return line
            if _TITLE.match(self.bare[line]) or self.leaves(line, at):
                break
        return -1

    def end_of_finding(self, code: int) -> int:
        """Where a root cause ends that has its code at a line."""
        doubled = code + 1 < len(self.bare) and not self.bare[code + 1]
        for line in range(code + 1, min(code + MAX_LINES, len(self.bare))):
            if _MORE.match(self.bare[line]):
                return self.after_more(line)
            if self.leaves(line, code) or _TITLE.match(self.bare[line]):
                return line
            if (
                not self.bare[line]
                and not self.goes_on(line)
                and not (doubled and line + 1 < len(self.bare) and self.bare[line + 1])
            ):
                return line
        return min(code + MAX_LINES, len(self.bare))

    def goes_on(self, blank: int) -> bool:
        """Return whether a root cause goes on after a blank line."""
        after = blank + 1
        return (
            after < len(self.bare)
            and bool(self.bare[after])
            and (_INSIDE.match(self.bare[after]) is not None or 2 <= self.indent[after] < 20)
        )
