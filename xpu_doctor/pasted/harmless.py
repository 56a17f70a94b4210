"""What commands may be made of where the facts came from a file or a paste: words of the doctor's own tables, versions, placeholders. Pure.

Whoever sends a report to a support engineer chooses every string in it. Remedies are therefore not built from these strings: the
snapshot is copied, each string that is neither a known word nor a version gives way to a placeholder, and the remedies are those
of the copy.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from xpu_doctor.model.codec import decode, encode
from xpu_doctor.model.findings import Remedy
from xpu_doctor.model.snapshot import Snapshot
from xpu_doctor.model.terms import UNNAMED_HYPERVISOR
from xpu_doctor.model.unknown import Unknown
from xpu_doctor.pasted.readers.applications import NAMES
from xpu_doctor.remedies.known_words import HYPERVISORS, KNOWN, packages, table_words
from xpu_doctor.tables.layouts import pythons
from xpu_doctor.tables.variables import known_variables
from xpu_doctor.text.late_pattern import late_pattern

SOMETHING = "SOMETHING"
"""Stands for a string that is not known."""
PLACEHOLDERS: Mapping[str, str] = {
    "prefix": "PATH/TO/ENVIRONMENT",
    "base_prefix": "PATH/TO/PYTHON",
    "project": "PATH/TO/PROJECT",
    "user": "USER",
}
"""Stand for facts that commands name, by the name of the field."""
EMPTIED: Mapping[str, Any] = {"settings": [], "plugins": {}, "sources": [], "failures": [], "leftovers": []}
"""Lists that no command may rest on: settings bring network and TLS options, leftovers are folders to delete."""
UNKNOWN = {"reason": SOMETHING, "fact": ""}
NUMBERED = frozenset({"group_id"})
"""Numbers that commands name and that a file does not know better than the machine."""
GROUPS = frozenset({"render", "video"})

_VERSION = r"v?\d{1,10}(?:[.:]\d{1,10}){0,6}"
_RELEASE = late_pattern(
    _VERSION
    + r"(?:(?:a|b|rc|\.dev|\.post)\d{1,10}){0,3}(?:\+(?:xpu|cpu|cxx11\.abi|cu\d{2,3}|rocm\d(?:\.\d){0,2}|git[0-9a-f]{4,40}|\d{1,10}))?"
)
"""A version of a Python package, with a label that is known."""
_VERSION_OF_A_SYSTEM = late_pattern(
    _VERSION + r"(?:[-+~._](?:\d{1,10}|generic|amd64|x86_64|fc\d\d|el\d{1,2}|arch|hwe|ubuntu|ppa|deb)){0,8}"
)
_PLACEHOLDER = late_pattern(r"\bPATH[/\\]TO\b[^\s,;:()]*|\b(?:SOMETHING|GROUP|NAME)\b")
_IN_BRACKETS = late_pattern(r" \([^()]*\)")
_BETWEEN_SENTENCES = late_pattern(r"(?<=[.:;!?]) +(?=[A-Z])")
_NODE = late_pattern(r"/dev/(?:dri/(?:renderD|card)\d{1,4}|dri|dxg)")
_ADDRESS = late_pattern(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]")
_DEVICE = late_pattern(r"xpu(?::\d{1,3})?|cpu")
_SELECTOR = late_pattern(
    r"(?:(?:level_zero|opencl|native_cpu|cuda|hip|host|gpu|cpu|FLAT|COMPOSITE|COMBINED)|[*!:;,.\d]){1,80}"
)
_WORD = late_pattern(r"[A-Za-z][A-Za-z0-9_.+-]{1,63}")
_REQUIREMENT = late_pattern(
    rf"([A-Za-z0-9][\w.-]{{0,60}}?)\s*\(?\s*((?:[=<>!~]=?=?\s*{_VERSION}(?:\.\*)?\s*,?\s*){{0,4}})\)?(?:\s*;\s*(.{{1,200}}))?"
)
_SYSTEM = late_pattern(r"""(?:platform_system|sys_platform) == ["'](?:Linux|Windows|linux|win32)["']""")
_PART = late_pattern(
    r"[A-Za-z]:|lib\d{0,2}|bin|usr|opt|etc|Lib|Scripts|Library|site-packages|dist-packages|python3?(?:\.\d{1,2})?(?:\.exe)?|torch|intel|oneapi"
    rf"|torch-{_VERSION}(?:\+(?:xpu|cpu|cu\d{{2,3}}))?\.dist-info"
)


def offered(snapshot: Snapshot) -> Snapshot:
    """Return the snapshot from which remedies for a file or a paste may be built."""
    return dataclasses.replace(decode(_value(encode(snapshot), "", "")), origin=snapshot.origin)


def in_words(remedy: Remedy) -> Remedy:
    """Return a remedy that was built from the copy without its placeholders in what people read: they are for lines to type."""
    why = _IN_BRACKETS.sub(lambda match: "" if _PLACEHOLDER.search(match[0]) else match[0], remedy.why)
    sentences = [part for part in _BETWEEN_SENTENCES.split(why) if not _PLACEHOLDER.search(part)]
    return dataclasses.replace(remedy, title=_PLACEHOLDER.sub("it", remedy.title), why=" ".join(sentences))


def holds_foreign(typed: str, snapshot: Snapshot) -> bool:
    """Return whether lines to type hold a string of a snapshot of a text that no command may hold; reasons of the doctor's own are none."""
    return bool(typed) and _holds(typed, _known(snapshot), "", "")


def _known(snapshot: Snapshot) -> dict[str, Any]:
    """Return what a snapshot knows as plain JSON values; of a text most is unknown."""
    groups = {name: getattr(snapshot, name) for name in snapshot.__dataclass_fields__ if name not in EMPTIED}
    known: dict[str, Any] = msgspec.to_builtins(
        {
            name: {field: value for field, value in vars(group).items() if type(value) is not Unknown}
            if dataclasses.is_dataclass(group) and not isinstance(group, Unknown)
            else group
            for name, group in groups.items()
            if type(group) is not Unknown
        }
    )
    return known


def _holds(typed: str, value: Any, name: str, group: str) -> bool:
    if isinstance(value, str):
        return value in typed and _text(value, name, group) != value
    # Loops, not any(): this walks every fact of every text.
    if isinstance(value, dict):
        for key, item in value.items():
            if item and item is not True and key not in EMPTIED and _holds(typed, item, key, name or group):
                return True
    elif isinstance(value, (list, tuple)):
        for item in value:
            if item and _holds(typed, item, name, group):
                return True
    return False


def _value(value: Any, name: str, group: str) -> Any:
    """Return a plain JSON value with placeholders in it; `name` is the field that holds it, `group` the one above."""
    if name in EMPTIED:
        return EMPTIED[name]
    if name in NUMBERED:
        return UNKNOWN
    if isinstance(value, str):
        return _text(value, name, group)
    if isinstance(value, dict):
        return {key: _value(item, key, name or group) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_value(item, name, group) for item in value]
    return value


def _text(value: str, name: str, group: str) -> str:
    if not value:
        return value
    if name in PLACEHOLDERS:
        return PLACEHOLDERS[name]
    if name == "executable":
        if value in pythons():
            return value
        return "PATH\\TO\\python.exe" if "\\" in value else "PATH/TO/python"
    if name in ("group", "account_groups"):
        return value if value in GROUPS or (value.isascii() and value.isdigit() and len(value) < 10) else "GROUP"
    if name == "hypervisor":
        return value if value in HYPERVISORS else UNNAMED_HYPERVISOR
    if name == "requires":
        return _requirement(value)
    if name in ("version", "metadata_version") and group in ("torch", "installed", "imported"):
        return value if _RELEASE.fullmatch(value) else "0"
    if name == "name" and group == "variables":
        return value if value in known_variables() else SOMETHING
    if name in ("signature", "code", "layout"):
        return value  # a key of a table, and nothing where it is none
    return _shaped(value)


def _shaped(value: str) -> str:
    """Return a string of no special field: a known word, a version, a device or a path without foreign names; else a placeholder."""
    if value in KNOWN or value in NAMES or _VERSION_OF_A_SYSTEM.fullmatch(value) or _RELEASE.fullmatch(value):
        return value
    if any(pattern.fullmatch(value) for pattern in (_NODE, _ADDRESS, _DEVICE, _SELECTOR)):
        return value
    if _WORD.fullmatch(value):
        return value if value in table_words() else SOMETHING
    if "/" in value or "\\" in value:
        return _path(value)
    return SOMETHING


def _path(value: str) -> str:
    """Return a path that is none of a file system: known parts stay, so that a folder and what lies in it still agree."""
    if len(value) > 1000 or any(letter.isspace() for letter in value):
        return SOMETHING
    mark = "\\" if "\\" in value else "/"
    parts = [
        part if _PART.fullmatch(part) or part in table_words() else "NAME"
        for part in value.replace("\\", "/").split("/")
        if part
    ]
    return mark.join(("PATH", "TO", *parts)).replace(":", "")


def _requirement(value: str) -> str:
    """Return a requirement of a known package with a plain version; the condition is kept where it names a system alone."""
    match = _REQUIREMENT.fullmatch(value) if len(value) <= 300 else None
    if match is None or match[1] not in packages():
        return SOMETHING
    condition = match[3] or ""
    parts = re.split(r" (?:and|or) ", condition.strip()) if condition else []
    if not all(_SYSTEM.fullmatch(part) for part in parts):
        return SOMETHING
    return f"{match[1]}{match[2].strip()}" + (f" ; {condition}" if condition else "")
