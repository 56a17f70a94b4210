"""Reads what torch.xpu said: availability, counts, imports that failed, warnings, and at which step."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_ADVERBS = (
    "still|always|just|now|finally|again|jetzt|nun|wieder|endlich|maintenant|enfin|ahora|adesso|ora|agora|teraz|теперь"
)
_VERBS = "gibt|liefert|ergibt|zeigt|sagt|ist|renvoie|retourne|affiche|donne|devuelve|muestra|restituisce|mostra|retorna|zwraca|возвращает|показывает"
_AVAILABLE = late_pattern(
    r"(?i)\b(?:(?:torch|ipex|intel_extension_for_pytorch)\.xpu\.)?(?<!cuda\.)(?<!mps\.)is_available"
    rf"(?:\(\)|(?=[`'\"]{{0,2}} (?:(?:{_ADVERBS}) )?(?:returns?|returned|gives?|says?|prints?|is|was|{_VERBS}) )"
    r"|(?=[ \t]{0,3}(?:->|=>|[=:])?[ \t]{1,3}(?:True|False)\b))"
    rf"[)`'\"]{{0,4}}(?:\s*(?:(?:{_ADVERBS}) )?(?:->|=>|=|:|is|"
    rf"returns?|returned|gives?|says?|prints?|evaluates to|was|still|{_VERBS})\s*(?:(?:{_ADVERBS})\s{{1,3}}){{0,2}}"
    r"|\W{1,12}(?:returns?|is|gives?)\W{1,4}|[\s)\"'`]{0,6}\n"
    + MARGIN
    + r"(?:(?:Out ?)?\[\d{1,4}\]: ?|(?:#|=>|->) ?)?|"
    r"[\s)]{0,4}#\s{0,4}(?:返回|输出|returns?|gives?|prints?|->|→)?\s{0,3}|"
    r"\W{0,3}(?:→|(?:现在|現在)?(?:返回|输出|輸出|显示|是))\W{0,4}|[ \t]{1,4})[`'\"*]{0,3}(True|"
    r"False)\b"
)
_AVAILABLE_WORDS = late_pattern(
    r"""
    \b(?:xpu|intel[ ]gpu)(?:[ ]is)?[ ]?
    (?:available|availability|detected)\W{1,4}
    (?P<said>True|False|yes|no)\b
    | \bis_xpu_available\W{1,8}(?:(?:returns?|is|gives?|prints?)\W{1,4})?
    (?P<answered>True|False)
    | XPU[ ](?:is[ ])?(?P<negated>not[ ])?available\s{0,80}
    (?:[.!]\s{0,80})?$
    """,
    re.VERBOSE | re.IGNORECASE | re.MULTILINE,
)
_ANSWERED_FIRST = late_pattern(
    r"(?i)\b(True|False)[`'\"*]{0,3} (?:for|from|on|by|out of|(?:when|if|after) (?:I |we )?(?:\w{1,10} ){1,2})[ `'\"]{0,3}"
    r"(?:(?:torch|ipex)\.xpu\.)?(?<!cuda\.)(?<!mps\.)is_available\b"
)
_BELOW_VERSION = late_pattern(
    r"\n[> \t]{0,20}\d\.\d{1,2}[\w.+]{0,40}[ \t]{0,20}\n[> \t]{0,20}(?P<said>True|False)[ \t]{0,20}(?=\n|$)"
)
"""The answer below the version that the same line asked for first."""
_BEFORE_OR_AFTER = late_pattern(
    r"(?i)(?<![\w-])(?P<when>before|after|afterwards|now)\b[^.:=\n]{0,120}[:=][\s`'\"*]{0,4}"
    r"(?:it (?:is|was|says|said|gives|gave|prints|printed) )?(?-i:(?P<answer>True|False))\b"
)
"""An answer under "before" or "after", without the call that it answers."""
MAX_BETWEEN = 2000
"""Characters between two answers that are looked at."""
_CHANGED = late_pattern(
    r"(?i)\b(?:after(?:wards)?|now|since|then|fixed|(?:re)?installed|reboot(?:ed|ing)?|reinstall(?:ed|ing)?)\b"
)
_SURROUNDINGS = late_pattern(
    r"(?i)\b(?:source[ds]?|sourcing|setvars\S{0,4}|oneapi|ld_library_path|ld_preload|unset|sudo|sometimes|every"
    r"|import(?:ed|ing|s)? ipex|intel_extension_for_pytorch|conda (?:de)?activate)\b"
)
"""What changes the surroundings of one run, and mends nothing."""
_PRINTED = late_pattern(
    r"""
    ^[>\ \t]*(?:(?:Out[ ]?)?\[\d{1,4}\]:[ ]?)?[(\[]?['"]?
    \d\.\d{1,2}(?![\w.]*\+(?:cu|rocm)\d)[\w.+]{0,40}['"]?,?[ ]
    (?P<said>True|False)
    (?:,?[ ](?P<count>\d{1,3})(?![\w.]))?
    (?:,?[ ]['"]?(?:None|Intel\b[^\n]{0,80}|Arc\b[^\n]{0,80}|\[[^\n]{0,80}Intel\b[^\n]{0,120}))?
    [)\]]?[ \t]*$
    """,
    re.VERBOSE | re.MULTILINE,
)
"""Values that one call of `print`, or a tuple, shows together: version, availability, then count and name of the devices."""
_COUNT = late_pattern(
    r"(?i)(?<!cuda\.)(?<!mps\.)\bdevice_count\(\)[)`'\"]{0,4}\s*(?:->|=>|=|:|is|returns?|gives?|says?|prints?|\n)"
    + MARGIN
    + r"[`'\"]?(\d{1,3})\b"
)
_COUNT_WORDS = late_pattern(
    r"(?i)(?<!cuda\.)(?<!mps\.)\b(?:device_count|xpu (?:device )?count)\b(?:\(\))?[`'\"]{0,2}(?: of| is| was|[ ]?=| ->|:)? (\d{1,3})\b"
)
_ASKS = ("get_device_name", "get_device_properties", "get_device_capability", "is_available", "device_count")
"""Calls that ask the driver for its devices."""
_DIED_ASKING = late_pattern(
    rf"""
    xpu\.(?:{"|".join(_ASKS)})\([^()\n]{{0,20}}\)[)'"`; \t]{{0,8}}\r?\n
    (?:[ \t]{{0,40}}\r?\n)?
    [^\n]{{0,80}}?(?:Segmentation[ ]fault|SIGSEGV|segfault)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Such a call, last in its line, which the crash answers."""
IMPORT_LINES = 14
"""Lines in which an import of torch and the exception that ends it stand."""
_IMPORT_FAILED = late_pattern(
    r"""
    torch[/\\]__init__\.py\"?,[ ]line[ ]\d+,[ ]in[ ]
    (?:<module>|_load_dll\w*|_preload\w*)
    | import[ ]torch(?![.]xpu)[^\n]{0,40}\n(?:[^\n]*\n){0,12}?
    (?:ImportError|OSError|ModuleNotFoundError)
    | Error[ ]loading[ ]\"[^\"\n]{1,300}torch[/\\]lib
    """,
    re.VERBOSE,
)
_COMPILE = late_pattern(
    r"torch[/\\]_(?:inductor|dynamo)[/\\]|torch\.compile\b|torch\._inductor|triton[/\\](?:compiler|runtime|backends)[/\\]"
)
_TRACEBACK = late_pattern(
    r"Traceback \(most recent call last\)|^\s{0,200}File \"[^\"\n]{1,300}\", line \d", re.MULTILINE
)
_FRAME = late_pattern(r"File \"([^\"\n]{1,300})\", line \d+")
_OWNERS = (
    ("torch", ("/torch/", "/torchgen/")),
    ("triton", ("/triton/",)),
    ("ipex", ("/intel_extension_for_pytorch/", "/ipex_llm/")),
)
"""Parts of the paths of frames, by whose code that is."""
_STANDARD_LIBRARY = late_pattern(
    r"^<frozen |/lib/python3[.\d]{0,4}t?/(?!(?:site|dist)-packages/)|(?:^|/)python3\d{0,3}/lib/(?!site-packages/)"
    r"|/_?python_embed\w{0,3}/python3\d{0,3}\.zip/|/(?:anaconda|miniconda|miniforge)3?/(?:envs/[^/]{1,80}/)?lib/(?!site-packages/|python)"
)
"""Frames of Python's own library, which runs what others asked it to: a fault there is theirs. Paths in lower case, with slashes."""


def parse(text: Text, facts: Collected) -> None:
    """Read what torch said from a text."""
    if text.first(_TRACEBACK, "traceback", 'file "'):
        facts.block("traceback")
        _last_frame(text, facts)
    _availability(text, facts)
    if text.has("segmentation fault", "sigsegv", "segfault"):
        _death(text, facts)
    if text.has("torch"):
        found = text.first(_COMPILE, "_inductor", "_dynamo", "torch.compile", "triton/", "triton\\")
        if found:
            facts.put("pasted.compiling", True, text.place(found.start()))


def parse_import(text: Text, facts: Collected) -> None:
    """Note that torch could not be imported, unless the text shows that it finds a GPU."""
    if facts.get("xpu.available") is True:
        return
    for offset, line in text.lines_with("torch/__init__", "torch\\__init__", "import torch", "error loading"):
        failed = _IMPORT_FAILED.search(text.body, offset, _end_of_lines(text.body, offset, IMPORT_LINES))
        if failed and failed.start() <= offset + len(line):
            facts.put("imported.succeeded", False, text.place(failed.start()))
            return


def _end_of_lines(body: str, offset: int, count: int) -> int:
    """Return where the given number of lines end, of which an offset begins the first."""
    for _ in range(count):
        offset = body.find("\n", offset) + 1
        if not offset:
            return len(body)
    return offset


def _last_frame(text: Text, facts: Collected) -> None:
    """Note whose code the last frame of the last traceback lies in, frames of the standard library left aside."""
    for frame in reversed(list(text.matches(_FRAME, 'file "'))):
        path = frame[1].replace("\\", "/").lower()
        if path in ("<stdin>", "<string>"):
            facts.put("pasted.last_frame", "python", text.place(frame.start()))
            return
        if not _STANDARD_LIBRARY.search(path):
            owner = next((name for name, parts in _OWNERS if any(part in path for part in parts)), "application")
            facts.put("pasted.last_frame", owner, text.place(frame.start()))
            return


def _death(text: Text, facts: Collected) -> None:
    """Note that the process died at a call that asks the driver for its devices."""
    for offset, line in text.lines_with(*_ASKS):
        end = text.end_of_next(text.end_of_next(offset + len(line)))
        died = _DIED_ASKING.search(text.body, offset, end)
        if died:
            facts.put("pasted.died_asking", True, text.place(died.start()))
            return


def _availability(text: Text, facts: Collected) -> None:
    answers: list[tuple[int, str]] = []
    if text.has("is_available", "available", "detected"):
        for offset, line in text.lines_with("is_available"):
            end = text.body.find("\n", offset + len(line) + 1)
            both = text.body[offset : min(end if end >= 0 else len(text.body), offset + 4096)]
            answers += [
                (offset + match.start(), match[1]) for match in _AVAILABLE.finditer(both) if match.start() < len(line)
            ]
            answers += [(offset + match.start(), match[1]) for match in _ANSWERED_FIRST.finditer(line[:2000])]
            below = _BELOW_VERSION.match(text.body, offset + len(line), offset + len(line) + 200)
            if below and "xpu.is_available" in line and "__version__" in line:
                answers.append((below.start("said"), below["said"]))
        for offset, line in text.lines_with("xpu", "intel gpu"):
            for match in _AVAILABLE_WORDS.finditer(line[:2000]):
                word = match[1] or match[2] or ("no" if match[3] else "")
                if word:
                    answers.append((offset + match.start(), word))
    if text.has("is_available()", "+xpu true", "+xpu false", "+xpu, true", "+xpu, false", "+xpu', "):
        for match in text.matches(_PRINTED, "true", "false"):
            if "is_available()" in text.lowered or "+xpu" in match[0]:
                answers.append((match.start(), match["said"]))
                if match["count"]:
                    facts.put("xpu.device_count", int(match["count"]), text.place(match.start()))
    answers += _before_and_after(text)
    said = sorted((start, word.lower() in ("true", "yes")) for start, word in answers)
    if _was_mended(text, said):
        said = said[-1:]
    if len({finds for _, finds in said}) > 1:
        facts.put("pasted.sometimes_available", True, text.place(said[-1][0]))
    for start, finds in said:
        facts.put("xpu.available", finds, text.place(start))
    _count(text, facts)


def _before_and_after(text: Text) -> list[tuple[int, str]]:
    """Return what a text says of torch before something was changed, and after it."""
    if not text.has("before") or not text.has("after", "afterwards", "now") or not text.has("xpu", "intel", "arc"):
        return []
    found = list(text.matches(_BEFORE_OR_AFTER, "before", "after", "afterwards", "now"))
    times = {match["when"].lower() == "before" for match in found}
    return [(match.start("answer"), match["answer"]) for match in found] if len(times) > 1 else []


def _was_mended(text: Text, said: Sequence[tuple[int, bool]]) -> bool:
    """Return whether torch found no GPU at first, and finds one since something was changed: the last answer counts.

    What is sourced, or imported before, makes the answer another one without mending anything.
    """
    finds = [answer for _, answer in said]
    if not finds or finds[0] or not finds[-1] or finds != sorted(finds):
        return False
    last, first = said[finds.index(True) - 1][0], said[finds.index(True)][0]
    between = text.body[text.body.rfind("\n", 0, last) + 1 : first][-MAX_BETWEEN:]
    return _CHANGED.search(between) is not None and _SURROUNDINGS.search(between) is None


def _count(text: Text, facts: Collected) -> None:
    for offset, line in text.lines_with("device_count", "xpu count", "xpu device count"):
        count = _COUNT.search(text.body, offset, text.end_of_next(offset + len(line))) or _COUNT_WORDS.search(
            text.body, offset, offset + min(len(line), 2000)
        )
        if count:
            facts.put("xpu.device_count", int(count[1]), text.place(count.start()))
            break
