"""Remedies in the shell that somebody types into, where a text shows which one of Windows' it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from xpu_doctor.model.findings import Finding, Remedy, Shell

_UNSET = re.compile(r"Remove-Item ((?:Env:\w+,?)+) -ErrorAction SilentlyContinue")
_SET = re.compile(r"\$env:(\w+) = [\"']?([\w:;.,*-]*)[\"']?")


def in_shell(finding: Finding, shell: Shell | None) -> Finding:
    """Return a finding whose remedies of Windows are those of one shell; the same one where no shell is known."""
    if shell is None:
        return finding
    return replace(
        finding,
        remedies=tuple(_of_shell(finding.remedies, shell)),
        explains=tuple(in_shell(child, shell) for child in finding.explains),
    )


def _of_shell(remedies: tuple[Remedy, ...], shell: Shell) -> Iterator[Remedy]:
    there = any(remedy.shell is shell for remedy in remedies)
    for remedy in remedies:
        if remedy.shell is None or remedy.shell is shell:
            yield _for_cmd(remedy) if shell is Shell.CMD else remedy
        elif not there:
            yield remedy


def _for_cmd(remedy: Remedy) -> Remedy:
    """Return a remedy whose lines that set or take away variables are those of cmd.exe."""
    commands = tuple(line for command in remedy.commands for line in _lines_for_cmd(command))
    return remedy if commands == remedy.commands else replace(remedy, commands=commands, steps=())


def _lines_for_cmd(line: str) -> Iterator[str]:
    unset, put = _UNSET.fullmatch(line), _SET.fullmatch(line)
    if unset:
        yield from (f'set "{name.removeprefix("Env:")}="' for name in unset[1].split(",") if name)
    elif put:
        yield f'set "{put[1]}={put[2]}"'
    else:
        yield line
