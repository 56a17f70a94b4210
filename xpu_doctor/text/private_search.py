"""Finds private values in a text by the rows that say what they look like, and tells names from the words by which texts are diagnosed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property, lru_cache

from xpu_doctor.text.late_pattern import late_pattern
from xpu_doctor.text.name_patterns import COLUMN_MARKS, COLUMNS, MAX_ROWS, NAME_PATTERNS
from xpu_doctor.text.packaged import packaged_text
from xpu_doctor.text.private_patterns import BLIND, FIRST, MAY_HOLD, NAMES, PRIVATE, Pattern
from xpu_doctor.text.prose_patterns import PROSE_NAMES, PROSE_SECRETS
from xpu_doctor.text.secret_patterns import SECRETS
from xpu_doctor.text.site_patterns import INDEX_HOSTS, NAMED_HOSTS
from xpu_doctor.text.word_index import IndexedText, WordTable


class PatternTable:
    """Rows in their order, ready to be held against texts."""

    def __init__(self, rows: Iterable[Pattern]) -> None:
        self.rows = tuple(rows)

    @cached_property
    def _by_mark(self) -> Mapping[str, Sequence[int]]:
        places: dict[str, list[int]] = {}
        for place, row in enumerate(self.rows):
            for mark in () if row.look else row.marks:
                places.setdefault(mark, []).append(place)
        return places

    @cached_property
    def _looking(self) -> tuple[int, ...]:
        return tuple(place for place, row in enumerate(self.rows) if row.look)

    def held_by(self, text: IndexedText) -> Sequence[Pattern]:
        """Return those rows of which a text holds what every match of theirs holds."""
        by_mark = self._by_mark
        places = {place for mark in _marks_in(text) for place in by_mark.get(mark, ())}
        places.update(place for place in self._looking if _may_hold(self.rows[place].look, text))
        return [self.rows[place] for place in sorted(places)]


EVERYWHERE = PatternTable((*SECRETS, *PROSE_SECRETS, *FIRST, *INDEX_HOSTS, *PRIVATE))
"""What is looked for in every text, in this order: what may hold other values first."""
_NAMED: tuple[Pattern, ...] = (*NAME_PATTERNS, *PROSE_NAMES, *NAMED_HOSTS, *INDEX_HOSTS)
NAMED = PatternTable(pattern for pattern in _NAMED if pattern.learns)
"""Where names of people and machines stand in a text that somebody pasted, which are then hidden everywhere."""
PASTED = PatternTable((*SECRETS, *PROSE_SECRETS, *FIRST, *_NAMED, *PRIVATE))
"""All that is looked for there."""

NOT_A_USER = frozenset(
    {
        "public",
        "default",
        "all users",
        "shared",
        "runner",
        "user",
        "username",
        "root",
        "localhost",
        "nobody",
        "you",
        "yourname",
        "name",
    }
)
"""Names that point at nobody wherever they stand."""
NOBODY = NOT_A_USER | frozenset(
    {
        "admin", "administrator", "daemon", "video", "render", "audio", "disk", "tty", "wheel", "users", "adm", "sudo", "plugdev",
        "lpadmin", "docker", "lxd", "input", "kvm", "intel", "torch", "pytorch", "python", "xpu", "gpu", "cpu", "arc", "host", "container",
        "machine", "windows", "linux", "ubuntu", "debian", "fedora", "server", "desktop", "laptop", "home", "work", "test", "dev",
        "build", "ci", "git", "github", "gitlab", "vllm", "comfyui", "ollama", "app", "jenkins", "none", "null", "true", "false", "the", "conda",
        "base", "env", "venv", "main", "local", "data", "opt", "usr", "var", "tmp", "level_zero", "opencl", "driver", "kernel", "i915", "xe", "ip",
        "system", "docker-desktop", "workstation", "sycl", "mint", "version", "release", "proxmox", "unraid", "truenas", "wsl", "wsl2", "arch", "rhel",
        "nixos", "yes", "no", "unknown", "frigate", "immich", "jellyfin", "plex", "homeassistant", "hass", "invokeai", "sdnext", "automatic", "webui",
        "kohya", "forge", "whisper", "llama", "openvino", "portainer", "jovyan", "vscode", "node", "redis", "postgres", "mysql", "www-data", "systemd",
        "sshd", "polkitd", "messagebus", "syslog", "nvidia", "triton", "max", "iris", "zero", "oneapi", "and", "or", "then", "to", "on", "in", "is",
        "are", "as", "of", "by", "at", "it", "not", "was", "for", "from", "with", "this", "that", "me", "my", "your", "we", "they", "he", "she", "an",
        "be", "if", "so", "do", "but", "has", "have", "will", "can", "all", "any", "service", "gdm", "lightdm", "nixbld", "staff", "storage", "power",
        "network", "operator", "backup", "bin", "sys", "mail", "man", "lp", "games", "crontab", "sambashare", "cdrom", "dip", "netdev", "src", "steam",
        "http", "https", "file", "com", "org", "net", "usb", "pci", "dri", "card", "reboot", "runlevel", "shutdown", "wtmp", "total",
    }
)  # fmt: skip
"""Names of the system, and words that a text holds for other reasons."""
STANDS_FOR_SOMEBODY = late_pattern(r"(?i)[^\w]|_{2}|x{2,200}$|\*|your|redacted|anonym|username|\d{1,200}$")
"""What people write in place of a name."""


@cache
def _field_words() -> frozenset[str]:
    """Return the words of the tables and parsers; `tools/update_field_words.py` writes them."""
    return frozenset(packaged_text("data", "field_words.txt").split())


def is_a_word(name: str) -> bool:
    """Return whether a name, in lower case, is a word by which texts are diagnosed, or one of the system: elsewhere in a text it is no name."""
    return name in NOBODY or name in _field_words()


@cache
def _marks() -> WordTable:
    return WordTable(mark for pattern in PASTED.rows for mark in pattern.marks)


@lru_cache(maxsize=2)
def _marks_in(text: IndexedText) -> frozenset[str]:
    """Return the marks of all rows that a text holds."""
    return _marks().present(text)


def _may_hold(look: str, text: IndexedText) -> bool:
    """Return whether a quick look sees in a text what every match of a row holds."""
    return MAY_HOLD[look](text.distinct if look in BLIND else text.body)


def lines_of(pattern: Pattern, text: IndexedText) -> Sequence[int]:
    """Return the numbers of the lines in which a row's values may stand."""
    if pattern.look:
        may_hold = MAY_HOLD[pattern.look]
        return [number for number in range(1, len(text.starts) + 1) if may_hold(text.line(number))]
    numbers = text.numbers_with_any(pattern.marks)
    if pattern.previous:
        asked = re.compile(pattern.previous, re.IGNORECASE)
        return [below for number in numbers if asked.search(text.line(number)) and (below := _next_line(text, number))]
    if pattern.within:
        within = re.compile(pattern.within, re.IGNORECASE)
        return [number for number in numbers if within.search(text.line(number))]
    return numbers


def _next_line(text: IndexedText, number: int) -> int:
    """Return the number of the next line that is not empty, or 0."""
    return next(
        (below for below in range(number + 1, min(number + 3, len(text.starts)) + 1) if text.line(below).strip()), 0
    )


def found(pattern: Pattern, line: str) -> Iterator[tuple[str, int, int]]:
    """Yield the kind, the beginning and the end of each private value that a row finds in a line."""
    at = 0
    while match := pattern.compiled.search(line, at):
        at = max(match.end(), match.start() + 1)
        for kind, group in pattern.groups:
            value = match[group]
            if not value or value.startswith("<") or (pattern.keeps and pattern.keeps(match, value)):
                continue
            start = match.start(group)
            if kind in NAMES:
                value = value.rstrip(".-")
                if not _is_a_name(pattern, value):
                    continue
            at = max(at, start + len(value))  # a value is not searched for others
            yield kind, start, start + len(value)


def _is_a_name(pattern: Pattern, value: str) -> bool:
    name = value.lower()
    if name in NOT_A_USER or STANDS_FOR_SOMEBODY.match(name):
        return False
    return pattern.sure or (len(name) > 1 and not is_a_word(name))


def in_columns(text: IndexedText) -> Iterator[tuple[str, str]]:
    """Yield the kinds and the values of columns of tables: the users of `ps`, the nodes of `squeue`, the serial numbers of `lsblk`."""
    for number in text.numbers_with_any(COLUMN_MARKS):
        line = text.line(number)
        for kind, heading, form in COLUMNS:
            if len(line) < 400 and form.search(line):
                names = [name.split("(")[0] for name in line.upper().split()]
                if heading in names:
                    yield from ((kind, value) for value in _column(text, number, names.index(heading), len(names)))


def _column(text: IndexedText, heading: int, place: int, columns: int) -> Iterable[str]:
    """Return the values below a heading, up to the first line that is no row."""
    for number in range(heading + 1, min(len(text.starts), heading + MAX_ROWS) + 1):
        cells = text.line(number).split()
        if not place < len(cells) or len(cells) + 2 < min(columns, place + 1):
            return
        value = cells[place].strip(",+")
        if re.fullmatch(r"[A-Za-z0-9][\w.-]{1,62}", value):
            yield value
