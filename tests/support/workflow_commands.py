"""Reads workflow commands as the runner of GitHub Actions does (ActionCommand.cs), both its forms, old and new."""

from __future__ import annotations

from dataclasses import dataclass, field

COMMANDS = frozenset(
    [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
    ]
)
"""What the runner obeys."""


@dataclass(frozen=True)
class WorkflowCommand:
    """What the runner understood."""

    name: str
    data: str
    properties: dict[str, str] = field(default_factory=dict)


def commands(log: str) -> list[WorkflowCommand]:
    """All commands that the runner finds in a log; it reads line by line, and ends a line at CR as well."""
    lines = log.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return [found for line in lines if (found := _new_form(line) or _old_form(line))]


def _new_form(line: str) -> WorkflowCommand | None:
    """`::name key=value,key=value::data`, at the beginning of a line."""
    line = line.lstrip()
    end = line.find("::", 2)
    if not line.startswith("::") or end < 0:
        return None
    name, _, listed = line[2:end].partition(" ")
    if name not in COMMANDS:
        return None
    pairs = [pair.split("=", 1) for pair in listed.strip().split(",") if "=" in pair]
    return WorkflowCommand(
        name, _plain(line[end + 2 :]), {key: _plain(value, ":,") for key, value in pairs if key and value}
    )


def _old_form(line: str) -> WorkflowCommand | None:
    """`##[name key=value;key=value]data`, anywhere in a line."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    name = line[start + 3 : end].partition(" ")[0]
    return WorkflowCommand(name, line[end + 1 :]) if name in COMMANDS else None


def _plain(text: str, more: str = "") -> str:
    for sign in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(sign):02X}", sign)
    return text
