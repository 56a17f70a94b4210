"""The one choke point for names of people and machines, addresses, and secrets: nothing leaves in an output around it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

_HOME = re.compile(r"(?i)((?:[a-z]:)?[\\/]+(?:home|users)[\\/]+)([^\\/\s\"':;<>|*?]+)")
"""A home folder: the component after /home, /Users or C:\\Users is a user's name."""
_WINDOWS_HOME = re.compile(r"(?i)(\b[a-z]:(?:\\{1,2}|/)users(?:\\{1,2}|/))([^\\/\r\n:*?\"<>|]{1,40})(?=\\|/|\"|(?<![ =-])>)")
"""The same on Windows, where names may hold blanks and apostrophes; a prompt or a quote may end them."""
_UNC = re.compile(r"(?<![\\\w:])(\\\\)([A-Za-z][\w-]{1,62})(?=\\[\w$])")
"""A machine's name before a share."""
NOT_A_USER = frozenset({"public", "default", "all users", "shared", "runner", "user", "username", "<user>"})
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
_URL_CREDENTIALS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@")
_EMAIL = re.compile(r"(?<![\w.+/-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?![\w@])")
_TOKEN = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|pypi-[\w-]{16,}"
    r"|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})"
)
_SECRET = re.compile(r"(?i)((?:token(?!iz)|passwd|password|secret|api[_-]?key|access[_-]?key)[\w-]{0,20}\s{0,3}[=:]\s{0,3})(?!<)[^\s,;'\"]{4,}")
_BEARER = re.compile(r"(?i)\b(authorization:\s{0,3}\w{1,10}\s+|bearer\s+)(?!<)[\w.~+/=-]{8,}")
_IPV4 = re.compile(r"(?<![\w.-])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.+]|-\w)")
_DOTS = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
"""What every IPv4 address holds: a quick look before the slow one."""
_LIKE_A_VERSION = re.compile(r"(?i)(?:version|driver|release|==|>=|<=|~=|\bv|build|wsl|kernel|runtime)[\s:=\"'(]{0,4}$")
_PACKAGE_ROW = re.compile(r"(?i)(?:^|[\s|])(?:nvidia|intel|onemkl|mkl|dpcpp|oneccl|torch|triton|lib\w+|cuda|level-zero)[\w.-]*[\s|]+$")
"""A package's name in a listing, alone before its version."""
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:.])|(?<![\w:.])fe80::[0-9a-f:]{2,30}", re.IGNORECASE)
_MAC = re.compile(r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])", re.IGNORECASE)
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{1,4}:")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")
"""One of these, or two colons in a row, is in every IPv6 or hardware address: a quick look before the slow ones."""
SECRET_WORDS = ("token", "passwd", "password", "secret", "key")
HARMLESS_ADDRESSES = ("127.", "0.0.0.0", "255.")  # noqa: S104


TOKEN_MARKS = ("hf_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "pypi-", "AKIA", "xox", "eyJ")
"""How tokens begin: one of these stands in every text that `_TOKEN` matches."""


Kind = tuple[Callable[[str], bool], re.Pattern[str], str | Callable[[re.Match[str]], str]]


def _may_hold_home(text: str) -> bool:
    lowered = text.lower()
    return "home" in lowered or "users" in lowered


def _may_hold_colons(text: str) -> bool:
    return "::" in text or bool(_COLONS.search(text) or _DASHES.search(text))


def _cleared(line: str, kinds: Iterable[Kind]) -> str:
    for may_hold, pattern, replacement in kinds:
        if may_hold(line):
            line = pattern.sub(replacement, line)
    return line


class Redactor:
    """Replaces names and secrets in texts; the same name always gets the same replacement."""

    def __init__(self, users: Iterable[str] = (), hosts: Iterable[str] = ()) -> None:
        self._names: dict[str, str] = {}
        for name in hosts:
            self._learn(name, "host")
        for name in users:
            self._learn(name, "user")

    def _learn(self, name: str, kind: str) -> str:
        """Remember a name; return its replacement."""
        key = name.lower()
        if key not in self._names:
            number = 1 + len({value for value in self._names.values() if value.startswith(f"<{kind}")})
            self._names[key] = f"<{kind}>" if number == 1 else f"<{kind}{number}>"
        return self._names[key]

    def text(self, text: str, tokens: Iterable[str] = ()) -> str:
        """Return a text without names, addresses and secrets; its tokens, where they are known, make the quick looks quicker."""
        looked_at = "\n".join(tokens) or text
        text = self._known_names(text, [name for name in self._names if " " in name])  # before the first of their words is taken for the whole
        asked = [(may_hold, pattern, replacement) for may_hold, pattern, replacement in self._kinds() if may_hold(looked_at)]
        if asked:
            text = "\n".join(_cleared(line, asked) for line in text.split("\n"))
        lowered = text.lower()
        if "bearer" in lowered or "authorization" in lowered:
            text = _BEARER.sub(r"\1<token>", text)
        if any(word in lowered for word in SECRET_WORDS):
            text = _SECRET.sub(r"\1<secret>", text)
        return self._known_names(text, self._names)

    def _kinds(self) -> tuple[Kind, ...]:
        """What is replaced within a line: a quick look whether it may be there at all, its pattern, and what comes in its place."""
        return (
            (lambda text: "://" in text and "@" in text, _URL_CREDENTIALS, r"\1<credentials>@"),
            (lambda text: any(mark in text for mark in TOKEN_MARKS), _TOKEN, "<token>"),
            (_may_hold_home, _WINDOWS_HOME, self._home),
            (_may_hold_home, _HOME, self._home),
            (lambda text: "\\\\" in text, _UNC, self._share),
            (lambda text: "@" in text, _EMAIL, "<email>"),
            (lambda text: bool(_DOTS.search(text)), _IPV4, _address),
            (_may_hold_colons, _IPV6, "<ip>"),
            (_may_hold_colons, _MAC, "<mac>"),
        )

    def _home(self, match: re.Match[str]) -> str:
        name = match[2]
        return match[0] if name.lower() in NOT_A_USER or name.startswith("<") else match[1] + self._learn(name, "user")

    def _share(self, match: re.Match[str]) -> str:
        return match[1] + self._learn(match[2], "host")

    def _known_names(self, text: str, names: Iterable[str]) -> str:
        """Replace these known names, the longest first, where they stand as a whole word, never inside another one."""
        lowered = text.lower() if names else ""
        for name in sorted(names, key=len, reverse=True):
            if len(name) > 1 and name not in NOBODY and name in lowered:
                text = re.sub(rf"(?i)(?<![\w<.-]){re.escape(name)}(?![\w>-])", self._names[name], text)
        return text

    def values(self, value: Any) -> Any:
        """Return plain JSON values with every text redacted; keys stay."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.values(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.values(item) for item in value]
        return value


def _address(match: re.Match[str]) -> str:
    """Keep loopback, and what is a version number by the word before it."""
    before = match.string[max(0, match.start() - 100) : match.start()]
    is_version = _LIKE_A_VERSION.search(before[-24:]) or _PACKAGE_ROW.search(before)
    return match[0] if is_version or match[0].startswith(HARMLESS_ADDRESSES) else "<ip>"


def redactor_here(environment: Mapping[str, str] | None = None) -> Redactor:
    """Return a redactor that knows this machine's user and host names."""
    variables = os.environ if environment is None else environment
    users = {variables.get(name, "") for name in ("USER", "LOGNAME", "USERNAME", "SUDO_USER")}
    home = os.path.basename(variables.get("HOME") or variables.get("USERPROFILE") or "")
    node = os.uname().nodename if hasattr(os, "uname") else variables.get("COMPUTERNAME", "")
    hosts = {node, variables.get("HOSTNAME", ""), variables.get("COMPUTERNAME", "")}
    return Redactor(_worth_hiding(users | {home}), _worth_hiding(hosts))


def _worth_hiding(names: Iterable[str]) -> tuple[str, ...]:
    """Names that could point at a person or a machine; `root` and `localhost` point at nobody."""
    return tuple(sorted(name for name in names if len(name) > 1 and name.lower() not in ("root", "localhost", "home", *NOT_A_USER)))


def redacted_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a snapshot's plain values without the names and secrets of this machine."""
    result: dict[str, Any] = redactor_here().values(facts)
    return result
