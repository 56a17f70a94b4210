"""Splits a text that shows a container and its host into the lines of each."""

from __future__ import annotations

import re

from xpu_doctor.pasted.readers.collected import MARGIN, Text

_CONTAINER_PROMPT = re.compile(
    r"^" + MARGIN + r"(?:\([\w.-]{1,60}\)\s{0,8})?[\w<>-]{1,64}@[0-9a-f]{12}:[^\n]{0,120}?[#$]"
)
_HOST_PROMPT = re.compile(
    r"^"
    + MARGIN
    + r"(?:\([\w.-]{1,60}\)\s{0,8})?[\w.<>-]{1,64}@(?![0-9a-f]{12}:)[\w.<>-]{1,80}:[^\n]{0,120}?[#$]|^"
    + MARGIN
    + r"(?:\$|PS [A-Z]:)"
)
_INSIDE = re.compile(
    r"(?i)^[^\n]{0,80}\b(?:inside|in|within|from) (?:the |my |a |this )?(?:\w+ ){0,2}container\b.{0,40}:[*\s]*$"
)
_OUTSIDE = re.compile(r"(?i)^[^\n]{0,80}\b(?:on|from) (?:the |my )?(?:\w+ )?host\b.{0,40}:[*\s]*$")


def split(text: Text) -> tuple[tuple[str, Text], ...]:
    """Return the parts of a text by subject: `machine` alone, or `host` and `container` where it shows both."""
    if not text.has("@", "container"):
        return (("machine", text),)
    headed = any(_OUTSIDE.match(line) for _, line in text.lines_with("host") if len(line) <= 400)
    current = "host"
    lines: dict[str, list[str]] = {"host": [], "container": []}
    for line in text.body.split("\n"):
        if len(line) <= 400:
            if _CONTAINER_PROMPT.match(line) or (headed and _INSIDE.match(line)):
                current = "container"
            elif current == "container" and (
                (_HOST_PROMPT.match(line) and not line.lstrip().startswith("$")) or _OUTSIDE.match(line)
            ):
                current = "host"
        for subject, kept in lines.items():
            kept.append(line if subject == current else "")  # the line numbers stay true
    bodies = {subject: "\n".join(kept) for subject, kept in lines.items()}
    if not bodies["container"].strip() or not bodies["host"].strip():
        return (("machine", text),)
    return tuple((subject, Text(body, text.name, text.first_line)) for subject, body in bodies.items())
