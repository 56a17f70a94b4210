"""What kind of line it is: prose, code, a comment, a box of a form, or a part of a section that tells what ought to be."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from xpu_doctor.text.clauses import MAX_LINE
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.said import Said
from xpu_doctor.text.word_index import IndexedText

MAX_SECTION = 60
"""Lines that a section of what is expected has at most."""
MAX_ADVICE = 12
"""Lines that a section of what others met has at most."""

_FENCE = late_pattern(r"[>\s]{0,40}(?:```|~~~)\s?(?P<language>[\w+#-]{0,20})")
_CODE_LANGUAGES = frozenset(
    [
        "python",
        "py",
        "python3",
        "c",
        "cpp",
        "c++",
        "cxx",
        "cc",
        "rust",
        "js",
        "javascript",
        "ts",
        "java",
        "go",
        "diff",
        "patch",
        "cmake",
    ]
)
_BOX = late_pattern(r"[>\s]{0,40}(?:[-*+]|\d{1,3}[.)])\s{1,4}\[(?P<mark>[ xX]?)\]\s{0,4}(?P<rest>[^\n]{0,400})")
_FORM = late_pattern(
    r"""
    (?:I|we)(?:[ ](?:have|am|will|agree|confirm|did|understand|searched|checked|read|tried|know)\b|.(?:ve|m)\b)
    | (?:my|the|this|no)[ ](?:bug|issue|report|question|request|problem)[ ](?:has|is|was|does)\b
    | (?:latest|up[- ]to[- ]date|searched|checked|read[ ]the|make[ ]sure|before[ ]submitting|custom[ ]nodes?[ ]test)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HEADING = late_pattern(r"[>\s]{0,40}(?:\#{1,6}\s|\*\*[^*\n]{2,60}\*\*\W{0,3}$|__[^_\n]{2,60}__\W{0,3}$)")
_EXPECTED = late_pattern(
    r"""
    [>\s]{0,40}(?:\#{1,6}\s{0,4}|\*\*|__)?\W{0,4}
    (?:(?:expected|desired|intended|anticipated)[ ](?:behaviou?rs?|results?|outcomes?|outputs?|state)
        | what[ ](?:did[ ]you|i|you|we)[ ]expect\w{0,3}(?:[ ]to[ ](?:see|happen))? | expectation s?)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ACTUAL = late_pattern(
    r"(?i)[>\s]{0,40}\W{0,4}(?:actual|observed|current|what happen|instead|steps|logs?\b|error"
    r"|as it (?:is|stands)\b|right now\b|at the moment\b|in (?:reality|practice|fact)\b|unfortunately\b|however\b)"
)
_ADVICE = late_pattern(
    r"(?i)[>\s]{0,40}(?:\#{1,6}\s{0,4}|\*\*|__)?(?:common|frequent|typical) (?:issues?|problems?|errors?|pitfalls?)\b[^.\n]{0,20}$"
)
"""A heading over what others met, with what helps."""
_FRAME = late_pattern(
    r"File \"[^\"\n]{1,300}\", line \d|^\s{0,40}\S{1,200}\.(?:py|cpp|h|hpp|cc):\d{1,6}\b|^\s{0,8}-{2,6}>"
)
CODE = late_pattern(
    r"""
    [>\s]{0,80}(?:[-+][ ]{0,40})?
    (?: (?:raise|assert|throw|return|yield|elif|except|catch|def|class|await|lambda|del)\b[ (]
        | import[ ][\w.]{1,80}(?:[ ]as[ ]\w{1,40})?(?:,[ ]?[\w.]{1,80}){0,8}\s{0,8}(?:[;\#]|$)
        | from[ ][\w.]{1,80}[ ]import\b
        | (?:if|while|for|with)\b[^\n?]{1,300}:\s{0,8}$
        | (?:if|while|for|switch)[ ]?\(
        | (?:print|log|logger|logging|warnings|self|std|console|fprintf|printf|LOG|TORCH_(?:CHECK|WARN)\w{0,20}|AT_ERROR
            | [A-Z]\w{1,40}(?:Error|Exception|Warning))(?:(?:\.|::)\w{1,40}){0,3}\s?\(
        | [a-z_][\w.\[\]'"]{0,80}(?:,[ ][a-z_]\w{0,40}){0,4}[ ]?[-+*/|]?=[ ]?(?:[\w.]{1,80}[(\[]|["'{\[(]|(?:not|self|None|True|False|\d[\d._]{0,30})\b)
        | (?!tensor\b)[\w.]{1,80}\([^()\n]{0,200}\)\s{0,4}[:;]?\s{0,8}(?:\#|//|$)
    )
    """,
    re.VERBOSE,
)
SOURCE = late_pattern(
    r"""
    [>\s]{0,80}(?:[-+][ ]{0,40})?(?:raise|assert|throw|return|if|elif|while|print|echo|log|logger|logging|warnings|self|std|console|fprintf|printf|LOG
        |TORCH_(?:CHECK|WARN)\w{0,20}|AT_ERROR|[A-Z]\w{1,40}(?:Error|Exception|Warning))\b(?!:)
    """,
    re.VERBOSE,
)
"""A line of code that writes a message or looks for one."""
_COMMENT = late_pattern(r"[>\s]{0,80}(?:[-+][ ]{0,40})?(?:\#(?!\#|!)[ ]?(?=[\w'\"(])|//[ ]|/\*|<!--|\"\"\"|''')")
_OUTCOMMENTED = late_pattern(r"[>\s]{0,80}#\s{0,8}[a-z_][\w.]{0,80}(?:\[[^\]]{0,80}\])?\s?=\s?[\w\"'(\[]")
TRAILING = late_pattern(r"\s(?:\#|//) ")
_SHELL = late_pattern(r"[|/$=~]|\s--?\w")
"""What a command has that a root's prompt, `#`, stands before, and a comment rarely has."""
_ADVICE_WORDS = ("common ", "frequent ", "typical ")
_EXPECTED_WORDS = ("expect", "desired", "intended", "anticipated")


class LineKinds:
    """The lines of one text by their kind."""

    def __init__(self, text: IndexedText) -> None:
        self._text = text
        self._kinds: dict[int, Said] = {}

    def kind(self, number: int) -> Said:
        """Return what kind of line it is: told in prose or printed, code, a comment, a box, or of a section of what is expected."""
        known = self._kinds.get(number)
        if known is None:
            known = self._kinds[number] = self._kind_of(number, self._text.line(number)[:MAX_LINE])
        return known

    def _kind_of(self, number: int, body: str) -> Said:
        box = _BOX.match(body)
        if box:
            return Said.FORM if box["mark"] not in ("x", "X") or _FORM.match(box["rest"]) else Said.TOLD
        fenced, language = self._fence(number)
        if _COMMENT.match(body) and (
            language or body[:2].isspace() or (fenced and not _SHELL.search(body)) or "//" in body[:40]
        ):
            return Said.COMMENT
        if CODE.match(body) and not self._under_frame(number):
            return Said.CODE
        if self._is_advice(number):
            return Said.QUOTED
        return Said.WANTED if self._is_expected(number) else Said.TOLD

    def _under_frame(self, number: int) -> bool:
        """Return whether a line of source belongs to a traceback, so that it ran."""
        if _FRAME.match(self._text.line(number)[:400]):
            return True
        above = next(
            (text for back in (1, 2) if number > back and (text := self._text.line(number - back)).strip()), ""
        )
        return bool(_FRAME.search(above[:600]))

    @cached_property
    def _fences(self) -> tuple[list[int], list[bool]]:
        """The lines at which a block begins or ends, and whether the one that begins is of a programming language."""
        numbers: list[int] = []
        languages: list[bool] = []
        inside = False
        for number in self._text.numbers_with_any(("```", "~~~")):
            found = _FENCE.match(self._text.line(number)[:200])
            if found:
                inside = not inside
                numbers.append(number)
                languages.append(inside and found["language"].lower() in _CODE_LANGUAGES)
        return numbers, languages

    def _fence(self, number: int) -> tuple[bool, bool]:
        """Return whether a line lies in a block between fences, and whether in one of a programming language."""
        numbers, languages = self._fences
        place = bisect_right(numbers, number)
        inside = place % 2 == 1
        return inside, inside and languages[place - 1]

    @cached_property
    def _expected(self) -> tuple[tuple[int, int], ...]:
        """The first and the last line of each section that tells what is expected, not what is."""
        return tuple(
            (number, self._end_of_section(number))
            for number in self._text.numbers_with_any(_EXPECTED_WORDS)
            if _EXPECTED.match(self._text.line(number)[:200])
        )

    def _end_of_section(self, number: int) -> int:
        last = min(number + MAX_SECTION, len(self._text.starts))
        for place in range(number + 1, last + 1):
            body = self._text.line(place)[:200]
            if _HEADING.match(body) or _ACTUAL.match(body):
                return place - 1
        return last

    @cached_property
    def _advice(self) -> tuple[tuple[int, int], ...]:
        """The first and the last line of each section that tells which faults others met."""
        return tuple(
            (number, min(number + MAX_ADVICE, self._end_of_section(number)))
            for number in self._text.numbers_with_any(_ADVICE_WORDS)
            if _ADVICE.match(self._text.line(number)[:200])
        )

    def _is_advice(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._advice)

    def _is_expected(self, number: int) -> bool:
        return any(first <= number <= last for first, last in self._expected)
