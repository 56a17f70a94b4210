"""Tells two machines of one text apart by what people call them, and keeps the words about the one that fails."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from xpu_doctor.pasted.readers.collected import MAX_LINE, Text
from xpu_doctor.text.late_pattern import late_pattern

_NOUNS = (
    "desktop", "laptop", "notebook", "workstation", "machine", "computer", "server", "tower", "system", "pc", "nuc", "rig", "box",
)  # fmt: skip
_SYSTEMS = r"windows|linux|ubuntu|fedora|debian|arch|opensuse|mint"
_LABEL = late_pattern(
    rf"""
    (?:^[>\s\#*\d.)-]{{0,20}} | [.;,:]\s{{1,3}}(?:(?:and|but|while|whereas)\s)? | \b(?:and|but|while|whereas|versus|vs\.?)\s )
    (?:(?:it\sworks|works|works\sfine)\s)?(?:(?:on|at|with)\s)?
    (?P<label>
      (?:machine|computer|laptop|desktop|system|server|workstation|box|pc)\s?\#?\s?(?:[a-d]|[1-4]|one|two|three)(?![\w.'’])
      | (?:(?:my|our|his|her|their|another|the)\s(?:[\w'’.+-]{{1,20}}\s){{0,3}}? | (?:(?:{_SYSTEMS})\s(?:[\d.]{{1,8}}\s)?)
        | a\s(?:second|different)\s)
        (?:{"|".join(_NOUNS)})(?!\w|\s(?:environment|session|app)\b|[-.]\w)
    )
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
"""What a machine is called, at the beginning of a line or of a clause."""
_BARE = frozenset({"the machine", "the system", "the box", "the computer", "the pc", "the server"})
"""Names that tell no machine from another one."""
_OF_ANOTHER = late_pattern(
    r"(?i)\b(?:other|second|another|different)\b|['’]s?\s|^(?:his|her|their)\b|\b[b-d2-4]$|\btwo$"
)
_ONE_MACHINE = late_pattern(
    r"(?i)\bdual[- ]?boot|\b(?:same|one|single) (?:machine|computer|pc|laptop|desktop|hardware|box)\b"
)
_OF_OTHER_DEVICES = late_pattern(r"(?i)cuda|debug build|xnnpack|mps|rocm|\bhip\b|mkldnn|inference_mode")
_ANSWER = late_pattern(r"(?<![\w.=(])(?P<answer>True|False)(?![\w(])")
_CPU_BUILD = late_pattern(r"(?<![\w.])\d\.\d{1,2}\.\d{1,2}\+cpu\b")


@dataclass
class _Machine:
    """What a text says of a machine."""

    name: str
    spans: list[tuple[int, int]] = field(default_factory=list)
    works: bool = False
    fails: bool = False


@dataclass(frozen=True)
class Apart:
    """A text in which only the words about one machine are left."""

    text: Text
    kept: str
    """What the text calls that machine."""
    names: tuple[str, ...]
    """What it calls those of which it shows a torch."""


def apart(text: Text) -> Apart | None:
    """Return the words about the machine that fails; None where a text does not show torch on two machines, one of which fails."""
    if not text.has("true", "false", "+cpu") or not text.has(*_NOUNS) or not text.has("torch", "xpu"):
        return None
    machines = _machines(text)
    judged = [machine for machine in machines if machine.works or machine.fails]
    failing = next((machine for machine in judged if machine.fails), None)
    if len(judged) < 2 or failing is None or _ONE_MACHINE.search(text.body):
        return None
    body = text.body
    for machine in judged:
        if machine is not failing:
            for start, end in machine.spans:
                body = body[:start] + re.sub(r"[^\n]", " ", body[start:end]) + body[end:]
    return Apart(Text(body, text.name, text.first_line), failing.name, tuple(machine.name for machine in judged))


def _machines(text: Text) -> list[_Machine]:
    """Return the machines of a text in order; what comes before the first name may be of one without a name."""
    starts = [
        (match.start("label"), " ".join(match["label"].lower().split()))
        for number in text.searched.numbers_with_any(_NOUNS)
        for match in _labels(text, number)
    ]
    starts = [(start, label) for start, label in starts if label not in _BARE]
    if not starts:
        return []
    machines: dict[str, _Machine] = {}
    if len({label for _, label in starts}) == 1 and _OF_ANOTHER.search(starts[0][1]):
        machines[""] = _Machine("the first machine", [(0, starts[0][0])])
    ends = [start for start, _ in starts[1:]] + [len(text.body)]
    for (start, label), end in zip(starts, ends, strict=True):
        machines.setdefault(_key(label), _Machine(label)).spans.append((start, end))
    for machine in machines.values():
        _judge(machine, text.body)
    return list(machines.values())


def _labels(text: Text, number: int) -> list[re.Match[str]]:
    start, end = text.searched.span(number)
    line = text.body[start : min(end, start + MAX_LINE)]
    return list(_LABEL.finditer(text.body, start, start + len(line)))


def _key(label: str) -> str:
    return re.sub(r"^(?:my|our|the|a) ", "", label)


def _judge(machine: _Machine, body: str) -> None:
    """Note whether the words about a machine show that torch finds a GPU there, or that it finds none."""
    for start, end in machine.spans:
        for line in body[start:end].split("\n"):
            if len(line) > MAX_LINE or _OF_OTHER_DEVICES.search(line):
                continue
            answers = {match["answer"] for match in _ANSWER.finditer(line)}
            machine.fails = machine.fails or "False" in answers or _CPU_BUILD.search(line) is not None
            machine.works = machine.works or "True" in answers
