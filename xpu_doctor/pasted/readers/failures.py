"""Reads what programs print when they fail, whatever the cause: exceptions, aborts, exit codes, failed tests."""

from __future__ import annotations

import re
from collections.abc import Iterator

from xpu_doctor.model.facts.pasted import Failure
from xpu_doctor.pasted.readers.collected import MAX_LINE, Text
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.word_index import WordTable

MOST = 8
"""Failures that are kept of one text: the first ones, and the last."""

_EXCEPTION = late_pattern(
    r"""
    (?<!except[ ])(?<!raise[ ])(?<![\w.'"`])
    (?:[A-Za-z_]\w{0,60}\.){0,6}
    (?:[A-Z]\w{0,60})?(?:Error|Exception|Interrupt)\b
    (?::[ ]?\S|\s{0,8}$|\(['"])
    """,
    re.VERBOSE,
)
_ABORT = late_pattern(
    r"""
    \bSegmentation[ ]fault\b | \bcore[ ]dumped\b | \bSIG(?:SEGV|ABRT|BUS|KILL|ILL|FPE)\b | \b[Bb]us[ ]error\b
    | \bterminate[ ]called\b | ^\W{0,20}Aborted\b | \bAbort[ ]was[ ]called\b | \bFatal[ ]Python[ ]error\b
    | \b0x[cC]0000(?:005|409|374|135|142|139)\b | \b322122\d{4}\b | (?i:\baccess[ ]violation\b) | \bIllegal[ ]instruction\b
    | ^\W{0,20}Killed\s{0,8}$ | \boom-?kill | \bINTERNAL[ ]ASSERT[ ]FAILED\b | \bpanic:[ ] | \b[Aa]ssertion\b.{1,160}\bfailed\b
    """,
    re.VERBOSE,
)
_EXIT = late_pattern(
    r"""
    (?i)\b(?:exit(?:ed|s)?|return(?:ed|s)?|ended|finished|terminated|died|quit)\b.{0,40}?
    \b(?:code|status|value|signal)\b[:= ]{1,4}(?:was[ ]|is[ ])?\(?-?(?:0x)?[1-9]\d{0,10}
    | \breturned[ ]non-zero\b | \bexit[ ]status[ ][1-9] | \bexit(?:_?code)?[:=][ ]?-?[1-9]\d{0,10}\b
    """,
    re.VERBOSE,
)
_DEVICE = late_pattern(
    r"""
    \b(?:
      GPU[ ]HANG\b | (?i:device[ ](?:is[ ])?wedged\b) | Timedout[ ]job\b | (?:UR_RESULT|PI|ZE_RESULT)_ERROR_\w{3,60}
      | (?:UR|PI)[ ]error\b | undefined[ ]symbol\b | cannot[ ]open[ ]shared[ ]object\b | (?i:out[ ]of[ ]memory\b)
      | could[ ]not[ ](?:create|execute)[ ]an?[ ](?:primitive|engine) | not[ ](?:currently[ ])?implemented[ ]for\b
      | No[ ]XPU[ ]devices?\b | Device[ ]count[ ]is[ ]zero\b | not[ ]compiled[ ]with\b
      | no[ ](?:SYCL|XPU)?[ ]?devices?[ ](?:were[ ])?found\b | found[ ]0[ ]SYCL\b | DEVICE_LOST\b
      | [Ee]ngine[ ]reset\b | Native[ ]API[ ](?:failed|returns)\b
    )
    | \|CCL_(?:ERROR|FATAL)\|
    """,
    re.VERBOSE,
)
_LOG = late_pattern(
    r"(?<![\w=\"'-])(?:ERROR|FATAL|CRITICAL)(?![\w=-])(?!.{0,12}\b(?:0|none)\b)|(?<!\w)!!! |^\s{0,20}(?:fatal )?error: \S|\bERR!"
)
_TEST = late_pattern(
    r"(?i)\b[1-9]\d{0,5} failed\b|^\W{0,20}FAILED\b|\bTensor-likes are not (?:close|equal)\b|\bmismatched elements\b"
)
_KINDS: tuple[tuple[str, re.Pattern[str], tuple[str, ...]], ...] = (
    ("exception", _EXCEPTION, ("error", "exception", "interrupt")),
    ("abort", _ABORT, (
        "segmentation fault", "core dumped", "sigsegv", "sigabrt", "sigbus", "sigkill", "sigill", "sigfpe", "bus error", "terminate called",
        "aborted", "abort was called", "fatal python error", "0xc0000", "322122", "access violation", "illegal instruction", "killed", "oom-kill",
        "oomkill", "internal assert failed", "panic: ", "assertion",
    )),
    ("exit", _EXIT, ("exit", "return", "ended", "finished", "terminated", "died", "quit")),
    ("device", _DEVICE, (
        "gpu hang", "wedged", "timedout job", "_error_", "ur error", "pi error", "undefined symbol", "cannot open shared object", "out of memory",
        "could not create a", "could not execute a", "implemented for", "no xpu device", "device count is zero", "not compiled with", "|ccl_",
        "no device", "no sycl device", "found 0 sycl", "device_lost", "engine reset", "native api",
    )),
    ("log", _LOG, ("error", "fatal", "critical", "!!! ", "err!")),
    ("test", _TEST, (" failed", "failed ", "tensor-likes", "mismatched elements")),
)  # fmt: skip
"""Kinds of failure: how a line shows one, and the words of which it holds one."""
_WORDS = WordTable(word for _, _, words in _KINDS for word in words)
_CHECKBOX = late_pattern(r"[>\s]{0,20}[-*] \[[ xX]\] ")
"""An item of somebody's list, whatever it names."""
_HEADER = late_pattern(r"Traceback \(most recent call last\)")
_FRAME = late_pattern(
    r"^[ \t>|│❱]{0,40}File \"[^\"\n]{1,300}\", line \d|^[│|] [/\\~A-Z][^\n│]{1,200}:\d{1,6} in \w", re.MULTILINE
)


def failures(text: Text, harmless: frozenset[int]) -> Iterator[tuple[int, Failure]]:
    """Yield the lines of a text that show a failure, in order and with their numbers, apart from those that are known to be harmless."""
    found: dict[int, str] = {}
    present = _WORDS.present(text.searched)
    for kind, pattern, words in _KINDS:
        for number in text.searched.numbers_with_any(present.intersection(words)):
            if number in harmless or number in found:
                continue
            line = _line(text, number)
            if pattern.search(line) and not _CHECKBOX.match(line):
                found[number] = kind
    if not found:
        found.update(_headers(text))
    for number in sorted(found):
        yield number, Failure(found[number], _line(text, number).strip()[:200], _place(text, number))


_NEVERTHELESS_WORDS = ("but", "still", "yet", "however", "now")
_NEVERTHELESS = late_pattern(
    r"(?i)(?:^|[.;,]\s)(?:but|still|yet|however|now)\b[^\n:]{2,80}"
    r"\b(?:says|complains|stops|ends|fails|shows|prints|reports|throws|gives|raises|errors|crashes|dies)\b[^\n:]{0,30}:",
    re.MULTILINE,
)
"""What a program does nevertheless, said in front of its message."""


def _headers(text: Text) -> dict[int, str]:
    """Return the tracebacks of a text that shows the last line of none."""
    if not text.has("traceback (most"):
        return {}
    return {
        number: "traceback"
        for number in text.searched.numbers_with("traceback (most")
        if _HEADER.search(_line(text, number)) and not _ends_harmless(text, number)
    }


def _ends_harmless(text: Text, header: int) -> bool:
    """Return whether the traceback goes on to a last line: one that is no failure is harmless."""
    for number in range(header + 1, min(header + 400, len(text.searched.starts) + 1)):
        line = _line(text, number)
        if _EXCEPTION.search(line) and not line.startswith((" ", "\t")):
            return True
    return False


def shows_whose(text: Text) -> bool:
    """Return whether a traceback, frames or somebody's words show whose code failed."""
    return (
        text.first(_FRAME, 'file "', " in ") is not None
        or text.first(_HEADER, "traceback (most") is not None
        or text.first(_NEVERTHELESS, *_NEVERTHELESS_WORDS) is not None
    )


def _line(text: Text, number: int) -> str:
    start, end = text.searched.span(number)
    return text.body[start : min(end, start + MAX_LINE)]


def _place(text: Text, number: int) -> str:
    return f"{text.name}, line {number - 1 + text.first_line}"
