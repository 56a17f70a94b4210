"""Reads driver versions: distribution packages, collect_env's driver lines, clinfo and Windows driver numbers."""

from __future__ import annotations

import re

from xpu_doctor.model.facts import Package
from xpu_doctor.pasted.readers.collected import MARGIN, Collected, Text
from xpu_doctor.text.late_pattern import late_pattern

_PACKAGE = late_pattern(
    r"""
    ^[>|* \t\xa0\u3000]{0,200}(?:ii\s{1,40})?
    (?P<name>(?:lib)?(?:intel-(?:level-zero-gpu|opencl-icd|opencl|compute-runtime
        | level-zero|igc[^\s/]{0,40}|ocloc|gsc|graphics-compiler)|ze-?intel-gpu(?:1
        | -legacy1)?|ze1|ze-loader|igc\d|igdgmm\d*|level-zero(?:-loader|-devel)?
        | igdfcl\d|oneapi-level-zero))(?:/\S{1,60})?
    (?::amd64)?(?:[ ]is[ ]already[ ]the[ ]newest[ ]version[ ]\(|[:\s=]{1,6})
    [vV]?(?P<version>\d[\w.+~:-]{0,80})
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)
_BUILD = late_pattern(
    r"\b(?:(2[0-9])\.(\d{2})\.(?:0)?(\d{5,6})(?:[.+-]\d{1,9})?|1\.(\d{1,2})\.(\d{5})(?:[+.]\d{1,9})?)\b"
)
_RELEASE = late_pattern(r"(?i)\b(?:compute[- ]runtime|NEO|driver)\W{1,3}(?:version )?v?(2[0-9])\.(\d{2})\b")
_WINDOWS = late_pattern(
    r"""
    \b(?P<driver>3[012]\.0\.(?:100|101)\.\d{4,5}|2[0-9]\.20\.100\.(?:\d{4,5}
        | x))(?![\w.])
    | (?i:\b(?:arc[ ])?driver(?:[ ]version)?:?[ ](?P<short>\d{4})\b)
    """,
    re.VERBOSE,
)
_UPGRADED = late_pattern(
    r"""
    \b(?:updat|upgrad)(?:e[sd]?|ing)\b[^\n;]{0,60}?\bfrom[ ](?:version[ ])?2[0-9]\.\d{2}(?:\.\d{5,6})?[\w.+~-]{0,20}
    [ ]to[ ](?:version[ ])?(?P<newer>2[0-9]\.\d{2}\.\d{5,6}(?:\.\d{1,9})?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""An upgrade: what is in use is the version that it ends with."""
_ALONE = late_pattern(MARGIN + r"2[0-9]\.\d{2}\.\d{5,6}[\w.+~-]{0,40}\s{0,200}")
"""A version that stands alone, as the answer to a command in the line before."""
_FILTERED = late_pattern(
    r"\b(?:dpkg|apt|rpm|dnf|yum|pacman|zypper)\b[^\n|]{0,120}(?:\|[^\n]{0,80}\b(?:e?grep|rg|awk|head|tail)\b| [\"']?\*?[\w-]{2,40}\*)"
)
DRIVER_WORDS = ("driver", "runtime", "neo", "level-zero", "level_zero", "level zero", "libze", "opencl")
"""Words of the lines in which a driver's version is looked for."""
_LOADER = {"libze1", "level-zero", "level-zero-loader", "oneapi-level-zero", "libze-loader"}
_GPU = {
    "libze-intel-gpu1",
    "intel-level-zero-gpu",
    "libze-intel-gpu",
    "intel-opencl-icd",
    "intel-compute-runtime",
    "libze-intel-gpu-legacy1",
}


_ASKED_FOR = late_pattern(
    r"(?P<prompt>^[^\n]{0,120}?[$#] )(?:sudo )?(?:dpkg -l|rpm -qa|apt list --installed|pacman -Q|dnf list installed|zypper se -i)\b[^\n|]{0,60}\|"
    r" ?e?grep (?:-\w+ )?[^\n]{0,40}\b(?:libze|level-zero|opencl-icd|compute-runtime)"
)
"""A look for the packages of the compute driver."""


def _none_listed(text: Text, facts: Collected) -> None:
    """Note that a look for the packages of the compute driver listed none: the next prompt stands right below it."""
    for offset, line in text.lines_with("libze", "level-zero", "opencl-icd", "compute-runtime"):
        asked = _ASKED_FOR.match(line[:400])
        if asked is None:
            continue
        end = offset + len(line)
        below = text.body[end + 1 : text.end_of_next(end)]
        mark = asked["prompt"].split()[-1]
        if below.strip() and (
            below.startswith(asked["prompt"].rstrip())
            or re.match(rf"[^\n]{{0,80}}[\w~/:@-]\]?{re.escape(mark)}(?: |$)", below)
        ):
            facts.put("pasted.no_driver_packages", True, text.place(offset))


def parse(text: Text, facts: Collected) -> None:
    """Read driver versions from a text."""
    for offset, line in text.lines_with(
        "level-zero", "libze", "opencl", "compute-runtime", "igc", "igdgmm", "ocloc", "intel-gsc"
    ):
        match = _PACKAGE.search(line[:4096])
        if match:
            name = match[1].lower()
            place = text.place(offset)
            if name not in facts.packages:
                facts.packages[name] = Package(name, match[2], "dpkg")
                facts.sources.setdefault("pasted.packages", place)
                facts.block("packages")
            if name in _LOADER:
                facts.put("pasted.loader_version", match[2], place)
            elif name in _GPU:
                facts.put("pasted.driver_version", match[2], place)
    if facts.packages and text.first(_FILTERED, "dpkg", "apt", "rpm", "dnf", "pacman", "zypper"):
        facts.put("pasted.packages_filtered", True, facts.sources["pasted.packages"])
    else:
        _none_listed(text, facts)
    version = facts.get("pasted.driver_version")
    if version is None:
        for offset, line in text.lines_with(*DRIVER_WORDS):
            after = text.body[offset + len(line) + 1 : text.end_of_next(offset + len(line))]
            found = _BUILD.search(line[:4096]) or _RELEASE.search(line[:4096]) or _ALONE.fullmatch(after)
            if found:
                newer = _UPGRADED.search(line[:4096])
                version = newer["newer"] if newer else found[0]
                facts.put("pasted.driver_version", version, text.place(offset))
                break
    build = build_of(str(version)) if version else 0
    if build:
        facts.put("pasted.driver_build", build, facts.sources["pasted.driver_version"])
    for offset, line in text.lines_with("32.0.", "31.0.", "30.0.", ".20.100.", "driver"):
        windows = _WINDOWS.search(line[:4096])
        if windows and (windows[1] or facts.get("machine.os") == "windows"):
            facts.put("pasted.windows_driver", windows[1] or f"31.0.101.{windows[2]}", text.place(offset))


def build_of(version: str) -> int:
    """Return the build number that all spellings of a compute-runtime version share, or 0."""
    found = _BUILD.search(version)
    if found:
        return int(found[3] or found[5])
    return 0
