"""Reads the version of the kernel, its command line, and what it logged of the GPU."""

from __future__ import annotations

import re
from itertools import islice

from xpu_doctor.model.facts import LogLine
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_KERNEL = late_pattern(
    r"""
    \b(?:linux[ ])?kernel(?:[ ]version|:|=|[ ]release)?\W{0,4}
    (?:is[ ]|ist[ ]|est[ ]|linux[ ])?v?(?P<after>\d\.\d{1,2}(?:\.\d{1,3})?(?:-[\w.]{1,40}){0,8})
    \b
    | \b(?P<before>[456]\.\d{1,2}(?:\.\d{1,3})?(?:-[\w.-]{1,60})?)
    [ ]kernel\b
    """,
    re.VERBOSE | re.IGNORECASE,
)
_UNAME_WORDS = (
    "linux ",
    "#",
    "smp",
    "-generic",
    "-arch",
    "-pve",
    "-microsoft",
    ".fc",
    "-amd64",
    "-zen",
    "-lts",
    "-default",
    ".el",
    "-cachyos",
    "-oem",
    "-hwe",
)
_UNAME = late_pattern(
    r"(?m)^" + MARGIN + r"(?:Linux \S{1,80} )?(\d\.\d{1,2}\.\d{1,3}-[\w.+-]{2,60})(?: #\d| SMP|\s{0,200}$)"
)
_FLAVOURED = late_pattern(
    r"""
    (?<![\w.-])(?P<named>[3-7]\.\d{1,2}\.\d{1,3}-(?:\d{1,4}[.-]){0,3}
    (?:amd64|generic|lowlatency|pve|azure|aws|gcp|oem|hwe|zen\d|arch\d|lts|cachyos|xanmod\d|default)(?:-\d{1,3})?)(?!\w|\.\w)
    """,
    re.VERBOSE,
)
"""A release as only a kernel has it, wherever it stands."""
_FLAVOURS = (
    "-amd64",
    "-generic",
    "-lowlatency",
    "-pve",
    "-azure",
    "-aws",
    "-gcp",
    "-oem",
    "-hwe",
    "-zen",
    "-arch",
    "-lts",
    "-cachyos",
    "-xanmod",
    "-default",
)
_DMESG = late_pattern(
    r"""
    ^[^\n]{0,80}\b(?:i915|xe)\b[ ](?:0000:)?[0-9a-f]{2}:[0-9a-f]{2}\.\d[^\n]{1,240}$
    | ^[^\n]{0,60}\b(?:i915|xe):[ ][^\n]{1,200}$
    """,
    re.VERBOSE | re.MULTILINE,
)
_CMDLINE = late_pattern(
    r"""
    \b(?P<parameter>(?:i915|xe)\.(?:force_probe|enable_guc|modeset|enable_hangcheck)=\S{1,40}
        | nomodeset|module_blacklist=\S{1,80}|modprobe\.blacklist=\S{1,80})
    """,
    re.VERBOSE,
)


def parse(text: Text, facts: Collected) -> None:
    """Read the kernel from a text."""
    for pattern, words in ((_UNAME, _UNAME_WORDS), (_KERNEL, ("kernel",)), (_FLAVOURED, _FLAVOURS)):
        found = text.first(pattern, *words)
        if found and (pattern is _KERNEL or facts.get("machine.os") != "windows"):
            facts.put("kernel.version", next(group for group in found.groups() if group), text.place(found.start()))
            break
    logged = islice(text.matches(_DMESG, "i915 ", "i915:", "xe ", "xe:"), 64)
    lines = [LogLine(match[0].strip()[:300], text.place(match.start())) for match in logged]
    if lines:
        facts.block("dmesg")
        facts.put("kernel.gpu_log", tuple(lines), lines[0].source)
    found_words = tuple(
        dict.fromkeys(match[1] for match in text.matches(_CMDLINE, "i915.", "xe.", "nomodeset", "blacklist"))
    )
    if found_words:
        facts.put("kernel.command_line", found_words, text.name)
