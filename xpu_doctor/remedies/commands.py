"""Command lines as text to paste: an argument list, quoted exactly for sh, PowerShell or cmd.exe, and chains that stop at the first failure."""

from __future__ import annotations

import os
import re
import shlex
import unicodedata
from collections.abc import Iterable

from xpu_doctor.model.commands import Command
from xpu_doctor.model.facts import Python
from xpu_doctor.model.findings import Shell
from xpu_doctor.model.unknown import known_or

_BARE_SH = re.compile(r"(?!=)[A-Za-z0-9_./:=+@%,-]+")
_BARE_WINDOWS = re.compile(r"[A-Za-z0-9_./\\:=+-]+")
_POWERSHELL_DOUBLE = '"“”„'
_POWERSHELL_SINGLE = "'‘’‚‛"


_HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""Letters and marks that no font shows."""


class Unprintable(ValueError):
    """A word that a shell has no way to take literally; the message says which shell, and why."""


def shells(os: str) -> tuple[Shell, ...]:
    """Return the shells that people use on a system, the usual one first."""
    return (Shell.POWERSHELL, Shell.CMD) if os == "windows" else (Shell.SH,)


def lines(commands: Iterable[Command], shell: Shell) -> tuple[str, ...]:
    """Return the lines that run commands which do not depend on each other; a comment stands where a shell cannot take a word literally."""
    result: list[str] = []
    for command in commands:
        try:
            printed = (*_settings(command, shell), _line(command, shell))
        except Unprintable as reason:
            printed = (f"{'rem' if shell is Shell.CMD else '#'} no command is printed here: {reason}",)
        result += [line for line in printed if line not in result or not line.startswith(_SETTING)]
    return tuple(result)


def sequence(commands: Iterable[Command], shell: Shell) -> tuple[str, ...]:
    """Return commands as one line that stops at the first failure; lines that set variables for PowerShell and cmd.exe stand before it.

    Raises:
        Unprintable: the shell cannot take one of the words literally.
    """
    steps = tuple(commands)
    before = dict.fromkeys(line for command in steps for line in _settings(command, shell))
    printed = [_line(command, shell) for command in steps]
    if not printed:
        return ()
    if shell is not Shell.POWERSHELL:
        return (*before, " && ".join(printed))
    line = printed.pop()
    while printed:
        line = f"{printed.pop()}; if ($?) {{ {line} }}"
    return (*before, line)


_SETTING = ("Remove-Item", "$env:", "set ")


def _settings(command: Command, shell: Shell) -> tuple[str, ...]:
    """Return the lines that change the environment of a shell which cannot do so for one command."""
    if shell is Shell.SH:
        return ()
    if shell is Shell.POWERSHELL:
        unset = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in command.unset]
        return (
            *unset,
            *(f"$env:{name} = {_powershell(value)}" for name, value in command.variables.items()),
        )
    unset = [f'set "{name}="' for name in command.unset]
    return (*unset, *(f'set "{name}={_literal_for_cmd(value)}"' for name, value in command.variables.items()))


def _line(command: Command, shell: Shell) -> str:
    if shell is not Shell.SH:
        return " ".join([program(command.argv[0], shell), *(quote(word, shell) for word in command.argv[1:])])
    changes = [part for name in command.unset for part in ("-u", name)]
    changes += [f"{name}={quote(value, shell)}" for name, value in command.variables.items()]
    return " ".join((["env", *changes] if changes else []) + [quote(word, shell) for word in command.argv])


def program(path: str, shell: Shell) -> str:
    """Return a program as the first word of a line: PowerShell calls a quoted one with `&` alone."""
    word = quote(path, shell)
    return f"& {word}" if shell is Shell.POWERSHELL and word != path else word


def quote(word: str, shell: Shell) -> str:
    """Return one argument as a shell takes it literally; one that needs no quotes stays bare.

    Raises:
        Unprintable: the shell has no way to take it literally.
    """
    if shell is Shell.SH:
        return _sh(word)
    if _BARE_WINDOWS.fullmatch(word) and not (shell is Shell.POWERSHELL and _is_split_by_powershell(word)):
        return word
    return _powershell(word) if shell is Shell.POWERSHELL else _cmd(word)


def _is_split_by_powershell(word: str) -> bool:
    """Return whether PowerShell splits a word at a dot or a colon (its own parameters are spelt so), or takes it for a label."""
    is_parameter = word.startswith("-") and (word[1:2].isalpha() or word[1:2] == "_")
    return (
        not any(map(str.isalnum, word))
        or word.startswith((":", "="))
        or (is_parameter and ("." in word or ":" in word))
    )


def invisible(character: str) -> bool:
    """Return whether a character does not show as itself where it is printed: controls, zero-width letters, odd blanks, halves of characters."""
    if character.isascii():
        return not character.isprintable()
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"):
        return True
    return (
        character in _HIDDEN
        or "\ufe00" <= character <= "\ufe0f"
        or "\u180b" <= character <= "\u180f"
        or "\U000e0100" <= character <= "\U000e01ef"
    )


def _sh(word: str) -> str:
    if _BARE_SH.fullmatch(word):
        return word
    if "\\" in word or any(map(invisible, word)):
        return _printf(word)
    if "'" in word and not re.search(r'["$`!]', word):
        return f'"{word}"'
    return shlex.quote(word)


def _printf(word: str) -> str:
    """Return the word as the output of printf: POSIX has no `$'...'`, and fish reads a doubled backslash in quotes as one."""
    if word.endswith("\n"):
        raise Unprintable("a shell drops the line end that this name ends with")
    body = "".join(mark if _shown_in_printf(mark, place) else _octal(mark) for place, mark in enumerate(word))
    return f"\"$(printf '{body}')\""


def _shown_in_printf(mark: str, place: int) -> bool:
    if mark.isascii():
        return re.fullmatch(r"[A-Za-z0-9_./:=+@, ]", mark) is not None or (mark == "-" and place > 0)
    return not invisible(mark)


def _octal(mark: str) -> str:
    try:
        return "".join(f"\\{byte:03o}" for byte in os.fsencode(mark))
    except UnicodeEncodeError:
        return "".join(f"\\{byte:03o}" for byte in mark.encode("utf-8", "surrogatepass"))


def _powershell(word: str) -> str:
    if not (word.isascii() and word.isprintable()) and any(map(invisible, word)):
        return '"' + "".join(map(_in_powershell_text, word)) + '"'
    if not any(mark in word for mark in ("$", "`", *_POWERSHELL_DOUBLE)) and not word.endswith("\\"):
        return f'"{word}"'
    return "'" + "".join(mark * 2 if mark in _POWERSHELL_SINGLE else mark for mark in word) + "'"


def _in_powershell_text(mark: str) -> str:
    """One character inside double quotes; PowerShell 5 knows no escape by number, but evaluates `$(...)`."""
    if invisible(mark):
        return f"$([char]0x{ord(mark):04X})" if ord(mark) < 0x10000 else f"$([char]::ConvertFromUtf32(0x{ord(mark):X}))"
    return f"`{mark}" if mark in ("$", "`", *_POWERSHELL_DOUBLE) else mark


def _cmd(word: str) -> str:
    body = word + "\\" if word.endswith("\\") else word
    return '"' + _literal_for_cmd(body).replace('"', '""') + '"'


def _literal_for_cmd(word: str) -> str:
    if "%" in word:
        raise Unprintable("cmd.exe reads a percent sign as part of a variable, even in quotes; use PowerShell")
    if any(map(invisible, word)):
        raise Unprintable("cmd.exe has no way to write a character that does not show; use PowerShell")
    return word


def interpreter(python: Python) -> str:
    """Return what to type for the target interpreter."""
    return known_or(python.executable, "") or ("python" if known_or(python.os, "linux") == "windows" else "python3")


def shell_of(python: Python) -> Shell:
    """Return the usual shell of the target's system."""
    return shells(known_or(python.os, "linux"))[0]
