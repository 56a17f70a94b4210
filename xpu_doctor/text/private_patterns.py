"""What private values look like: one row for each kind of name, address, identifier and secret."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

UNNUMBERED = frozenset({"secret", "token", "credentials"})
"""Kinds of which no two values need to be told apart."""


@dataclass(frozen=True)
class Pattern:
    """A private value: its kind, a quick look for lines that may hold it, and the expression, whose first group (else the whole) is the value."""

    kind: str
    expression: str
    marks: tuple[str, ...] = ()
    """Words in lower case, of which every line that matches holds one."""
    look: str = ""
    """The name of another quick look, where no word is common to all matches."""
    keeps: Callable[[re.Match[str]], bool] | None = None
    """Says which matches are not private after all."""
    is_name: bool = False
    """Whether the value is a name, which is then replaced wherever it stands."""

    @cached_property
    def compiled(self) -> re.Pattern[str]:
        """The expression, compiled when a text first needs it."""
        return re.compile(self.expression, re.IGNORECASE if self.marks or self.look else 0)


_DOTS = re.compile(r"\.\d{1,3}\.\d{1,3}\.\d")
_COLONS = re.compile(r":[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{1,4}:")
_DASHES = re.compile(r"-[0-9A-Fa-f]{2}-[0-9A-Fa-f]{2}-")


def _may_hold_colons(text: str) -> bool:
    return "::" in text or bool(_COLONS.search(text) or _DASHES.search(text))


MAY_HOLD: Mapping[str, Callable[[str], bool]] = {
    "dots": lambda text: bool(_DOTS.search(text)),
    "colons": _may_hold_colons,
}
"""Quick looks for what every IPv4 address, and every IPv6 or hardware address holds."""

HARMLESS_ADDRESSES = ("127.", "0.0.0.0", "255.")  # noqa: S104
_LIKE_A_VERSION = re.compile(r"(?i)(?:version|driver|release|==|>=|<=|~=|\bv|build|wsl|kernel|runtime)[\s:=\"'(]{0,4}$")
_PACKAGE_ROW = re.compile(
    r"(?i)(?:^|[\s|])(?:nvidia|intel|onemkl|mkl|dpcpp|oneccl|torch|triton|lib\w+|cuda|level-zero)[\w.-]*[\s|]+$"
)
"""A package's name in a listing, alone before its version."""


def _is_no_address(match: re.Match[str]) -> bool:
    """Keep loopback, and what is a version number by the word before it."""
    before = match.string[max(0, match.start() - 100) : match.start()]
    is_version = _LIKE_A_VERSION.search(before[-24:]) or _PACKAGE_ROW.search(before)
    return bool(is_version) or match[0].startswith(HARMLESS_ADDRESSES)


PATTERNS: tuple[Pattern, ...] = (
    Pattern("credentials", r"\b[a-z][a-z0-9+.-]{0,30}://([^\s/@<]{1,500})@", ("://",)),
    Pattern(
        "token",
        r"\b(?:hf_[A-Za-z0-9]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|sk-[\w-]{16,}|pypi-[\w-]{16,}"
        r"|AKIA[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,})",
        ("hf_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "sk-", "pypi-", "akia", "xox", "eyj"),
    ),
    Pattern(
        "token",
        r"\b(?:authorization:\s{0,3}\w{1,10}\s{1,9}|bearer\s{1,9})([\w.~+/=-]{8,})",
        ("authorization", "bearer"),
    ),
    Pattern(
        "secret",
        r"(?:token(?!iz)|passwd|password|secret|api[_-]?key|access[_-]?key)[\w-]{0,20}\s{0,3}[=:]\s{0,3}([^<\s,;'\"][^\s,;'\"]{3,})",
        ("token", "passwd", "password", "secret", "key"),
    ),
    Pattern(
        "user",
        r"\b[a-z]:(?:\\{1,2}|/)users(?:\\{1,2}|/)([^\\/\r\n:*?\"<>|]{1,40})(?=\\|/|\"|(?<![ =-])>)",
        (":\\users", ":\\\\users", ":/users"),
        is_name=True,
    ),
    Pattern(
        "user",
        r"(?:[a-z]:)?[\\/]{1,4}(?:home|users)[\\/]{1,4}([^\\/\s\"':;<>|*?]{1,64})",
        ("home", "users"),
        is_name=True,
    ),
    Pattern("host", r"(?<![\\\w:])\\\\([A-Za-z][\w-]{1,62})(?=\\[\w$])", ("\\\\",), is_name=True),
    Pattern("email", r"(?<![\w.+/-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}(?![\w@])", ("@",)),
    Pattern(
        "ip",
        r"(?<![\w.-])(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}(?![\w.+]|-\w)",
        look="dots",
        keeps=_is_no_address,
    ),
    Pattern(
        "ip",
        r"(?<![\w:.])(?:[0-9a-f]{1,4}:){4,7}[0-9a-f]{1,4}(?![\w:.])|(?<![\w:.])fe80::[0-9a-f:]{2,30}",
        look="colons",
    ),
    Pattern("mac", r"(?<![\w:-])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}(?![\w:-])", look="colons"),
)
"""In the order in which they are looked for: what holds others first."""
