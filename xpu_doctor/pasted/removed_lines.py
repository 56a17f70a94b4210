"""The lines of a diff that are no longer there: what was removed proves nothing of what is."""

from __future__ import annotations

from xpu_doctor.text.late_pattern import late_pattern

_HUNK = late_pattern(r"@@ -\d{1,7}(?:,\d{1,7})? \+\d{1,7}(?:,\d{1,7})? @@")
_CHANGE = late_pattern(r"\d{1,7}(?:,\d{1,7})?[acd]\d{1,7}(?:,\d{1,7})?\s{0,4}")


def without_removed(body: str) -> str:
    """Return a text in which the removed lines of its diffs are empty; where it holds no diff, it is the same one."""
    unified, classic = "\n@@ -" in f"\n{body}", "\n< " in f"\n{body}"
    if not unified and not classic:
        return body
    kind = ""
    lines = body.split("\n")
    for number, line in enumerate(lines):
        if unified and _HUNK.match(line):
            kind = "-"
        elif classic and _CHANGE.fullmatch(line):
            kind = "< "
        elif kind and not line.startswith((" ", "+", "-", "\\", "<", ">")):
            kind = ""
        elif kind and line.startswith(kind) and not line.startswith("---"):
            lines[number] = ""
    return "\n".join(lines)
