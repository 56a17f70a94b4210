"""Command lines as text to paste: an argument list, quoted for sh, PowerShell or cmd.exe."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

_BARE_SH = re.compile(r"[A-Za-z0-9_./:=+@%^,-]+")
_BARE_WINDOWS = re.compile(r"[A-Za-z0-9_./\\:=+-]+")
_POWERSHELL_DOUBLE = '"“”„'
_POWERSHELL_SINGLE = "'‘’‚‛"


class Shell(Enum):
    """A command interpreter that a person may paste into."""

    SH = "sh"
    POWERSHELL = "PowerShell"
    CMD = "cmd.exe"


@dataclass(frozen=True)
class Command:
    """A program with its arguments, and the environment that it needs changed."""

    argv: tuple[str, ...]
    unset: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)


def shells(os: str) -> tuple[Shell, ...]:
    """Return the shells that people use on a system, the usual one first."""
    return (Shell.POWERSHELL, Shell.CMD) if os == "windows" else (Shell.SH,)


def lines(commands: Iterable[Command], shell: Shell) -> tuple[str, ...]:
    """Return the lines that run the commands one after the other in a shell."""
    result: list[str] = []
    for command in commands:
        for line in _lines(command, shell):
            if line not in result or not line.startswith(("Remove-Item", "$env:", "set ")):
                result.append(line)
    return tuple(result)


def _lines(command: Command, shell: Shell) -> tuple[str, ...]:
    if shell is Shell.SH:
        changes = [part for name in command.unset for part in ("-u", name)]
        changes += [f"{name}={quote(value, shell)}" for name, value in command.variables.items()]
        words = (["env", *changes] if changes else []) + [quote(word, shell) for word in command.argv]
        return (" ".join(words),)
    if shell is Shell.POWERSHELL:
        before = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in command.unset]
        before += [f"$env:{name} = {_powershell(value, always=True)}" for name, value in command.variables.items()]
        return (*before, " ".join([program(command.argv[0], shell), *(quote(word, shell) for word in command.argv[1:])]))
    before = [f'set "{name}="' for name in command.unset]
    before += [f'set "{name}={value}"' for name, value in command.variables.items()]
    return (*before, " ".join(quote(word, shell) for word in command.argv))


def program(path: str, shell: Shell) -> str:
    """Return a program as the first word of a line: PowerShell calls a quoted one with `&` alone."""
    word = quote(path, shell)
    return f"& {word}" if shell is Shell.POWERSHELL and word != path else word


def quote(word: str, shell: Shell) -> str:
    """Return one argument as a shell takes it literally; one that needs no quotes stays bare."""
    if shell is Shell.SH:
        return _sh(word)
    if _BARE_WINDOWS.fullmatch(word):
        return word
    return _powershell(word) if shell is Shell.POWERSHELL else _cmd(word)


def _sh(word: str) -> str:
    if _BARE_SH.fullmatch(word):
        return word
    if "'" in word and not re.search(r'["$`\\!]', word):
        return f'"{word}"'
    return shlex.quote(word)


def _powershell(word: str, always: bool = False) -> str:
    if not always and _BARE_WINDOWS.fullmatch(word):
        return word
    if not any(mark in word for mark in ("$", "`", *_POWERSHELL_DOUBLE)) and not word.endswith("\\"):
        return f'"{word}"'
    return "'" + "".join(mark * 2 if mark in _POWERSHELL_SINGLE else mark for mark in word) + "'"


def _cmd(word: str) -> str:
    body = word + "\\" if word.endswith("\\") else word
    return '"' + body.replace('"', '""') + '"'
