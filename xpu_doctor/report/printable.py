"""Commands are shown exactly or not at all: one that holds what a terminal obeys or hides must not be copied from it."""

from __future__ import annotations

from dataclasses import replace

from xpu_doctor.model.findings import Remedy
from xpu_doctor.text.visible import is_visible

NOT_SHOWN = "The commands are not shown: a path in them holds characters that cannot be shown as they are."


def printable(remedy: Remedy) -> Remedy:
    """Return a remedy as it is, or without its commands and with the reason where one of them cannot be shown exactly."""
    if all(is_visible(line) for line in (*remedy.commands, *remedy.verify)):
        return remedy
    return replace(remedy, commands=(), verify=(), why=f"{remedy.why} {NOT_SHOWN}".strip())
