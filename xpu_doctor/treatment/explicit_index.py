"""Makes an index of a uv project explicit, so that uv takes from it only the packages that name it: `python -m ... PROJECT INDEX`."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from xpu_doctor.text.output import to_stderr

HEADER = re.compile(
    r"\[\[[ \t]{0,9}tool[ \t]{0,9}\.[ \t]{0,9}uv[ \t]{0,9}\.[ \t]{0,9}index[ \t]{0,9}\]\][ \t]{0,99}(?:#.*)?"
)
ANY_HEADER = re.compile(r"\[\[?[ \t\w.\"'-]{1,300}\]\]?[ \t]{0,99}(?:#.*)?")
NAME = re.compile(r"""name[ \t]{0,99}=[ \t]{0,99}(["'])(?P<name>[^"']{0,300})\1[ \t]{0,99}(?:#.*)?""")
EXPLICIT = re.compile(r"explicit[ \t]{0,99}=.*")
"""Each is met by a whole line without the blanks at its ends."""
LINE = "explicit = true"
DEEP, MOST = 4, 200
"""Folders below a project in which members of its workspace are looked for, and how many files at most."""
PASSED_OVER = ("node_modules", "site-packages", "venv", "__pycache__")


def made_explicit(text: str, index: str) -> str:
    """Return a pyproject.toml in which the tables of an index say that it is explicit; all else stays as it is."""
    lines = text.splitlines(keepends=True)
    for start in reversed([number for number, line in enumerate(lines) if HEADER.fullmatch(line.strip())]):
        end = next((at for at in range(start + 1, len(lines)) if ANY_HEADER.fullmatch(lines[at].strip())), len(lines))
        named = next((at for at in range(start, end) if _name(lines[at]) == index), 0)
        if not named:
            continue
        said = next((at for at in range(start, end) if EXPLICIT.fullmatch(lines[at].strip())), 0)
        ending = "\r\n" if lines[start].endswith("\r\n") else "\n"
        if said:
            lines[said] = LINE + ending
        else:
            lines[named] = lines[named].rstrip("\r\n") + ending
            lines.insert(named + 1, LINE + ending)
    return "".join(lines)


def _name(line: str) -> str:
    match = NAME.fullmatch(line.strip())
    return match["name"] if match else ""


def manifests(project: Path) -> tuple[Path, ...]:
    """Return the pyproject.toml of a project and those of the members of its workspace, as far as they lie below it."""
    return tuple(sorted(path for path, _ in zip(_below(project), range(MOST), strict=False)))


def _below(project: Path) -> Iterator[Path]:
    for here, folders, names in os.walk(project):
        depth = len(Path(here).relative_to(project).parts)
        inside = [name for name in folders if not name.startswith(".") and name not in PASSED_OVER]
        folders[:] = [name for name in inside if depth < DEEP and not Path(here, name, "pyvenv.cfg").exists()]
        if "pyproject.toml" in names:
            yield Path(here, "pyproject.toml")


def main(project: str, index: str) -> int:
    """Edit the files of a project; 1 where one cannot be read or written."""
    for path in manifests(Path(project)):
        try:
            with open(path, encoding="utf-8", newline="") as file:
                before = file.read()
            after = made_explicit(before, index)
            if after != before:
                with open(path, "w", encoding="utf-8", newline="") as file:
                    file.write(after)
                to_stderr(f"{path}: the index {index} is explicit now\n")
        except (OSError, UnicodeDecodeError) as error:
            to_stderr(f"{path}: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
