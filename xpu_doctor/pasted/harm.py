"""Which lines of texts prove nothing, what failed apart from them, and who complains."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from xpu_doctor.model.facts.pasted import Failure
from xpu_doctor.pasted.readers import failures
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.pasted.readers.complaints import complaints
from xpu_doctor.tables.line_rows import harmless_lines
from xpu_doctor.text.late_pattern import late_pattern

Item = TypeVar("Item")

_TYPED = late_pattern(r"File \"<(?:string|stdin|ipython-input)[^\"\n]{0,80}>\", line \d")
_ITEM = late_pattern(r"\s{0,8}(?:[-*] |\d{1,2}\. |\[[ xX]\] )")
_BEGINS_IN_PROSE = late_pattern(
    r"\W{0,4}(?!(?:[\w.]{1,80}(?:Error|Exception)|ERROR|Traceback)\b)(?:[\w.()'`#-]{1,40},?:? ){2}[\w.()'`#-]{1,40}"
)
_NO_MODULE = late_pattern(r"\b(?:ModuleNotFoundError|ImportError): No module named ")
_PROMPT = late_pattern(r"^\s{0,20}(?:>>> |\.\.\. |In \[\d|\(?[\w.-]{0,40}\)? ?[\w.@:~/\\<>-]{0,200}[$#%>] \S)")


def read_harm(texts: Sequence[Text], facts: Collected) -> Iterator[tuple[Text, frozenset[int]]]:
    """Note what failed and who complains; yield each text with the numbers of its lines that prove nothing."""
    works = bool(facts.working) or facts.get("xpu.available") is True
    whose = False
    for text in texts:
        harmless = _harmless(text, works, _last_working(text, facts))
        seen = list(failures.failures(text, harmless))
        if facts.get("pasted.proposes") == "change" and not failures.shows_whose(text):
            seen = [item for item in seen if not _in_a_sentence(item[1].line)]
        harmless |= _overcome(text, facts, seen)
        facts.failures.extend(_ends(failure for number, failure in seen if number not in harmless))
        if facts.failures or not facts.get("pasted.proposes"):
            facts.complaints.extend(_ends(complaints(text, harmless)))
        whose = whose or failures.shows_whose(text)
        yield text, harmless
    if len(facts.failures) == 1 and not whose and not facts.complaints:
        facts.put("pasted.bare_failure", True, facts.failures[0].source)


def _harmless(text: Text, works: bool, last: int) -> frozenset[int]:
    """Return the numbers of the lines that programs print although nothing is wrong; `last` is the last line that shows a device at work."""
    return frozenset(
        known.number
        for known in harmless_lines().known(text.searched)
        if known.row.where == "always"
        or (known.row.where == "device-works" and works)
        or (known.row.where == "program-went-on" and works and known.number < last)
    )


def _last_working(text: Text, facts: Collected) -> int:
    """Return the number of the last line of a text that shows a device at work, 0 where none does."""
    numbers = filter(None, (text.cited(item.source) for item in facts.working))
    return max((number - text.first_line + 1 for number in numbers), default=0)


def _overcome(text: Text, facts: Collected, seen: Sequence[tuple[int, Failure]]) -> frozenset[int]:
    """Return the lines of imports that somebody tried by hand in vain, before a later try showed a device."""
    last = _last_working(text, facts)
    tried = [number for number, failure in seen if _NO_MODULE.search(failure.line) and number < last]
    return frozenset(number for number in tried if _by_hand(text, number) and _prompt_between(text, number, last))


def _in_a_sentence(line: str) -> bool:
    """Return whether a line that names a failure is prose, or an item of a list, and no output."""
    return _ITEM.match(line) is not None or _BEGINS_IN_PROSE.match(line) is not None


def _by_hand(text: Text, number: int) -> bool:
    """Return whether the last frame above a line is of code that was typed."""
    for above in range(number - 1, max(number - 6, 0), -1):
        if 'File "' in text.searched.line(above):
            return _TYPED.search(text.searched.line(above)) is not None
    return False


def _prompt_between(text: Text, start: int, end: int) -> bool:
    return any(_PROMPT.search(text.searched.line(number)[:400]) for number in range(start + 1, min(end, start + 400)))


def _ends(items: Iterable[Item]) -> list[Item]:
    """Return the first and the last of many."""
    every = list(items)
    return every if len(every) <= failures.MOST else [*every[: failures.MOST - 1], every[-1]]
