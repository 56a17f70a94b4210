"""Finds the names of people and machines in a pasted text, so that they can be replaced before anything is read from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from xpu_doctor.text.redact import NOBODY, Redactor
from xpu_doctor.text.word_index import Searched

_PROMPT = re.compile(
    r"^[>\s]*(?:\([\w. -]{1,40}\)\s*)?\[?([a-z_][\w.-]{0,31})@([A-Za-z0-9][\w.-]{0,62}?)(?::[~/]|[ \t]+[~/\w.-]{1,60}\][#$]|[#$][ \t])"
)
_ID = re.compile(r"\b(?:uid|gid)=\d+\(([\w.-]{1,32})\)")
_UNAME = re.compile(r"^[>\s]*Linux ([A-Za-z0-9][\w.-]{0,62}) \d+\.\d+\.\d")
_JOURNAL = re.compile(
    r"^[>\s]*(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d \d\d:\d\d:\d\d "
    r"([A-Za-z0-9][\w.-]{1,62}) [\w.@/-]{1,60}(?:\[\d+\])?:"
)
_NAMED_HOST = re.compile(
    r"(?i)\b(?:hostname|computername|computer name|nodename)\s?[=:]\s?[\"']?([A-Za-z0-9][\w-]{2,62})[\"']?(?=[\s,;]|$)"
)
_HOST = re.compile(r"(?i)\bhost\s?[=:]\s?[\"']?([A-Za-z0-9][\w-]{2,62})(?=[\"',;]|\s*$|\s+(?:kernel|uptime|os)\b)")
"""`host` is a word of prose, too: its name ends the line, or stands before what listings put behind it."""
_NAMED_USER = re.compile(
    r"(?i)\b(?:USER|USERNAME|LOGNAME|logged in as|whoami)\s?[=:]\s?[\"']?([A-Za-z_][\w.-]{1,31})\b"
)
_OWNER = re.compile(
    r"^[>\s]*(?:\d+ )?[-dlcb][rwxsStT-]{9}[.+@]?\s+\d+\s+([a-z_][\w.-]{0,31})\s+([a-z_][\w.-]{0,31})(?:\s|$)"
)
_MODES = ("rw-", "rwx", "rws", "r--", "r-x", "r-s", "-wx", "--x")
"""One of these stands in every line of `ls -l` that lets somebody do something."""
_WINDOWS_HOME = re.compile(r"(?i)\b[a-z]:[\\/]users[\\/]([^\\/\r\n\"':<>|*?]{1,40})(?:[\\/\"]|(?<![ =-])>)")
_WINDOWS_VARIABLE = re.compile(
    r"(?i)^[>\s]*(?:USERNAME=|(?:USERPROFILE|HOMEPATH)=(?:[a-z]:)?\\users\\)([^\\/\r\n\"':<>|*?=]{2,40}?)\s*$"
)
"""What `set` prints in a Windows command prompt; names may hold blanks."""
_WINDOWS_HOST = re.compile(r"\b((?:DESKTOP|LAPTOP|desktop|laptop)-(?=\w*\d)[A-Za-z0-9]{7,8})\b")
"""The names that Windows gives to new machines."""

Patterns = tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
MONTHS = frozenset({"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"})
USER_PATTERNS: Patterns = (
    (_ID, ("id=",)),
    (_NAMED_USER, ("user", "logname", "logged in", "whoami")),
    (_WINDOWS_HOME, (":\\users", ":/users")),
    (_WINDOWS_VARIABLE, ("username=", "userprofile=", "homepath=")),
)
HOST_PATTERNS: Patterns = (
    (_UNAME, ("linux ",)),
    (_NAMED_HOST, ("hostname", "computer", "nodename")),
    (_HOST, ("host",)),
    (_WINDOWS_HOST, ("desktop-", "laptop-")),
)
"""Where names stand, each with words of which every line that it matches holds one."""


def names_in(text: Searched) -> tuple[set[str], set[str]]:
    """Return the user names and the host names that prompts, listings and logs of a text show."""
    prompts = [match.groups() for match in _matches(text, _PROMPT, ("@",))]
    owners = [match.groups() for match in _matches(text, _OWNER, _MODES)]
    users = {match[1] for pattern, words in USER_PATTERNS for match in _matches(text, pattern, words)}
    hosts = {match[1] for pattern, words in HOST_PATTERNS for match in _matches(text, pattern, words)}
    hosts.update(match[1] for match in _matches(text, _JOURNAL, tuple(text.tokens & MONTHS)))
    users.update((user for user, _ in prompts), *owners)
    hosts.update(host for _, host in prompts)
    return _real(users), {host for host in _real(hosts) if not re.fullmatch(r"[0-9a-f]{12}", host)}


def _matches(text: Searched, pattern: re.Pattern[str], words: tuple[str, ...]) -> Iterator[re.Match[str]]:
    """Yield the matches of a pattern in the lines that hold one of the words."""
    for number in text.numbers_with_any(words):
        yield from pattern.finditer(text.line(number))


def redactor_for(texts: Iterable[Searched], users: Iterable[str] = (), words: Iterable[str] = ()) -> Redactor:
    """Return a redactor that knows the names in these texts, further users, and the user's own words."""
    users = _real(users)
    hosts: set[str] = set()
    for text in texts:
        more_users, more_hosts = names_in(text)
        users |= more_users
        hosts |= more_hosts
    return Redactor(sorted(users), sorted(hosts - users), words)


def _real(names: Iterable[str]) -> set[str]:
    return {name for name in names if len(name) > 1 and name.lower() not in NOBODY and not name.isdigit()}
