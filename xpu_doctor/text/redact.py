"""The one choke point for names of people and machines, addresses, and secrets: nothing leaves in an output around it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any

from xpu_doctor.text.private_patterns import MAY_HOLD, PATTERNS, UNNUMBERED, Pattern
from xpu_doctor.text.word_index import Searched

NOT_A_USER = frozenset({"public", "default", "all users", "shared", "runner", "user", "username"})
NOBODY = NOT_A_USER | frozenset(
    {
        "root", "nobody", "admin", "administrator", "daemon", "video", "render", "audio", "disk", "tty", "wheel", "users", "adm", "sudo", "plugdev",
        "lpadmin", "docker", "lxd", "input", "kvm", "intel", "torch", "pytorch", "python", "xpu", "gpu", "cpu", "arc", "host", "container",
        "localhost", "machine", "windows", "linux", "ubuntu", "debian", "fedora", "server", "desktop", "laptop", "home", "work", "test", "dev",
        "build", "ci", "git", "github", "gitlab", "vllm", "comfyui", "ollama", "app", "jenkins", "none", "null", "true", "false", "the", "conda",
        "base", "env", "venv", "main", "local", "data", "opt", "usr", "var", "tmp", "level_zero", "opencl", "driver", "kernel", "i915", "xe", "ip",
        "system", "docker-desktop", "workstation", "sycl", "mint", "version", "release", "proxmox", "unraid", "truenas", "wsl", "wsl2", "arch", "rhel",
        "nixos", "yes", "no", "unknown",
    }
)  # fmt: skip
"""Names of the system, and words that a text holds for other reasons: they point at nobody."""


class Redactor:
    """Replaces names, addresses, identifiers and secrets; the same value always gets the same placeholder (`<user1>`, `<ip2>`).

    `words` are the user's own: each is replaced wherever it stands between characters that are neither letters nor digits, in any case.
    """

    def __init__(self, users: Iterable[str] = (), hosts: Iterable[str] = (), words: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        self._words = tuple(dict.fromkeys(word.lower() for word in words if word.strip()))
        self._placeholders: dict[str, dict[str, str]] = {}
        for name in hosts:
            self._learn(name, "host")
        for name in users:
            self._learn(name, "user")

    @property
    def hidden(self) -> Mapping[str, int]:
        """How many different values of each kind were replaced so far: `user`, `host`, `ip`, `secret` ..."""
        return {kind: len(values) for kind, values in sorted(self._placeholders.items())}

    def text(self, text: str, tokens: Iterable[str] = ()) -> str:
        """Return a text without what is private; its tokens, where they are known, make the quick looks quicker."""
        if not text:
            return text
        text = self._without_words(text)
        text = self._without_names(
            text, [name for name in self._names if " " in name]
        )  # before the first of their words is taken for the whole
        searched = Searched(text)
        looked_at = "\n".join(tokens) or text
        lines: dict[int, str] = {}
        for pattern in PATTERNS:
            if (
                MAY_HOLD[pattern.look](looked_at)
                if pattern.look
                else any(mark in searched.lowered for mark in pattern.marks)
            ):
                for number in _lines_of(pattern, searched):
                    lines[number] = self._replaced(pattern, lines.get(number) or searched.line(number))
        return self._without_names(_with_lines(searched, lines), self._names)

    def values(self, value: Any) -> Any:
        """Return plain JSON values with every text redacted; keys stay. A name that one text shows is hidden in all of them."""
        known = len(self._names)
        result = self._each(value)
        return result if len(self._names) == known else self._each(value)

    def hide(self, value: str, kind: str) -> str:
        """Return what stands for a value that is private whatever it looks like."""
        return self._placeholder(kind, value)

    def _each(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._each(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._each(item) for item in value]
        return value

    def _learn(self, name: str, kind: str) -> None:
        """Remember a name, so that it is replaced wherever it stands."""
        self._names.setdefault(name.lower(), kind)

    def _placeholder(self, kind: str, value: str) -> str:
        """Return what stands for a value, and count it."""
        values = self._placeholders.setdefault(kind, {})
        return values.setdefault(value.lower(), f"<{kind}>" if kind in UNNUMBERED else f"<{kind}{len(values) + 1}>")

    def _replaced(self, pattern: Pattern, line: str) -> str:
        """Replace what a pattern finds in a line: its first group, else the whole."""

        def placeholder(match: re.Match[str]) -> str:
            group = 1 if match.re.groups else 0
            value = match[group]
            if not value or value.startswith("<") or (pattern.keeps and pattern.keeps(match)):
                return match[0]
            if pattern.is_name:
                if value.lower() in NOT_A_USER:
                    return match[0]
                self._learn(value, pattern.kind)
            start, end = (match.start(group) - match.start(), match.end(group) - match.start())
            kind = self._names.get(value.lower(), pattern.kind) if pattern.is_name else pattern.kind
            return match[0][:start] + self._placeholder(kind, value) + match[0][end:]

        return pattern.compiled.sub(placeholder, line)

    def _without_words(self, text: str) -> str:
        if not self._words:
            return text
        alternation = _alternation(self._words)
        return re.sub(
            rf"(?i)(?<![^\W_])(?<!<){alternation}(?![^\W_])", lambda match: self._placeholder("word", match[0]), text
        )

    def _without_names(self, text: str, names: Iterable[str]) -> str:
        """Replace known names where they stand as a whole word, never inside another one; the longest of them first."""
        if not names:
            return text
        lowered = text.lower()
        present = tuple(name for name in names if name in lowered and len(name) > 1 and name not in NOBODY)
        if not present:
            return text
        return _whole_words(present).sub(
            lambda match: self._placeholder(self._names.get(match[0].lower(), "user"), match[0]), text
        )


@lru_cache(maxsize=16)
def _whole_words(names: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(rf"(?i)(?<![\w<.-]){_alternation(names)}(?![\w>-])")


def _alternation(words: Iterable[str]) -> str:
    """Return a pattern for any of these words, the longest first, which looks at each letter of a text once: common beginnings are shared."""
    ends = ""
    branches: list[str] = []
    for first, group in groupby(sorted(set(words)), key=lambda word: word[:1]):
        same = list(group)
        if not first:
            ends = "?"
            continue
        shared = os.path.commonprefix(same)  # noqa: RUF071 - of letters, not of folders
        branches.append(
            re.escape(shared) + (_alternation(word[len(shared) :] for word in same) if len(same) > 1 else "")
        )
    return f"(?:{'|'.join(branches)}){ends}"


def _lines_of(pattern: Pattern, text: Searched) -> Sequence[int]:
    """Return the numbers of the lines that may hold what a pattern finds."""
    if pattern.marks:
        return text.numbers_with_any(pattern.marks)
    may_hold = MAY_HOLD[pattern.look]
    return [number for number in range(1, len(text.starts) + 1) if may_hold(text.line(number))]


def _with_lines(text: Searched, lines: Mapping[int, str]) -> str:
    """Return a text in which some lines are others."""
    return "".join(_pieces(text, lines)) if lines else text.body


def _pieces(text: Searched, lines: Mapping[int, str]) -> Iterator[str]:
    done = 0
    for number in sorted(lines):
        start, end = text.span(number)
        yield text.body[done:start]
        yield lines[number]
        done = end
    yield text.body[done:]


def redactor_here(
    environment: Mapping[str, str] | None = None, words: Iterable[str] = (), users: Iterable[str] = ()
) -> Redactor:
    """Return a redactor that knows this machine's user and host names, further users, and the user's own words."""
    variables = os.environ if environment is None else environment
    named = {variables.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    home = os.path.basename(variables.get("HOME") or variables.get("USERPROFILE") or "")
    node = os.uname().nodename if hasattr(os, "uname") else variables.get("COMPUTERNAME", "")
    hosts = {node, variables.get("HOSTNAME", ""), variables.get("COMPUTERNAME", "")}
    return Redactor(_worth_hiding({*named, *users, home}), _worth_hiding(hosts), words)


def _worth_hiding(names: Iterable[str]) -> tuple[str, ...]:
    """Names that could point at a person or a machine; `root` and `localhost` point at nobody."""
    return tuple(
        sorted(
            name for name in names if len(name) > 1 and name.lower() not in ("root", "localhost", "home", *NOT_A_USER)
        )
    )
