"""Writes the manual pages: xpu-doctor(1), and one for each command, from Click's own objects.

    python tools/man_pages.py [FOLDER]     # default: man

The pages are part of the repository, so that building the wheel needs nothing but hatchling; a test fails where one is not current.
click-man is not used: it knows no group whose commands are loaded late, no exit codes, and leaves marks of roff in texts as they are.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from xpu_doctor.cli.main import cli
from xpu_doctor.model.exit_codes import ExitCode
from xpu_doctor.model.version import __version__

ROOT = Path(__file__).resolve().parents[1]
SITE = "https://xpu-doctor.github.io/xpu-doctor/"
EXIT_CODES = {
    ExitCode.OK: "Nothing was found at or above the severity of --fail-on.",
    ExitCode.FINDINGS: "Something was found, or what --expect names does not hold.",
    ExitCode.USAGE: "The command line was wrong.",
    ExitCode.UNDIAGNOSED: "No cause was established.",
    ExitCode.TOOL_FAILED: "xpu-doctor itself failed; it prints a log to paste.",
    ExitCode.INTERRUPTED: "It was interrupted.",
}

OF_COMMANDS = {
    "fleet": {
        ExitCode.OK: "Nothing that --fail-on names is there, and all is known.",
        ExitCode.FINDINGS: "Something that --fail-on names is there: by default, a node with an error.",
        ExitCode.USAGE: "The command line was wrong, or a file cannot be written.",
        ExitCode.UNDIAGNOSED: "Not all is known: a node could not be diagnosed, an expected one has no report, a file was not read, or there is no report.",
    },
}
"""What exit codes mean where a command has words of its own."""


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    context = click.Context(cli, info_name="xpu-doctor")
    commands = {name: command for name in cli.list_commands(context) if (command := cli.get_command(context, name))}
    found = {"xpu-doctor.1": _page("xpu-doctor", cli, commands)}
    for name, command in commands.items():
        found[f"xpu-doctor-{name}.1"] = _page(f"xpu-doctor-{name}", command, {})
    return found


def _page(title: str, command: click.Command, commands: dict[str, click.Command]) -> str:
    about, *rest = inspect.cleandoc(command.help or "").split("\n\n")
    lines = [f'.TH {title.upper()} 1 "{_date()}" "xpu-doctor {__version__}" "xpu-doctor"']
    short = re.split(r"[,:;.]", about)[0].replace("`", "")
    lines += [".SH NAME", _text(f"{title} - {short[0].lower()}{short[1:]}")]
    lines += [".SH SYNOPSIS", *_synopsis(title, command, commands), ".SH DESCRIPTION", *_paragraphs([about, *rest])]
    if commands:
        lines += [".SH COMMANDS", *_commands(commands)]
    options = [item for item in command.params if isinstance(item, click.Option)]
    lines += [".SH OPTIONS", *(line for item in options for line in _option(item))]
    lines += [".TP", "\\fB\\-h\\fR, \\fB\\-\\-help\\fR", "Show the options, and exit."]
    lines += [".SH EXIT STATUS"]
    own = OF_COMMANDS.get(title.removeprefix("xpu-doctor-"), {})
    for code, meaning in {**EXIT_CODES, **own}.items():
        lines += [".TP", f"\\fB{int(code)}\\fR", _text(meaning)]
    lines += [".SH SEE ALSO", *_see_also(title), ".PP", f"The documentation: {_text(SITE)}"]
    return "\n".join(lines) + "\n"


def _date() -> str:
    """Return the newest day that the changelog names."""
    return max(re.findall(r"\b20\d\d-\d\d-\d\d\b", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")), default="")


def _synopsis(title: str, command: click.Command, commands: dict[str, click.Command]) -> Iterator[str]:
    called = title.replace("xpu-doctor-", "xpu-doctor ", 1)
    arguments = [item for item in command.params if isinstance(item, click.Argument)]
    words = ["[\\fIOPTIONS\\fR]"] + (["\\fICOMMAND\\fR", "[\\fIARGUMENTS\\fR]"] if commands else [])
    words += [f"\\fI{_escaped(_value(item))}\\fR" for item in arguments]
    yield f"\\fB{_bold_free(called)}\\fR {' '.join(words)}"


def _value(item: click.Parameter) -> str:
    """Return the placeholder of a value: its name, or the choices that there are."""
    if isinstance(item.type, click.Choice):
        return "|".join(map(str, item.type.choices))
    return item.metavar or (str(item.name) if isinstance(item, click.Argument) else item.type.name).upper()


def _option(item: click.Option) -> Iterator[str]:
    names = ", ".join(f"\\fB{_bold_free(name)}\\fR" for name in sorted(item.opts, key=len))
    yield ".TP"
    yield names if item.is_flag else f"{names} \\fI{_escaped(_value(item))}\\fR"
    default = f" The default is {item.default}." if item.show_default is True and item.default is not None else ""
    again = " It may be repeated." if item.multiple and "repeat" not in (item.help or "") else ""
    yield _text((item.help or "") + default + again)


def _commands(commands: dict[str, click.Command]) -> Iterator[str]:
    for name, command in commands.items():
        yield from (".TP", f"\\fBxpu\\-doctor\\-{_bold_free(name)}\\fR(1)")
        yield _text(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _see_also(title: str) -> Iterator[str]:
    yield "\\fBxpu\\-doctor\\fR(1)" if title != "xpu-doctor" else "\\fBclinfo\\fR(1), \\fBlspci\\fR(8)"


def _paragraphs(parts: list[str]) -> Iterator[str]:
    """Yield paragraphs; one that Click would leave as it is (its text begins with a backspace) is shown line by line."""
    for number, part in enumerate(part for part in parts if part.strip("\b\n ")):
        yield from [".PP"] if number else []
        if part.startswith("\b"):
            yield ".nf"
            yield from (_escaped(line) for line in part.strip("\b\n").splitlines())
            yield ".fi"
        else:
            yield _text(" ".join(part.split()))


def _text(text: str) -> str:
    """Return running text as roff takes it literally, in lines of at most eighty bytes."""
    return "\n".join(textwrap.wrap(_escaped(text), 79, break_long_words=False, break_on_hyphens=False))


def _escaped(text: str) -> str:
    """Return a text as roff takes it literally."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("'", "\\(aq").replace('"', "\\(dq")
    )
    return re.sub(r"(^|\s)\.", r"\1\\&.", text)


def _bold_free(name: str) -> str:
    return name.replace("-", "\\-")


def main() -> None:
    """Write the pages, and delete those of commands that are gone."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "man"
    folder.mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in folder.glob("*.1"):
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
