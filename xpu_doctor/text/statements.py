"""What people say and how they mean it: the clause that holds some words, and whether it tells, denies, asks or only supposes. Pure.

Words such as "crash" in a text are no crash. "Nothing crashed", "does it crash on this card?", "if it crashes, run it again" and
`def on_crash():` all hold the word. `Statements` answers for a place in a line how its writer means it (`Said`), so that neither a row
of a table nor a reader needs a pattern of its own for that.

A line is looked at once: what kind of line it is (prose, code, a box of a form), and where its clauses begin. All patterns are linear,
and a line is cut at `MAX_LINE` characters.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Literal

from xpu_doctor.text.word_index import IndexedText

MAX_LINE = 4096
"""Characters of a line that are looked at."""
MAX_SECTION = 60
"""Lines that a section of what is expected has at most."""
MAX_ADVICE = 12
"""Lines that a section of what others met has at most."""

Claim = Literal["fails", "works", "names", "wants"]
"""What the sought words claim: that something fails or works, that it takes part, or that somebody wants it."""


class Said(Enum):
    """How the writer of a text means some words of it."""

    TOLD = "told"
    """It is so."""
    DENIED = "denied"
    """It is not so."""
    PAST = "past"
    """It was so, and is not any more."""
    SUPPOSED = "supposed"
    """It may be, or would be under a condition."""
    ASKED = "asked"
    """Whether it is so is the question."""
    WANTED = "wanted"
    """It ought to be so, or is asked for."""
    QUOTED = "quoted"
    """A document says so."""
    COMMENT = "comment"
    """A comment in code says so."""
    CODE = "code"
    """It is code: a name, or the text of a message in the source that may write it."""
    NARROWER = "narrower"
    """It is so of a part or a use of the thing: "multi-XPU is not supported"."""
    FORM = "form"
    """It is a box of a form: "- [x] I have searched the issues"."""


DENYING = frozenset({Said.DENIED, Said.PAST})
"""The opposite of what the words say is so."""
NOT_SAID = frozenset({Said.CODE, Said.FORM})
"""Nobody says so."""

_FENCE = re.compile(r"[>\s]{0,40}(?:```|~~~)\s?(?P<language>[\w+#-]{0,20})")
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
_BOX = re.compile(r"[>\s]{0,40}(?:[-*+]|\d{1,3}[.)])\s{1,4}\[(?P<mark>[ xX]?)\]\s{0,4}(?P<rest>[^\n]{0,400})")
_FORM = re.compile(
    r"""
    (?:I|we)(?:[ ](?:have|am|will|agree|confirm|did|understand|searched|checked|read|tried|know)\b|.(?:ve|m)\b)
    | (?:my|the|this|no)[ ](?:bug|issue|report|question|request|problem)[ ](?:has|is|was|does)\b
    | (?:latest|up[- ]to[- ]date|searched|checked|read[ ]the|make[ ]sure|before[ ]submitting|custom[ ]nodes?[ ]test)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HEADING = re.compile(r"[>\s]{0,40}(?:\#{1,6}\s|\*\*[^*\n]{2,60}\*\*\W{0,3}$|__[^_\n]{2,60}__\W{0,3}$)")
_EXPECTED = re.compile(
    r"""
    [>\s]{0,40}(?:\#{1,6}\s{0,4}|\*\*|__)?\W{0,4}
    (?:(?:expected|desired|intended|anticipated)[ ](?:behaviou?rs?|results?|outcomes?|outputs?|state)
        | what[ ](?:did[ ]you|i|you|we)[ ]expect\w{0,3}(?:[ ]to[ ](?:see|happen))? | expectation s?)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ACTUAL = re.compile(
    r"(?i)[>\s]{0,40}\W{0,4}(?:actual|observed|current|what happen|instead|steps|logs?\b|error"
    r"|as it (?:is|stands)\b|right now\b|at the moment\b|in (?:reality|practice|fact)\b|unfortunately\b|however\b)"
)
_ADVICE = re.compile(
    r"(?i)[>\s]{0,40}(?:\#{1,6}\s{0,4}|\*\*|__)?(?:common|frequent|typical) (?:issues?|problems?|errors?|pitfalls?)\b[^.\n]{0,20}$"
)
"""A heading over what others met, with what helps."""
_FRAME = re.compile(
    r"File \"[^\"\n]{1,300}\", line \d|^\s{0,40}\S{1,200}\.(?:py|cpp|h|hpp|cc):\d{1,6}\b|^\s{0,8}-{2,6}>"
)
_CODE = re.compile(
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
_SOURCE = re.compile(
    r"""
    [>\s]{0,80}(?:[-+][ ]{0,40})?(?:raise|assert|throw|return|if|elif|while|print|echo|log|logger|logging|warnings|self|std|console|fprintf|printf|LOG
        |TORCH_(?:CHECK|WARN)\w{0,20}|AT_ERROR|[A-Z]\w{1,40}(?:Error|Exception|Warning))\b(?!:)
    """,
    re.VERBOSE,
)
"""A line of code that writes a message or looks for one."""
_COMMENT = re.compile(r"[>\s]{0,80}(?:[-+][ ]{0,40})?(?:\#(?!\#|!)[ ]?(?=[\w'\"(])|//[ ]|/\*|<!--|\"\"\"|''')")
_OUTCOMMENTED = re.compile(r"[>\s]{0,80}#\s{0,8}[a-z_][\w.]{0,80}(?:\[[^\]]{0,80}\])?\s?=\s?[\w\"'(\[]")
_TRAILING = re.compile(r"\s(?:\#|//) ")
_SHELL = re.compile(r"[|/$=~]|\s--?\w")
"""What a command has that a root's prompt, `#`, stands before, and a comment rarely has."""

_BOUNDARY = re.compile(
    r"""
    [.!?\u3002\uff01\uff1f](?=[\s"')\]*_`]|$)\S{0,4}
    | [;:](?=\s|$) | ,(?=\s) | [()\[\]] | \s[-\u2013\u2014]{1,3}\s | [\u2192|] | \s=>\s | \s->\s
    | \b(?:but|however|although|though|whereas|because|since|until|unless|when|whenever|while|once|which|who|why|how|whether|except|despite
        |instead|otherwise|therefore|so|then|yet|and|if|before|after)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?\u3002\uff01\uff1f](?=[\s\"')\]*_`]|$)")
_TROUBLE = re.compile(
    r"""
    \b(?:crash\w{0,3}|hang(?:s|ing)?|hung|fr(?:eez|oz)\w{1,4}|fail\w{0,5}|br(?:eak|oke)\w{0,3}|errors?|exceptions?|abort\w{0,3}|dump(?:ed|s)?
        |stuck|stall\w{0,3}|slow\w{0,4}|wrong\w{0,2}|incorrect\w{0,2}|garbage|garbled|corrupt\w{0,4}|gibberish|nonsense|black|noise|noisy|nans?
        |oom|out[ ]of[ ]\w{0,6}[ ]?memory|leak\w{0,3}|overflow\w{0,3}|lost|dead-?lock\w{0,2}|time[sd]?[ -]?out|timeouts?|mismatch\w{0,2}
        |regress\w{0,5}|problems?|issues?|trouble\w{0,2}|bugs?|segfaults?|segmentation|lock(?:s|ed)?[ -]?up|unusable|panic\w{0,4}|incoherent
        |abnormal\w{0,2}|fall(?:s|ing)?[ ]back|fell[ ]back|hardcod\w{1,3})\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SUCCESS = re.compile(
    r"""
    \b(?:work(?:s|ed|ing)?|fine|ok(?:ay)?|good|well|great|correct(?:ly)?|success\w{0,6}|succe\w{2,5}|pass(?:es|ed|ing)?|fix(?:es|ed)?|solve[sd]?
        |resolve[sd]?|stable|help(?:s|ed)|sees?|seen|lists?|listed|finds?|found|detect\w{0,3}|shows?|visible|recogni[sz]\w{1,3}|coherent|runs?
        |allow\w{0,2}|able|display\w{0,2})\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NEGATOR = re.compile(
    r"""
    (?P<success>\b(?:unable|fail(?:s|ed|ing)?[ ]to)\b)
    | (?P<failing>\b(?:free[ ](?:of|from)|instead[ ]of|rather[ ]than|avoid(?:s|ed|ing)?|prevent(?:s|ed|ing)?|rul(?:ed|ing)[ ]out|absence[ ]of
        |stop(?:s|ped)|(?<!level[ -])(?<!level_)zero|(?<![\w.:/-])0(?=\s))\b)
    | (?P<noun>\b(?:without|no|lacks?|lacking)\b)
    | \b(?:not|never|none|nothing|neither|nor|hardly|nobody|cannot|dont|doesnt|didnt|isnt|cant|wont|wasnt|hasnt|havent)\b
    | n['\u2019]t\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_NO_NEGATOR = re.compile(
    r"""
    not?[ ](?:only|just|sure|clear|certain|even|matter|doubt|wonder|idea|clue|luck|response|way
        |to[ ]mention|solution|workaround|help|change|difference|effect|avail|later)\b
    | (?:(?:can)?not|n.t)[ ](?:\w{1,12}[ ])?(?:fix|solve|resolve|get[ ]rid|explain|understand)\b
    | without[ ](?:luck|success|any[ ]luck|effect|warning|reason|notice)
    | nothing[ ](?:but|works?|helps?|helped|else|changed)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What begins with a negator and denies nothing of what follows."""
_LIST = re.compile(
    r"(?i)\b(?:no|without(?: any)?|neither|never|nothing)\s(?:[\w-]{1,16}\s?){1,2}"
    r"(?:,\s(?:no\s)?[\w-]{1,16}\s?){0,4}(?:,?\s?\b(?:or|nor|and)\s(?:no |any )?|,\s)$"
)
"""A list that is denied as a whole, up to its next member: "no crash, hang or"."""
_NAMED_NOT = re.compile(
    r"(?i)\b(?:no|not|never|without|n.t|instead of|rather than)\s(?:\w{1,12}\s){0,2}(?:an?\s|the\s|any\s)?$"
)
_NO_MORE = re.compile(r"(?i)\b(?:no longer|not the case that|isn.t that|not that|never once)\s(?:\w{1,12}\s){0,3}$")
_DENIED_AFTER = re.compile(
    r"""
    [\s\w]{0,16}\b(?:do(?:es)?|did|has|have|is|are|was|were|can|could)?(?:[ ]?n['\u2019]t|[ ]not|[ ]no[ ]longer|[ ]never)[ ](?:\w{1,12}[ ])?
    (?:occur|happen|appear|reproduc|show|seen|there|present|trigger|exist|a[ ]problem|an[ ]issue|any[ ]more|observed)\w{0,6}
    (?![ ](?:on|in|with|under|when|if|for|unless|until)\b)
    | \s{0,2}[=:]\s{0,2}(?:False|None|no|off|disabled|0)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_OVER = re.compile(
    r"""
    (?<!gpu[ ])(?<!gpus[ ])(?<!card[ ])(?<!cards[ ])(?<!device[ ])(?<!devices[ ])(?<!xpu[ ])(?<!adapter[ ])(?<!\d0[ ])(?<!renderd128[ ])
        \b(?:is|are|was|were|got|been|now|has|have|seems?|all)[ ](?:\w{1,10}[ ]){0,2}(?:gone|solved|resolved|fixed|over|history|cured)\b
    | \b(?:went|goes|gone|go)[ ]away\b
    | (?<!gpu[ ])(?<!gpus[ ])(?<!card[ ])(?<!cards[ ])(?<!device[ ])(?<!devices[ ])(?<!xpu[ ])(?<!adapter[ ])(?<!\d0[ ])
        \bdisappear(?:s|ed)\b(?![ ](?:from|in)\b)
    | \bno[ ]longer[ ](?:happen|occur|appear|reproduc|see|get|there|an?[ ])\w{0,6}
    | \bsolved[ ](?:it|this|that|by|with|now)\b | \bnow[ ](?:it|everything|all|this)\b.{0,12}\b(?:works?|working|fine|ok|solved|fixed)\b
    | \bit[ ](?:is|.?s)?[ ]?(?:now[ ]works?|works?[ ]now|all[ ]works?|fixed|solved|resolved)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A failure that is over; a device that is gone is none."""
_NOT_MADE = re.compile(
    r"(?i)\b(?:not|n.t|never|without|avoid\w{0,3}) (?:making|being|keeping|leaving|letting) (?:\w{1,12} ){0,3}$"
)
"""What stands before a fault that somebody did not bring about: "for not making it CUDA-only"."""
_NOT_REPRODUCED = re.compile(
    r"(?i)\b(?:can(?:no|.)t|can not|could(?: no|n.)t|did(?: no|n.)t|unable to|not able to|failed to|never)\s(?:\w{1,12}\s){0,2}reproduc(?:e|ed|ing)\b"
)
_MENDS = re.compile(
    r"""
    (?P<asks>
      \b(?:to|how|please|can|could|would|need|help|should|must|cannot|not|n.t|try|tried|trying|until|when|once|if)
      [ ](?:\w{1,12}[ ]){0,2}
    )?
    \b(?<!the[ ])(?<!a[ ])(?<!any[ ])(?<!no[ ])(?:fix(?:e[sd])?|solve[sd]?|resolve[sd]?|mend(?:s|ed)?|cure[sd]?)[ ](?:\S{1,20}[ ]){0,4}$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What mends a failure says that it is over, unless it is asked for, tried or denied."""
_NOT_ANY = re.compile(r"(?i)\s(?:an?y|a single|one)\s(?:\w{1,12}\s){0,2}$")
_BY_GOING_BACK = re.compile(
    r"(?i)\b(?:downgrad|roll(?:ed|ing)? ?back|revert|older|previous|earlier|went back|going back|restart|reboot|workaround)"
)
_USED_TO = re.compile(r"(?i)\b(?:used to|formerly|in the past|back then|before (?:the|this) fix)\b")
_HAD = re.compile(
    r"(?i)\b(?:I|we) (?:had|was|were|used to|got|did have|have had|ran into|hit|experienced)\b|\bthere (?:was|were|used to)\b|\b(?:was|were)\b"
)
_QUESTION = re.compile(
    r"""
    (?:\W|\b(?:and|so|but|or|hi|hello|hey|btw|also|then|ok|question|q)\b){0,12}
    (?:do(?:es)?|did|is|are|was|were|can|could|will|would|has|have|should|may|any(?:one|body)|isn.t|doesn.t|aren.t|don.t|won.t|can.t)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PRESUPPOSES = re.compile(
    r"""
    \b(?:why|how|what|where|which|who|fix(?:es|ed|ing)?|work-?arounds?|solutions?|solve[sd]?|help|known|else|(?:this|that|it)[ ]an?\b
        |look[ ]into|explain|idea|clue|advi[cs]e|suggestions?|due[ ]to|caused?|because|related|same|similar|me|still|reason|figured?
        |experienc\w{1,3}|encounter\w{0,3}|ran[ ]into|run[ ]into|avoid|get[ ]rid|prevent|normal|supposed)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A question with one of these takes for granted what it speaks of: "is there a fix for the crash?"."""
_INDIRECT = re.compile(
    r"""
    \b(?:wonder\w{0,3}|curious|ask(?:ing)?|question[ ]is|not[ ]sure|unsure|unclear|don.?t[ ]know|do[ ]not[ ]know|no[ ]idea|like[ ]to[ ]know|want[ ]to[ ]know
        |not[ ]clear|let[ ]me[ ]know|tell[ ]me|check(?:ing)?|see|test)[ ](?:if|whether)\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?i)\b(?:if|in case(?: of)?|should (?:it|you|the)|assuming|provided|supposing|as long as|in the event)\b(?! (?:I|we) (?!get\b|see\b|have\b))"
)
_MODAL = re.compile(
    r"(?i)\b(?:might|may|could|would|can (?:also|sometimes|still)|potentially|possibly|probably will|likely to)\s(?:\w{1,12}\s){0,2}$"
)
_OUGHT = re.compile(
    r"""
    \b(?:should(?:[ ]?n.t)?(?![ ](?:it|you|the|this|that|they)\b)|ought[ ]to|must(?:[ ]not|n.t)|supposed[ ]to|expect(?:ed|ing|s)?
        |would[ ]expect|I[ ]want|we[ ]want|would[ ]like|please|hope(?:fully)?|goal)\b
    (?![ ]?(?:cpu|be[ ]noted|note)\b)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_QUOTES = re.compile(
    r"""
    \b(?:docs?|documentation|readme|wiki|manual|guide|release[ ]notes?|changelog|web ?site|faq|tutorial|article|blog)\b[^.!?]{0,30}
        \b(?:say|state|mention|claim|list|note|suggest|warn|describe|read|tell|recommend)s?\b
    | \baccording[ ]to\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_USE_OF = re.compile(
    r"""
    \b(?:multi(?:ple)?|dual|several|two|distributed|fsdp2?|ddp|(?:tensor|pipeline|data|expert)[- ]parallel\w{0,3}|flash[- ]?att\w{1,6}|paged[- ]?att\w{1,6}
        |quanti[sz]\w{1,6}|int[48]|u?int(?:16|32)|fp(?:4|8|16|64)|float(?:16|64)|bf16|bfloat16|double|complex\w{0,4}|triton|torch\.compile|compil\w{1,5}|graphs?
        |profil\w{1,3}|kineto|sparse\w{0,4}|nccl|xccl|gloo|jit|amp|autocast|mxfp\d|nvfp4|awq|gptq|gguf|bitsandbytes|xformers|sdpa|operators?|ops?|kernels?
        |dtypes?|features?|mode|backward|channels[- ]last|virtuali[sz]ation|sr-?iov|streams?|events?|ipc|p2p|peer)\b
    (?:[- ]\w{1,16}){0,2}[- ](?:(?:on|for|with|in|under|via|using)[ ](?:the[ ]|an?[ ]|your[ ]|my[ ]|intel[ ]|arc[ ]){0,3})?$
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A part or a use of a device, named before it."""
_UNTIL = re.compile(r"(?i)[^.!?;]{0,40}\buntil\b[^.!?;]{0,60}\b(?:is|are|was|were|has|have|gets?|you|someone|that)\b")
_WORDS = re.compile(r"[^\s]+")
_IF_SEEN = re.compile(
    r"(?i)\W{0,8}(?:and |or |but )?(?:if|in case|should) (?:you|one|they|it|this|the) ?(?:ever |then |still )?"
    r"(?:see|get|encounter|run|hit|face|crash|fail|show|print|say|report|appear)"
)
_IN_CASE = re.compile(
    r"(?i)\W{0,8}(?:and |or |but |so |note:? )?(?:if|in case|when|whenever|should|once|where)\b(?! (?:I|we)\b)"
)
_ADVISES = re.compile(
    r"""
    [^.!?\n]{0,160}?,[ ](?:then[ ]|just[ ]|simply[ ]){0,2}
    (?: you(?:.ll|[ ](?:can|could|should|may|might|must|need|have|will))\b
        | (?:please|try|set|use|run|(?:re)?install|see|check|make[ ]sure|add|pass|update|upgrade|switch|export|follow|open|remove|uninstall|refer|consult
            |put|enable|disable|verify|ensure|rebuild|restart|reboot|go[ ]to|look[ ]at|read|change|consider)\b )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_MAY_BE = re.compile(r"(?i)\b(?:might|may|could|can) (?:also )?be (?:that )?(?:\w{1,12} ){0,3}$")
_ADVICE_WORDS = ("common ", "frequent ", "typical ")
_EXPECTED_WORDS = ("expect", "desired", "intended", "anticipated")
_SUBJECT = re.compile(r"(?i)\b(?:it|this|that|they|we|everything)\s(?:\w{1,12}\s){0,2}$")
"""What begins a statement of its own after "without the patch"."""
NEAR = 30
"""Characters within which a second negator takes the first one back."""
REACH = 7
"""Words over which a negator reaches."""


@dataclass(frozen=True)
class Clause:
    """The part of a sentence that holds some words, with the offsets of both in their line."""

    start: int
    end: int
    sentence_start: int
    sentence_end: int


class Line:
    """One line of a text, with its clauses."""

    def __init__(self, body: str) -> None:
        self.body = body[:MAX_LINE]

    @cached_property
    def _marks(self) -> tuple[list[int], list[int]]:
        found = [(match.start(), match.end()) for match in _BOUNDARY.finditer(self.body)]
        return [start for start, _ in found], [end for _, end in found]

    @cached_property
    def _sentences(self) -> list[int]:
        return [match.end() for match in _SENTENCE_END.finditer(self.body)]

    def clause(self, start: int, end: int) -> Clause:
        """Return the clause in which some words begin, up to where the clause ends in which they end."""
        starts, ends = self._marks
        before = bisect_right(ends, start)
        own = start if start in starts else ends[before - 1] if before else 0
        after = bisect_right(starts, max(end - 1, start))
        sentences = self._sentences
        first = bisect_right(sentences, start)
        last = bisect_right(sentences, max(end - 1, start))
        return Clause(
            start=own,
            end=starts[after] if after < len(starts) else len(self.body),
            sentence_start=sentences[first - 1] if first else 0,
            sentence_end=sentences[last] if last < len(sentences) else len(self.body),
        )

    def spans_sentences(self, start: int, end: int) -> bool:
        """Return whether words reach over the end of a sentence: what the next one says works is something else."""
        return bisect_right(self._sentences, start) != bisect_right(self._sentences, max(end - 1, start))

    def denies(self, at: int, *, failing: bool = False) -> bool:
        """Return whether the word at an offset is denied by what stands before it: "no crash", "did not once hang", "does not work".

        With `failing` the word tells of a failure, which can also be avoided, prevented or ruled out.
        """
        if failing and _LIST.search(self.body, max(0, at - 100), at):
            return True
        before = self.body[self.clause(at, at + 1).start : at]
        last: re.Match[str] | None = None
        for found in _NEGATOR.finditer(before):
            other = found["success"] if failing else found["failing"]
            if other or _NO_NEGATOR.match(before, found.start()):
                continue
            twice = last is not None and found.start() - last.end() < NEAR
            last = None if twice else found
        if last is None or (
            last["noun"] and _SUBJECT.search(before, last.end()) and self.body[at : at + 40].split()[0][-3:] != "ing"
        ):
            return False
        return len(_WORDS.findall(before, last.end())) <= REACH


class Statements:
    """The lines of one text, and how each is meant."""

    def __init__(self, text: IndexedText) -> None:
        self._text = text
        self._lines: dict[int, Line] = {}
        self._kinds: dict[int, Said] = {}

    def line(self, number: int) -> Line:
        """Return a line by its number."""
        known = self._lines.get(number)
        if known is None:
            known = self._lines[number] = Line(self._text.line(number))
        return known

    def claimed(self, number: int, start: int, end: int, claim: Claim = "fails") -> Said:
        """Return how what people write is meant, for the words from one offset of a line to another that claim something."""
        kind = self._kind(number)
        line = self.line(number)
        if kind in (Said.CODE, Said.TOLD) and _TRAILING.search(line.body, 0, start) and _CODE.match(line.body):
            return Said.COMMENT
        if kind in NOT_SAID or kind in (Said.COMMENT, Said.WANTED):
            return kind
        clause = line.clause(start, end)
        words = _key_words(line.body, start, end, claim)
        if words and all(_is_token(line.body, *word) for word in words):
            return Said.CODE
        if claim == "wants":
            return Said.TOLD
        if claim == "works" and line.spans_sentences(start, end):
            return Said.DENIED
        if (
            claim == "fails"
            and words
            and _OUGHT.search(line.body, line.clause(words[0][0], words[0][1]).start, words[0][0])
        ):
            return Said.WANTED
        if _is_denied(line, clause, (start, end), words, claim):
            return Said.DENIED
        if claim == "fails" and _is_past(line, clause, start, end):
            return Said.PAST
        return _mood(line, clause, (start, end), words, claim)

    def narrower(self, number: int, start: int) -> bool:
        """Return whether the words at an offset speak of a part or a use of what they name: "multi-XPU", "FSDP on XPU"."""
        body = self.line(number).body
        return bool(_USE_OF.search(body, max(0, start - 80), start))

    def printed(self, number: int, start: int, end: int) -> Said:
        """Return how the message of a program is meant: told, unless it only stands in code, in a box of a form or in a question."""
        kind = self._kind(number)
        line = self.line(number)
        if kind is Said.CODE and not (_SOURCE.match(line.body) and _is_in_quotes(line.body, start)):
            kind = Said.TOLD
        if kind is not Said.TOLD:
            return kind
        if _TRAILING.search(line.body, 0, start) and _CODE.match(line.body):
            return Said.COMMENT
        clause = line.clause(start, start + 1)
        if _is_asked(line, clause, start):
            return Said.ASKED
        if _IF_SEEN.match(line.body, clause.sentence_start, start):
            return Said.SUPPOSED
        return Said.TOLD

    def _kind(self, number: int) -> Said:
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
        if _CODE.match(body) and not self._under_frame(number):
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


def _key_words(body: str, start: int, end: int, claim: Claim) -> list[tuple[int, int]]:
    """Return where the words stand in which the claim lies: those of failure or of success; none where it names something."""
    pattern = {"fails": _TROUBLE, "works": _SUCCESS}.get(claim)
    if pattern is None:
        return []
    return [match.span() for match in pattern.finditer(body, start, min(len(body), end + 12)) if match.start() < end]


def _is_token(body: str, start: int, end: int) -> bool:
    """Return whether a word is a name in code: between backticks by itself, part of a dotted name, called or set."""
    before, after = body[max(0, start - 1) : start], body[end : end + 2]
    if before == "`" and after[:1] == "`":
        return True
    if before in ("/", "\\", "_", "-") and before and after[:1] in ("/", "\\", "_", "."):
        return True
    named = (before == "." and body[max(0, start - 2) : start - 1].isalnum()) or (
        after[:1] in (".", "_") and after[1:].isalpha()
    )
    return named or after[:1] in ("(", "[") or (after[:1] == "=" and after[1:2] != "=")


def _is_in_quotes(body: str, at: int) -> bool:
    """Return whether an offset lies in a string of a line of code."""
    return any(body.count(mark, 0, at) % 2 == 1 for mark in ('"', "'"))


def _is_denied(line: Line, clause: Clause, span: tuple[int, int], words: list[tuple[int, int]], claim: Claim) -> bool:
    start, end = span
    body = line.body
    if claim != "works" and _DENIED_AFTER.match(body, end, clause.sentence_end):
        return True
    if claim == "fails" and _NOT_REPRODUCED.search(body, clause.sentence_start, words[0][0] if words else start):
        return True
    if words:
        return all(line.denies(at, failing=claim == "fails") for at, _ in words)
    if claim == "fails" and _has_nothing_of_it(line, clause, end):
        return True
    if claim == "names":
        return _NAMED_NOT.search(body, clause.start, start) is not None
    if claim == "fails" and _NOT_MADE.search(body, clause.start, start):
        return True
    return _NO_MORE.search(body, clause.start, start) is not None


def _has_nothing_of_it(line: Line, clause: Clause, end: int) -> bool:
    """Return whether words end where a failure follows that is denied as a whole: "I have not seen" of "I have not seen any errors"."""
    failure = _TROUBLE.search(line.body, end, min(clause.end, end + 40))
    return (
        failure is not None
        and _NOT_ANY.search(line.body, end, failure.start()) is not None
        and line.denies(failure.start(), failing=True)
    )


def _is_mended(body: str, clause: Clause, at: int) -> bool:
    """Return whether the failure at an offset is what something mends: "this fixes the crash"."""
    mends = _MENDS.search(body[:at], clause.sentence_start)
    return mends is not None and mends["asks"] is None


def _is_past(line: Line, clause: Clause, start: int, end: int) -> bool:
    """Return whether a failure is told as over: "I used to get", "the crash is gone", "I had it, now it works"."""
    body = line.body
    words = _key_words(body, start, end, "fails")
    if _is_mended(body, clause, words[0][0] if words else start):
        return True
    if _USED_TO.search(body, clause.start, start):
        return True
    rest = body[end : min(len(body), end + 240)]
    sentence = body[end : clause.sentence_end]
    if _BY_GOING_BACK.search(body, clause.sentence_start, clause.sentence_end):
        return False
    if _OVER.match(body, end) or _OVER.search(sentence[:80]):
        return True
    return bool(_HAD.search(body, clause.start, start + 1) and _OVER.search(rest))


def _mood(line: Line, clause: Clause, span: tuple[int, int], words: list[tuple[int, int]], claim: Claim) -> Said:
    """Return whether something is told, or asked, supposed, wanted or quoted."""
    body, start = line.body, span[0]
    at = words[0][0] if words else start
    if _QUOTES.search(body, clause.sentence_start, start):
        return Said.QUOTED
    if _is_asked(line, clause, at):
        return Said.ASKED
    own = line.clause(at, at + 1).start
    if claim != "names" and _OUGHT.search(body, own, at):
        return Said.WANTED
    lead = max(clause.sentence_start, own - 14)
    if (
        claim == "fails"
        and words
        and start > own
        and (_CONDITION.search(body, lead, at) or _MODAL.search(body, own, at))
    ):
        return Said.SUPPOSED
    if claim == "fails" and not words and _UNTIL.match(body, span[1], clause.sentence_end):
        return Said.SUPPOSED
    if _is_advice_for_a_case(line, clause, span) or (claim == "names" and _MAY_BE.search(body, own, start)):
        return Said.SUPPOSED
    return Said.TOLD


def _is_advice_for_a_case(line: Line, clause: Clause, span: tuple[int, int]) -> bool:
    """Return whether the words are the case for which somebody gives advice: "if the card is not listed, reinstall"."""
    lead = _IN_CASE.match(line.body, clause.sentence_start, span[0])
    return lead is not None and _ADVISES.match(line.body, span[1], clause.sentence_end) is not None


def _is_asked(line: Line, clause: Clause, at: int) -> bool:
    """Return whether a sentence asks, with yes or no, whether what stands at an offset is so."""
    body = line.body
    if _INDIRECT.search(body, max(clause.sentence_start, at - 160), at):
        return True
    if not body[: clause.sentence_end].rstrip(" \"')*_`").endswith(("?", "\uff1f")):
        return False
    return bool(
        _QUESTION.match(body, clause.sentence_start, at + 1)
        and not _PRESUPPOSES.search(body, clause.sentence_start, clause.sentence_end)
    )


def told(readings: Iterable[Said]) -> bool:
    """Return whether one of several readings tells that it is so."""
    return Said.TOLD in readings
