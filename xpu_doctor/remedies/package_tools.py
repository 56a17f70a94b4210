"""Lines of a table that call one distribution's package tool, as another distribution types them. Pure."""

from __future__ import annotations

import re
from functools import lru_cache

from xpu_doctor.tables.distributions import Distribution

TOOLS = {
    "apt": "apt", "apt-get": "apt", "add-apt-repository": "apt", "apt-cache": "apt", "dpkg": "apt", "do-release-upgrade": "apt",
    "dnf": "dnf", "yum": "dnf", "rpm": "rpm", "zypper": "zypper", "pacman": "pacman", "emerge": "emerge", "qlist": "emerge",
}  # fmt: skip
"""Programs that belong to a package manager, by the manager; rpm serves dnf and zypper alike."""
_RPM = ("dnf", "zypper")
_CALLED = re.compile(
    rf"(?:^|[;&|] ?)(?:sudo )?(?P<tool>{'|'.join(sorted(map(re.escape, TOOLS), key=len, reverse=True))})(?= )"
)
_COMMENT = "   # "
_FOR_OTHERS = re.compile(r"(?:^|[.;] )[^.;:]{1,80}: (?P<line>[^;]{1,300})")
"""In the comment behind a line: what others type, after their names."""


@lru_cache(maxsize=1024)
def as_typed_on(found: Distribution, line: str) -> str:
    """Return a line as this distribution types it: its own out of the comment behind it, or empty where it has no such tool."""
    typed, _, comment = line.partition(_COMMENT)
    tool = _tool(typed)
    if not found.id or not tool:
        return line
    if _serves(tool, found.manager):
        return typed if _FOR_OTHERS.search(comment) else line
    others = (match["line"].rstrip(". ") for match in _FOR_OTHERS.finditer(comment))
    return next((other for other in others if _serves(_tool(other), found.manager)), "")


def _tool(line: str) -> str:
    """Return the package manager that a line calls, or empty."""
    called = _CALLED.search(line)
    return TOOLS[called["tool"]] if called else ""


def _serves(tool: str, manager: str) -> bool:
    return bool(manager) and (tool == manager or (tool == "rpm" and manager in _RPM))
