"""Reads which versions of torch, the driver, the kernel and the Intel Extension people say work or fail: "2.8.0 is fine, 2.9 crashes"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from xpu_doctor.model.facts.pasted import ToldVersion
from xpu_doctor.pasted.readers.collected import Collected, Text
from xpu_doctor.text.clauses import Line
from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.printed_lines import written
from xpu_doctor.text.said import Said
from xpu_doctor.text.word_index import WordTable

LONGEST = 1200
"""Characters of a line that is read as prose or as a row of a table."""
USED = {"torch": "torch.version", "driver": "pasted.windows_driver", "kernel": "kernel.version"}
"""The fact that holds the version in use of a part."""
MOST = 12
"""Versions of one kind that are kept."""

_NAMES_A_PART = late_pattern(r"[0-24-7]\.|[Dd][Rr][Ii][Vv][Ee][Rr]")
"""What every version that is read has, or "the driver before"."""
_VERDICTS = (
    "work", "fine", " ok", "okay", "good", "correct", "stable", "normal", "pass", "succe", "fix", "solve", "help", "all right", "pinned",
    "downgrad", "back", "revert", "stay", "stick", "no ", "true", "false", "gone", "disappear", "vanish", "goes away", "went away",
    "fail", "break", "broke", "crash", "hang", "hung", "freez", "froz", "garba", "garbled", "nan", "black", "wrong", "slow", "error", "regress",
    "unusable", "noise", "corrupt", "segfault", "problem", "issue", "bug", " bad", "abort", "stuck", "stopped", "lost",
    "n't list", "n't see", "n't find", "n't detect", "n't found",
    "not list", "not see", "not find", "not detect", "not found", "resets", "\u2705", "\u274c", "\U0001f44d",
)  # fmt: skip
_VERSION = late_pattern(
    r"""
    (?<![\w.+/=-])v?(?P<dotted>\d{1,3}\.\d{1,4}(?:\.(?:\d{1,6}|x)){0,3}(?:\.dev\d{8})?(?:\+xpu)?(?:-\d{1,4}(?:-[a-z]{2,12})?)?)
    (?![\w%]|\.\d|[ ]?(?:GB|GiB|MB|it/s|s\b|ms|x\b))
    | \bdrivers?[ ]{1,3}(?:version[ ]{1,3})?(?P<short>\d{4})\b
    """,
    re.VERBOSE,
)
_PART = late_pattern(
    r"""
    \b(?:(?P<torch>(?:py)?torch)|(?P<kernel>kernels?|linux)|(?P<driver>drivers?|compute[- ]runtime|NEO)|(?P<ipex>ipex|intel[ _-]extension\S{0,12})
    |(?P<application>vllm|comfyui|transformers|diffusers|accelerate|ollama|openvino|frigate)
    |(?P<other>python|triton|one ?api|loader|level[ -]zero|ubuntu|fedora|debian|windows|mesa|node|cuda|rocm
        |torchvision|torchaudio|numpy|sd\.?next|llama\S{0,8}|ipex[-_]llm|igc|docker|gcc|glibc|xformers|firmware|sdxl|wan|bios))\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_SHAPES = {
    "torch": late_pattern(r"[12]\.\d{1,2}(?:\.|\+|$)"),
    "ipex": late_pattern(r"[12]\.\d{1,2}(?:\.|\+|$)"),
    "kernel": late_pattern(r"[4-7]\.\d{1,2}(?:[.-]|$)"),
    "driver": late_pattern(r"(?:3[0-2]\.0\.|101\.\d{4}$|2[0-9]\.\d\d(?:\.|$)|\d{4}$)"),
}
_OF_APPLICATION = late_pattern(r"\d{1,4}\.\d{1,4}(?:\.|$)")
_ALONE = late_pattern(r"2\.\d{1,2}\.(?:\d{1,2}|x)(?:\.dev\d{8})?(?:\+xpu)?$|2\.\d{1,2}\+xpu$")
"""A version of torch that needs no name beside it in a text about torch."""
_WINDOWS = late_pattern(r"3[0-2]\.0\.1\d\d\.\d{4}")
_SHORT_WINDOWS = late_pattern(r"(?:101\.)?\d{4}")
"""The end of a Windows driver's version, by which people call it."""
_SIDE = late_pattern(
    r"(?i)\b(?:(?P<guest>guests?|VMs?|virtual machines?|haos)|(?P<host>hosts?|hypervisor|proxmox|pve|esxi|unraid))\b"
)
_SEGMENT = late_pattern(
    r"[.!?;](?=\s|$)|[,:](?=\s)|\s[-\u2013\u2014]\s|\b(?:but|while|whereas|however|although|though|and then|, and)\b|\band\b(?=.{0,40}\d\.\d)",
    re.IGNORECASE,
)
_END = late_pattern(r"[.!?](?=\s|$)")
_GOOD = late_pattern(
    r"\b(?:works?(?![ -]?arounds?)|worked(?![ -]?around)|working(?! (?:dir\w{0,6}|tree|set|group|copy|on\b))|fine(?![ -]?tun)|ok|okay"
    r"|good(?! (?:morning|evening|day|luck|question))|correct(?:ly)?(?! me\b)|stable(?![ -](?:diffusion|cascade|video|audio|release|branch|kernel|channel))"
    r"|normal(?:ly)?(?! user)|succe\w{2,6}|fix(?:es|ed)?|solve[sd]?|resolve[sd]?|helps|helped|all right"
    r"|pass(?:es|ed)?(?![ -]{0,2}(?:thr|in(?:to)?\b|to\b|on\b|along|down|over|the\b|an?\b|it\b|my\b|its\b|via\b|as\b|--|/))"
    r"|(?:says?|said|gives?|gave|prints?|printed|returns?|returned|is|was|shows?|showed) true"
    r"|(?:is|was|are|were|gets?|got) (?:now |finally |also )?(?:found|detected|listed|seen|recogni[sz]ed|visible)"
    r"|no (?:problems?|issues?|errors?|crash\w{0,2}|hangs?))\b|\u2705|\U0001f44d"
    r"|\b(?:had|have|need|forced|must) to (?:downgrade|go back|roll back|revert|stay|stick)\b|\bpinned\b",
    re.IGNORECASE,
)
_BAD = late_pattern(
    r"\b(?:fail(?:s|ed|ing|ure)?|br(?:eak|oke)\w{0,3}|crash\w{0,3}|hang(?:s|ing)?|hung|fr(?:ee|o)z\w{1,4}|garbage|garbled|nan|black|wrong|incorrect|slow\w{0,3}"
    r"|(?:does|did|do|can|is|was|are|were)(?: not|n['\u2019]t) (?:see|list|find|detect|recogni[sz]e|found|detected|listed|seen|recogni[sz]ed|visible|there)"
    r"|(?:engine|gpu) resets?"
    r"|errors?|regress\w{0,5}|unusable|noise|corrupt\w{0,3}|segfaults?|problems?|issues?|bugs?|bad|abort\w{0,3}|stuck|stopped|lost"
    r"|(?:says?|said|gives?|gave|prints?|printed|returns?|returned|is|was|shows?|showed) false)\b|\u274c",
    re.IGNORECASE,
)
_FIXED = late_pattern(
    r"(?i)\b(?:fix(?:es|ed)?|solve[sd]?|resolve[sd]?|pinned|(?:had|have|need|forced|must) to (?:downgrade|go back|roll back|revert|stay|stick))\b"
)
_GONE = late_pattern(
    r"""
    \b(?:problems?|issues?|errors?|crash(?:es)?|hangs?|bugs?|it|this|that)\b .{0,20} \b
    (?:(?:is|are|was|were)[ ]gone | disappear\w{0,3} | vanish\w{0,3} | go(?:es)?[ ]away | went[ ]away
    | (?:(?:would|will|does|do|did)(?:[ ]not|n.t)|won.t|no[ ]longer|never)[ ](?:occurs?|happens?|appears?|exists?|shows?[ ]up|comes?))\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""A failure that is not there."""
_NEEDED = late_pattern(
    r"(?i)\b(?:requires?|required|needs?|minimum|at least|support(?:s|ed)?|newer than|older than|later than|earlier than|below|above)\b[^,;]{0,30}$"
)
_FLIPS = late_pattern(r"(?i)\b(?:before|until|prior to|up until)\b[^,;.]{0,40}$")
_CAME_FROM = late_pattern(r"(?i)\bfrom (?:the |version |\w{1,12} ){0,3}$")
_WENT_TO = late_pattern(r"(?i)^\S{0,12}\s(?:up |back )?to\b")
_FORMER = late_pattern(
    r"(?i)\b(?:(?:previous|older|earlier|prior|last|former) (?:windows |gpu |graphics |arc |intel |arc gpu )?drivers?|drivers? (?:from )?before"
    r"|the (?:one|version|release) before"
    r"|(?:roll\w{0,3}|went|going|go)[ -]?back (?:\w{1,8} ){0,2}drivers?|(?:downgrad|revert)\w{1,3} (?:\w{1,8} ){0,2}drivers?)\b(?!.{0,12}\d)"
)


_WENT_BACK = late_pattern(
    r"(?i)\b(?:downgrad(?:e[ds]?|ing)|roll(?:ed|ing)?[ -]?back|rollback|revert(?:ed|ing)?|(?:went|going|go|switched) back"
    r"|(?:boot\w{0,3}|us(?:e|ed|ing)|with|on)(?: (?:in|into|with|the|an?|my)){0,3} (?:previous|older|old|last)) (?:[^.;,]{0,60})$"
)
"""Whoever goes back to a version and finds that it works tells that the newer one does not."""


_ANOTHER = late_pattern(
    r"(?i)\b(?:old|older|previous|earlier|former|prior|other|last) (?:\w{1,10} )?(?:kernels?|drivers?|versions?|releases?|builds?|wheels?|one|torch|pytorch)\b"
)
_NOT = late_pattern(r"(?i)\b(?:not|never|no)\b|n['\u2019]t\b")
_DOES = late_pattern(r"(?i)\d\S{0,12} (?:do|does|did)(?P<no> not|n['\u2019]t)?\W{0,3}$")


@dataclass(frozen=True)
class _Segment:
    """A part of a sentence: the versions that it names, and whether it says that they work."""

    versions: tuple[tuple[int, str, str], ...]
    """Offset, part and version."""
    works: bool | None
    of_another: bool = False
    """Whether that is said of another one than the text is about: "the old kernel is fine"."""
    denied: bool = False
    """Whether it is said with a "not"."""
    does: bool | None = None
    """Whether it only takes up what was said before: "25.13 does", "6557 does not"."""


def parse(text: Text, facts: Collected) -> None:
    """Read the versions that a text says work or fail."""
    statements = text.statements
    about_torch = text.has("torch", "xpu")
    found: dict[tuple[str, str], tuple[bool, str]] = {}
    gone_back: dict[str, str] = {}
    sides: dict[tuple[str, str], str] = {}
    numbers = text.searched.numbers_with_any(_verdict_words().present(text.searched))
    for number in written(text.searched, numbers):
        line = text.searched.line(number)
        if len(line) > LONGEST or not _NAMES_A_PART.search(line):
            continue
        if not (_VERSION.search(line) or _FORMER.search(line)):
            continue
        offset = text.searched.starts[number - 1]
        for at, part, version, works in _told(line, about_torch):
            said = statements.claimed(number, at, at + len(version), "names")
            if said in (Said.TOLD, Said.DENIED):
                found.setdefault((part, version), (works, text.place(offset)))
                sides.setdefault((part, version), _side(line, at, version))
                if works and _WENT_BACK.search(line[:at]):
                    gone_back.setdefault(part, text.place(offset))
    for works, path in ((True, "pasted.good_versions"), (False, "pasted.bad_versions")):
        told = tuple(
            ToldVersion(part, version, place, sides.get((part, version), ""))
            for (part, version), (good, place) in found.items()
            if good is works
        )
        if told:
            facts.put(path, told[:MOST], told[0].source)
    _compare(found, gone_back, facts)


def _side(line: str, at: int, version: str) -> str:
    """Return whose a version is where a line tells: `host` or `guest`, as the nearest of such words before it says, else the nearest after."""
    if "-pve" in version:
        return "host"
    before = [found.lastgroup for found in _SIDE.finditer(line, max(0, at - 80), at)]
    after = _SIDE.search(line, at, at + len(version) + 40)
    return (before[-1] if before else after.lastgroup if after else "") or ""


@cache
def _verdict_words() -> WordTable:
    return WordTable(_VERDICTS)


def _compare(found: dict[tuple[str, str], tuple[bool, str]], gone_back: dict[str, str], facts: Collected) -> None:
    """Note the parts of which an older version works and a newer one fails, and those of which a newer one works."""
    worse: list[str] = []
    better: list[str] = []
    for part in dict.fromkeys(part for part, _ in found if part in _SHAPES):
        order = _order_of(version for name, version in found if name == part)
        good = [order(version) for (name, version), (works, _) in found.items() if name == part and works]
        bad = [order(version) for (name, version), (works, _) in found.items() if name == part and not works]
        if part in gone_back:
            worse.append(part)
        if part in gone_back or not good or not bad:
            continue
        (worse if min(good) < max(bad) else better).append(part)
    for path, parts in (("pasted.regressed", worse), ("pasted.improved", better)):
        if parts:
            places = (place for (part, _), (works, place) in found.items() if part == parts[0] and not works)
            facts.put(path, tuple(parts), next(places, gone_back.get(parts[0], "the text")))


def beside_used(facts: Collected) -> None:
    """Note the parts of which a version works, as somebody says, that is the one in use or an older one."""
    _use_the_bad_one(facts, "kernel")
    bad = {(item.part, item.version) for item in facts.get("pasted.bad_versions") or ()}
    older: list[str] = []
    same: list[str] = []
    place = ""
    for item in facts.get("pasted.good_versions") or ():
        used = _ordered(str(facts.get(USED.get(item.part, "")) or "").partition("+")[0])
        good = _ordered(item.version)
        if len(good) < len(used) and _SHORT_WINDOWS.fullmatch(item.version):
            used = used[-len(good) :]
        if item.version and (item.part, item.version) not in bad and used:
            parts = older if good[: len(used)] < used else same if good == used[: len(good)] else []
            parts.append(item.part)
            place = place or item.source
    for path, parts in (("pasted.older_works", older), ("pasted.used_works", same)):
        if parts:
            facts.put(path, tuple(dict.fromkeys(parts)), place)


def _use_the_bad_one(facts: Collected, part: str) -> None:
    """Take for the version of a part in use the one that is said to fail, where what was read is one that is said to work: it was named first."""
    told = {
        works: [item for item in facts.get(path) or () if item.part == part]
        for works, path in ((True, "pasted.good_versions"), (False, "pasted.bad_versions"))
    }
    used = USED[part]
    for good in told[True]:
        if told[False] and good.version == facts.get(used) and good.source == facts.sources.get(used):
            facts.force(used, told[False][0].version, told[False][0].source)


def _order_of(versions: Iterable[str]) -> Callable[[str], tuple[int, ...]]:
    """Return what puts versions in order: their last numbers alone where one of them is told by its end."""
    short = any(map(_SHORT_WINDOWS.fullmatch, versions))
    return (lambda version: _ordered(version)[-1:]) if short else _ordered


def _ordered(version: str) -> tuple[int, ...]:
    """Return all numbers of a version, those of a distribution's build too."""
    return tuple(map(int, re.findall(r"\d+", version)))


def _told(line: str, about_torch: bool) -> Iterator[tuple[int, str, str, bool]]:
    """Yield offset, part and version of what a line says works or fails, and which."""
    segments = list(_segments(line, about_torch))
    for place, segment in enumerate(segments):
        works = segment.works
        if works is None and segment.versions:
            near = [segments[other] for other in (place + 1, place - 1) if 0 <= other < len(segments)]
            told = next((other for other in near if other.works is not None and not other.versions), None)
            if told is not None:
                works = told.works is not told.of_another
        if works is None and segment.does is not None and place and segments[place - 1].works is not None:
            before_it = segments[place - 1]
            works = before_it.works is (segment.does is not before_it.denied)
        if works is None:
            continue
        for at, part, version in segment.versions:
            before = line[max(0, at - 60) : at]
            if _NEEDED.search(before):
                continue
            flipped = bool(_FLIPS.search(before)) or bool(
                _CAME_FROM.search(before) and _WENT_TO.match(line[at + len(version) : at + len(version) + 30])
            )
            yield at, part, version, works is not flipped
    former = _FORMER.search(line) if "driver" in line.lower() else None
    good = (_GOOD.search(line, former.start()) or _GOOD.search(line)) if former else None
    if former and good and not Line(line).denies(good.start()):
        yield former.start(), "driver", "", True


def _segments(line: str, about_torch: bool) -> Iterator[_Segment]:
    """Yield the parts of the sentences of a line; a row of a table is one."""
    table = line.lstrip("> \t").startswith("|")
    cuts = [] if table else [match.start() for match in _SEGMENT.finditer(line)]
    named = _named(line, about_torch)
    whole = Line(line)
    start = 0
    for end in (*cuts, len(line)):
        versions = tuple(item for item in named if start <= item[0] < end)
        part = line[start:end]
        does = _DOES.search(part)
        yield _Segment(
            versions,
            _verdict(whole, start, end),
            bool(_ANOTHER.search(part)),
            bool(_NOT.search(part)),
            not does["no"] if does else None,
        )
        start = end


def _verdict(line: Line, start: int, end: int) -> bool | None:
    """Return whether a part of a sentence says that something works, that it fails, or neither or both."""
    improved = _FIXED.search(line.body, start, end)
    if improved:
        return not line.denies(improved.start())
    if _GONE.search(line.body, start, end):
        return True
    said = {not line.denies(match.start()) for match in _GOOD.finditer(line.body, start, end)}
    said |= {line.denies(match.start(), failing=True) for match in _BAD.finditer(line.body, start, end)}
    return said.pop() if len(said) == 1 else None


def _named(line: str, about_torch: bool) -> list[tuple[int, str, str]]:
    """Return offset, part and version of the versions in a line whose part is told, or plain from their shape."""
    found: list[tuple[int, str, str]] = []
    parts = [(match.end(), match["application"] or match.lastgroup or "other") for match in _PART.finditer(line)]
    for match in _VERSION.finditer(line):
        version = match["dotted"] or match["short"]
        at = match.start("dotted") if match["dotted"] else match.start("short")
        part = _part_of(version, [name for end, name in parts if end <= at and at - end <= LONGEST], about_torch)
        if part:
            found.append((at, part, version))
    return found


def _part_of(version: str, before: list[str], about_torch: bool) -> str:
    """Return what a version is of: the part that was named last, if it has such versions; else what the shape alone tells."""
    if _WINDOWS.match(version):
        return "driver"
    named = before[-1] if before else ""
    if named in _SHAPES and _SHAPES[named].match(version):
        return named
    if named and named not in _SHAPES:
        return named.lower() if named != "other" and _OF_APPLICATION.match(version) else ""
    return "torch" if about_torch and _ALONE.match(version) else ""
